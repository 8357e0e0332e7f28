package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carillon/tcp/tcptest"
)

func TestRunsWithoutConfiguration(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, nil, append(anyPorts, "--data", data)...)
	for _, name := range []string{"http", "media-udp", "media-tcp", "turn-udp", "turn-tcp", "private", "data"} {
		if p.urls[name] == "" {
			t.Errorf("no line %q in:\n%s", name, strings.Join(p.lines, "\n"))
		}
	}
	var links int
	for _, line := range p.lines {
		if _, url, _ := strings.Cut(line, " "); strings.Contains(url, "/demo?user=") {
			links++
			if status, _ := get(t, url); status != http.StatusOK {
				t.Errorf("%s: got status %d", url, status)
			}
		}
	}
	if links != 2 {
		t.Errorf("got %d links to click, want 2:\n%s", links, strings.Join(p.lines, "\n"))
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := get(t, p.urls["http"]+path); status != http.StatusOK {
			t.Errorf("%s: got %d %s", path, status, body)
		}
	}
	if status, _ := get(t, p.urls["http"]+"/metrics"); status != http.StatusNotFound {
		t.Errorf("/metrics on the public address: got %d, want 404", status)
	}
	if status, body := get(t, p.urls["private"]+"/metrics"); status != http.StatusOK || !strings.Contains(body, "carillon_tabs") {
		t.Errorf("/metrics on the private address: got %d without carillon_tabs", status)
	}
	answer, err := http.Post(p.urls["http"]+"/demo/token", "application/json", strings.NewReader(`{"user":"alice"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var signed struct{ Token string }
	if err := json.NewDecoder(answer.Body).Decode(&signed); err != nil || signed.Token == "" {
		t.Errorf("demo sign-in: got %v, %v", signed, err)
	}
}

func TestWithKeysThereIsNoDemo(t *testing.T) {
	keys := []string{"CARILLON_AUTH_KEYS=site=0123456789012345678901234567890123456789"}
	p := start(t, keys, append(anyPorts, "--data", t.TempDir())...)
	if status, _ := get(t, p.urls["http"]+"/demo/token"); status != http.StatusNotFound {
		t.Errorf("/demo/token: got %d, want 404", status)
	}
	out, err := command(keys, "token", "--user", "alice").Output()
	if err != nil || strings.Count(string(out), ".") != 2 {
		t.Errorf("token: got %q, %v, want a JWT", out, err)
	}
}

func TestOnlyAllowedSitesMayMakeGuests(t *testing.T) {
	p := start(t, []string{"CARILLON_SIGNALING_ORIGINS=https://shop.example"}, append(anyPorts, "--data", t.TempDir())...)
	for origin, want := range map[string]string{"https://shop.example": "https://shop.example", "https://evil.example": ""} {
		r, err := http.NewRequest(http.MethodOptions, p.urls["http"]+"/api/v1/guests", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("from %s: got Access-Control-Allow-Origin %q, want %q", origin, got, want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestTokenInDemoModeUsesTheDataFolder(t *testing.T) {
	data := t.TempDir()
	if out, err := command(nil, "token", "--user", "alice", "--data", data).CombinedOutput(); err == nil || !bytes.Contains(out, []byte("start carillon")) {
		t.Errorf("before the first start: got %q, %v, want advice", out, err)
	}
	start(t, nil, append(anyPorts, "--data", data)...)
	if out, err := command(nil, "token", "--user", "alice", "--data", data).Output(); err != nil || strings.Count(string(out), ".") != 2 {
		t.Errorf("got %q, %v, want a JWT", out, err)
	}
}

func TestRefusesToStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	busy := taken.Addr().String()
	replace := func(flag, value string) []string {
		args := append([]string{"serve", "--data", t.TempDir()}, anyPorts...)
		for i := range args {
			if args[i] == flag {
				args[i+1] = value
			}
		}
		return args
	}
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"public demo", replace("--listen", "0.0.0.0:0"), []string{"http.listen", "auth.keys"}},
		{"public media without keys", replace("--media", "0.0.0.0:0"), []string{"media", "auth.keys"}},
		{"HTTP port taken", replace("--listen", busy), []string{"http.listen", busy}},
		{"media port taken", replace("--media", busy), []string{"media", busy}},
		{"TURN port taken", replace("--turn", busy), []string{"turn", busy}},
		{"private port taken", replace("--private", busy), []string{"private.listen", busy}},
		{"no such file", []string{"serve", "--config", "/nonexistent.toml"}, []string{"/nonexistent.toml"}},
		{"unknown flag", []string{"serve", "--listne", "x"}, []string{"--listne"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			c := exec.CommandContext(ctx, os.Args[0], test.args...)
			c.Env = append(os.Environ(), "TEST_IS_CARILLON=1")
			out, err := c.CombinedOutput()
			if err == nil || ctx.Err() != nil {
				t.Fatalf("it started: %s", out)
			}
			for _, want := range test.want {
				if !bytes.Contains(out, []byte(want)) {
					t.Errorf("got %q, want it to name %q", out, want)
				}
			}
		})
	}
}

func TestCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	p := start(t, []string{"CARILLON_HTTP_CERT=" + cert, "CARILLON_HTTP_KEY=" + key}, append(anyPorts, "--data", t.TempDir())...)
	serial := func() int64 {
		c, err := tls.Dial("tcp", strings.TrimPrefix(p.urls["https"], "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("got certificate %d, want 1", got)
	}
	writeCertificate(t, dir, 2)
	until(t, "the new certificate is served", func() bool { return serial() == 2 })
	if status, _ := get(t, p.urls["https"]+"/healthz"); status != http.StatusOK {
		t.Errorf("over HTTPS: got %d", status)
	}
}

// TestACME gets a certificate from a real certificate authority: Debian's pebble, whose
// resolver is ours, so that it checks the TLS-ALPN challenge on our own listener.
func TestACME(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("pebble"); err != nil {
		t.Fatal("pebble is missing: apt-get install pebble")
	}
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	listen, directory, management := tcptest.Address(t), tcptest.Address(t), tcptest.Address(t)
	settings := filepath.Join(dir, "pebble.json")
	text := fmt.Sprintf(`{"pebble":{"listenAddress":%q,"managementListenAddress":%q,"certificate":%q,"privateKey":%q,"httpPort":1,"tlsPort":%s}}`,
		directory, management, cert, key, strings.TrimPrefix(listen, "127.0.0.1:"))
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	authority := exec.Command("pebble", "-config", settings, "-dnsserver", resolver(t))
	authority.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	if err := authority.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = authority.Process.Kill(); _ = authority.Wait() })
	until(t, "pebble listens", func() bool {
		c, err := net.Dial("tcp", directory)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	p := start(t, []string{
		"SSL_CERT_FILE=" + cert,
		"CARILLON_HTTP_ACME=calls.example.test",
		"CARILLON_HTTP_ACME_DIRECTORY=https://" + directory + "/dir",
	}, "--listen", listen, "--media", "127.0.0.1:0", "--turn", "127.0.0.1:0", "--private", "127.0.0.1:0", "--data", filepath.Join(dir, "data"))
	until(t, "the authority's certificate is served", func() bool {
		c, err := tls.Dial("tcp", strings.TrimPrefix(p.urls["https"], "https://"), &tls.Config{InsecureSkipVerify: true, ServerName: "calls.example.test"})
		if err != nil {
			return false
		}
		defer c.Close()
		leaf := c.ConnectionState().PeerCertificates[0]
		return leaf.VerifyHostname("calls.example.test") == nil && strings.Contains(leaf.Issuer.CommonName, "Pebble")
	})
}
