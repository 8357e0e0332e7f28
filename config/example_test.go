package config

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pelletier/go-toml/v2"
)

var update = flag.Bool("update", false, "write config.example.toml anew")

const example = "../config.example.toml"

// The example is made of the comments and defaults of the Config structs, so it is
// complete and cannot drift from them.
func TestExampleEqualsTheDefaults(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# Every key of Carillon, with its default. Start with an empty file and set what you need:\n")
	b.WriteString("#   carillon --config carillon.toml\n")
	b.WriteString("# Each key can also be set in the environment: CARILLON_ + table + key, such as CARILLON_HTTP_LISTEN;\n")
	b.WriteString("# lists by comma, tables as NAME=VALUE by comma.\n")
	b.WriteString("# A key that is 0, \"\" or [] has the default that stands here, unless its comment says what else it means.\n\n")
	writeTable(t, &b, "", reflect.ValueOf(Defaults()))
	if *update {
		if err := os.WriteFile(example, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(text)); diff != "" {
		t.Errorf("config.example.toml is old (run: go test ./config -update):\n%s", diff)
	}
	var c Config
	if err := decode(text, &c); err != nil {
		t.Fatalf("config.example.toml%v", err)
	}
	if diff := cmp.Diff(Defaults(), c, cmp.Comparer(sameValue), cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("config.example.toml does not equal the defaults:\n%s", diff)
	}
}

// sameValue takes an empty list or table for none.
func sameValue(a, b []string) bool { return len(a) == 0 && len(b) == 0 || cmp.Equal(a, b) }

func writeTable(t *testing.T, b *bytes.Buffer, path string, v reflect.Value) {
	t.Helper()
	comments := fieldComments(t, v.Type())
	var tables []func()
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		key := field.Tag.Get("toml")
		switch {
		case key == "" || key == "-":
		case value.Kind() == reflect.Struct || value.Kind() == reflect.Map:
			tables = append(tables, func() {
				full := strings.TrimPrefix(path+"."+key, ".")
				fmt.Fprintf(b, "\n%s[%s]\n", comments[field.Name], full)
				if value.Kind() == reflect.Struct {
					writeTable(t, b, full, value)
				}
			})
		default:
			if comments[field.Name] == "" && !strings.HasSuffix(b.String(), "\"\n") {
				t.Errorf("%s.%s has no comment", path, key)
			}
			line, err := toml.Marshal(map[string]any{key: orEmpty(value)})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(b, "%s%s", comments[field.Name], bytes.ReplaceAll(line, []byte("'"), []byte(`"`)))
		}
	}
	for _, write := range tables {
		write()
	}
}

func orEmpty(v reflect.Value) any {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return []string{}
	}
	return v.Interface()
}

// fieldComments reads the comments of a struct's fields where it is declared.
func fieldComments(t *testing.T, typ reflect.Type) map[string]string {
	t.Helper()
	dir := filepath.Join("..", strings.TrimPrefix(typ.PkgPath(), "carillon"))
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	comments := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name != typ.Name() {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					for _, name := range field.Names {
						comments[name.Name] = asTOML(typ, field.Doc.Text()+field.Comment.Text())
					}
				}
			}
			return false
		})
	}
	return comments
}

// asTOML speaks of keys where the Go comment speaks of fields.
func asTOML(typ reflect.Type, comment string) string {
	if comment == "" {
		return ""
	}
	for field := range typ.Fields() {
		if key := field.Tag.Get("toml"); key != "-" {
			comment = regexp.MustCompile(`\b`+field.Name+`\b`).ReplaceAllString(comment, key)
		}
	}
	return "# " + strings.ReplaceAll(strings.TrimSpace(comment), "\n", "\n# ") + "\n"
}
