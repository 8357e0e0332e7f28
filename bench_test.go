package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// benchToken signs somebody in, as the pages of the demo do.
func benchToken(t *testing.T, data string) string {
	t.Helper()
	return tokenOf(t, data, "bench", "--conversations", "bench")
}

func TestBenchMeasuresARunningServerOnAllItsPaths(t *testing.T) {
	t.Parallel()
	data, report := t.TempDir(), filepath.Join(t.TempDir(), "report.json")
	p := start(t, nil, append(anyPorts, "--data", data)...)
	out, err := command(nil, "bench", "--server", p.urls["http"], "--token", benchToken(t, data), "--pin", "none",
		"--shapes", "1:N,N:N", "-n", "2", "--members", "3", "--rounds", "1", "--window", "500ms", "--json", report).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Rows, Refused []struct {
			Path, Shape, Reason string
			Packets             float64 `json:"packets_per_second"`
		}
	}
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	// A row that the bench cannot vouch for on a busy machine was measured all the same.
	paths := map[string]bool{}
	for _, r := range append(found.Rows, found.Refused...) {
		paths[r.Path+" "+r.Shape] = true
		if r.Reason == "" && r.Packets <= 0 {
			t.Errorf("%s %s: nothing was forwarded", r.Path, r.Shape)
		}
	}
	for _, want := range []string{"udp 1:N", "udp N:N", "ice-tcp 1:N", "turn-udp 1:N", "turn-tcp 1:N"} {
		if !paths[want] {
			t.Errorf("no row for %s in %v", want, paths)
		}
	}
}

func TestBenchSaysWhatIsWrongWithAServer(t *testing.T) {
	p := start(t, nil, append(anyPorts, "--data", t.TempDir())...)
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"a bad token":     {[]string{"--server", p.urls["http"], "--token", "x"}, "sign in to " + p.urls["http"]},
		"nobody is there": {[]string{"--server", "http://127.0.0.1:1", "--token", "x"}, "connection refused"},
		"no URL":          {[]string{"--server", "chat.example"}, "no http or https URL"},
		"half a server":   {[]string{"--whip", "http://127.0.0.1:1"}, "belong together"},
		"two servers":     {[]string{"--server", "http://127.0.0.1:1", "--whip", "http://127.0.0.1:1"}, "give one of them"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := command(nil, append([]string{"bench", "--quick"}, c.args...)...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), c.says) {
				t.Errorf("%v, want an error that says %q:\n%s", err, c.says, out)
			}
		})
	}
}
