package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Whoever searches the log for errors looks for one key: err.
func TestErrorsAreLoggedUnderOneKey(t *testing.T) {
	fileSet := token.NewFileSet()
	calls := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && path != ".") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(fileSet, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			for key, value := range logged(call) {
				calls++
				text, _ := strconv.Unquote(key.Value)
				if text == "error" || text != "err" && isError(value) {
					t.Errorf("%s: the key of an error is %q, want err", fileSet.Position(key.Pos()), text)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls < 20 {
		t.Errorf("found only %d attributes in the whole tree: this test does not see them", calls)
	}
}

// logged yields the attributes of a call such as log.Warn("message", "key", value).
func logged(call *ast.CallExpr) func(yield func(*ast.BasicLit, ast.Expr) bool) {
	return func(yield func(*ast.BasicLit, ast.Expr) bool) {
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return
		}
		first := map[string]int{"Debug": 1, "Info": 1, "Warn": 1, "Error": 1, "With": 0}
		at, ok := first[method.Sel.Name]
		for ; ok && at+1 < len(call.Args); at += 2 {
			if key, ok := call.Args[at].(*ast.BasicLit); ok && key.Kind == token.STRING && !yield(key, call.Args[at+1]) {
				return
			}
		}
	}
}

// isError goes by names: err, and what fmt.Errorf or errors.Join return.
func isError(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "err" || strings.HasSuffix(e.Name, "Err")
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.SelectorExpr)
		return ok && (f.Sel.Name == "Errorf" || f.Sel.Name == "Join" && len(e.Args) > 1)
	}
	return false
}
