package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"github.com/gzuidhof/tygo/tygo"

	"carillon/wire"
)

// packages in the order in which they may refer to each other. A file that is not listed
// holds no wire type.
var packages = []tygo.PackageConfig{
	{Path: "carillon/refusal", IncludeFiles: []string{"refusal.go"}},
	{Path: "carillon/chat", IncludeFiles: []string{"types.go"}},
	{Path: "carillon/call", IncludeFiles: []string{"types.go"}},
	{Path: "carillon/wire", IncludeFiles: []string{"frame.go", "methods.go"}},
}

// typeScript is the text of wire.gen.ts.
func typeScript() (string, error) {
	tmp, err := os.MkdirTemp("", "wiregen")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)

	var out strings.Builder
	out.WriteString("// Code generated from the Go types by `go generate ./wire`. DO NOT EDIT.\n" +
		"// biome-ignore-all format: generated\n// biome-ignore-all lint: generated\n")
	for i, p := range packages {
		p.OutputPath = filepath.Join(tmp, fmt.Sprintf("%d.ts", i))
		p.FallbackType = "unknown"
		p.TypeMappings = mappings()
		if err := tygo.New(&tygo.Config{Packages: []*tygo.PackageConfig{&p}}).Generate(); err != nil {
			return "", fmt.Errorf("translate %s: %w", p.Path, err)
		}
		text, err := os.ReadFile(p.OutputPath)
		if err != nil {
			return "", fmt.Errorf("translate %s: %w", p.Path, err)
		}
		fmt.Fprintf(&out, "\n// Package %s\n", filepath.Base(p.Path))
		out.WriteString(dropGoOnly(unions(string(text)), p.Path))
	}
	writeTables(&out)
	return out.String(), unique(out.String())
}

// mappings name the types of another package as they are called in the joined module.
func mappings() map[string]string {
	m := map[string]string{"json.RawMessage": "unknown", "refusal.Code": "Code"}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Slice, reflect.Pointer, reflect.Map:
			walk(t.Elem())
		case reflect.Struct:
			for field := range t.Fields() {
				walk(field.Type)
			}
		}
		if strings.HasPrefix(t.PkgPath(), "carillon/") {
			m[t.String()] = t.Name()
		}
	}
	for _, r := range wire.Requests() {
		walk(reflect.TypeOf(r.Params))
		walk(reflect.TypeOf(r.Result))
	}
	for _, notes := range [][]wire.Note{wire.ClientNotes(), wire.ServerNotes(), wire.Items()} {
		for _, n := range notes {
			walk(reflect.TypeOf(n.Data))
		}
	}
	return m
}

var (
	stringType = regexp.MustCompile(`(?m)^export type (\w+) = string;.*$`)
	typedConst = regexp.MustCompile(`^export const \w+: (\w+) = (".*");(.*)$`)
	methodName = regexp.MustCompile(`^export const (Method|Note)[A-Z]`)
	blockStart = regexp.MustCompile(`^/\*`)
	leftover   = regexp.MustCompile(`(?m)^// (Code generated|source:).*\n|^/{10}\n|(number|string) /\* \w+ \*/`)
	oneLine    = regexp.MustCompile(`/\*\*\n \* ([^\n]*)\n \*/`)
	emptyLines = regexp.MustCompile(`\n{2,}`)
	exported   = regexp.MustCompile(`(?m)^export \w+ (\w+)`)
)

// unions turns `export type K = string` with its constants into a union of their values.
// It leaves out the names of methods and notifications, which the tables below list with
// their types, and writes the comment of a group of constants once.
func unions(text string) string {
	values := map[string][]string{}
	var kept, comment []string
	var last string
	inComment := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch m := typedConst.FindStringSubmatch(line); {
		case inComment || blockStart.MatchString(line):
			comment = append(comment, line)
			inComment = !strings.HasSuffix(line, "*/")
			continue
		case m != nil:
			values[m[1]] = append(values[m[1]], strings.TrimRight("  | "+m[2]+m[3], " "))
		case methodName.MatchString(line):
		default:
			if block := strings.Join(comment, "\n"); strings.HasPrefix(block, "/**") && block != last {
				kept, last = append(kept, block), block
			}
			kept = append(kept, line)
		}
		comment = nil
	}
	text = stringType.ReplaceAllStringFunc(strings.Join(kept, "\n"), func(decl string) string {
		name := stringType.FindStringSubmatch(decl)[1]
		if len(values[name]) == 0 {
			return decl
		}
		return "export type " + name + " =\n" + strings.Join(values[name], "\n")
	})
	return tidy(text)
}

func tidy(text string) string {
	text = leftover.ReplaceAllString(text, "$2")
	text = oneLine.ReplaceAllString(text, "/** $1 */")
	text = strings.ReplaceAll(text, "export interface Empty {\n}", "export type Empty = Record<string, never>;")
	return emptyLines.ReplaceAllString(text, "\n")
}

// dropGoOnly takes out refusal.Error, which is an error value and never on the wire
// (wire.Error is).
func dropGoOnly(text, path string) string {
	if strings.HasSuffix(path, "/refusal") {
		text, _, _ = strings.Cut(text, "/** Error is a refusal on its way")
	}
	return text
}

// unique makes sure that no two packages export one name, since they share a module here.
func unique(text string) error {
	seen := map[string]bool{}
	for _, m := range exported.FindAllStringSubmatch(text, -1) {
		if seen[m[1]] {
			return fmt.Errorf("two types are called %s", m[1])
		}
		seen[m[1]] = true
	}
	return nil
}

func writeTables(out *strings.Builder) {
	out.WriteString("\n/** Every request of a client: what it carries and what it gives. */\nexport interface Requests {\n")
	for _, r := range wire.Requests() {
		fmt.Fprintf(out, "  %q: { params: %s; result: %s };\n", r.Method, name(r.Params), name(r.Result))
	}
	table := func(comment, title string, notes []wire.Note) {
		fmt.Fprintf(out, "}\n\n/** %s */\nexport interface %s {\n", comment, title)
		for _, n := range notes {
			fmt.Fprintf(out, "  %q: %s;\n", n.Name, name(n.Data))
		}
	}
	table("Every notification of a client.", "ClientNotes", wire.ClientNotes())
	table("Every notification of the server.", "ServerNotes", wire.ServerNotes())
	table("What the data of each type of item holds.", "ItemData", wire.Items())
	out.WriteString("}\n")
}

func name(v any) string { return reflect.TypeOf(v).Name() }
