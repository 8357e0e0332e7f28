package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	floorRow  = regexp.MustCompile(`(?m)^\| (roof|\d|ground)\b[^|]*\| (.*) \|$`)
	folderRef = regexp.MustCompile("`([a-z]+)` \\(")
)

// TestImportsPointDownwards compares the imports of every package with the table of floors in
// docs/CONTRIBUTING.md: a package imports from its own floor and below, and only the root
// imports config.
func TestImportsPointDownwards(t *testing.T) {
	text, err := os.ReadFile("docs/CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := floorRow.FindAllStringSubmatch(string(text), -1)
	floors := map[string]int{} // by folder; higher imports lower
	for i, row := range rows {
		for _, folder := range folderRef.FindAllStringSubmatch(row[2], -1) {
			floors[folder[1]] = len(rows) - i
		}
	}
	if len(floors) < 15 {
		t.Fatalf("found %d folders in the table: it has another form than this test knows", len(floors))
	}
	seen := map[string]bool{}
	for file, imports := range importsOf(t) {
		folder, _, below := strings.Cut(filepath.ToSlash(file), "/")
		if !below {
			continue // the root imports what it likes
		}
		seen[folder] = true
		if floors[folder] == 0 {
			t.Errorf("%s is not in the table of floors", folder)
		}
		for _, path := range imports {
			to, _, _ := strings.Cut(path, "/")
			if to == "config" && folder != "config" || floors[to] > floors[folder] {
				t.Errorf("%s imports %s, which is above it", file, path)
			}
		}
	}
	for folder := range floors {
		if !seen[folder] {
			t.Errorf("the table of floors names %s, which has no code", folder)
		}
	}
}

// importsOf returns what each file that is not a test imports of this module.
func importsOf(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && path != "."):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		all[path] = nil
		for _, i := range file.Imports {
			if inside, ok := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), "carillon/"); ok {
				all[path] = append(all[path], inside)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
