package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A short run of three floods: their servers start, honest users call and write, and what they
// felt is told. What the figures are depends on the machine.
func TestFloodsRun(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "carillon")
	if out, err := exec.Command("go", "build", "-o", binary, "carillon").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	var rows []row
	for _, f := range floods {
		if f.name != "nothing" && f.name != "reflector" && f.name != "reset" {
			continue
		}
		r, err := measure(t.Context(), program{"here", binary}, f, options{flood: 300 * time.Millisecond})
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		if r.Died != "" || r.Hello.Count == 0 || r.Message.Count == 0 || r.Media.Count == 0 || r.Memory.Before == 0 {
			t.Errorf("%s: %+v", f.name, r)
		}
		rows = append(rows, r)
	}
	var table bytes.Buffer
	if err := printTable(&table, rows); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"the table": table.String(), "Markdown": string(markdown(rows)), "the plot": string(plot(rows))} {
		for _, r := range rows {
			if !strings.Contains(text, r.Flood) {
				t.Errorf("%s lacks %s", name, r.Flood)
			}
		}
	}
}

func TestFloodsHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range floods {
		if seen[f.name] || f.name == "" || f.who == "" || f.does == "" || f.run == nil {
			t.Errorf("%+v", f)
		}
		seen[f.name] = true
	}
}
