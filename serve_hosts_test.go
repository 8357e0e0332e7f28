package main

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
)

// askAs asks a program's listener under another name, or through a proxy that says so.
func askAs(t *testing.T, url, host string, headers ...string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	for _, name := range headers {
		r.Header.Set(name, "198.51.100.1")
	}
	if strings.HasSuffix(url, "/ws") {
		for name, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "carillon.v1",
			"Origin": "http://" + host, // a page whose name now leads here has this origin
		} {
			r.Header.Set(name, value)
		}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return answer.StatusCode
}

func TestTheDemoIsForThisMachineOnly(t *testing.T) {
	p := start(t, nil, append(anyPorts, "--data", t.TempDir())...)
	for _, path := range []string{"/", "/demo/token", "/ws", "/api/v1/guests", "/whip/a"} {
		if got := askAs(t, p.urls["http"]+path, "localhost"); got == http.StatusForbidden {
			t.Errorf("%s under localhost: got %d", path, got)
		}
		if got := askAs(t, p.urls["http"]+path, "evil.example"); got != http.StatusForbidden {
			t.Errorf("%s under a name that was led here: got %d, want 403", path, got)
		}
		if got := askAs(t, p.urls["http"]+path, "localhost", "X-Forwarded-For"); got != http.StatusForbidden {
			t.Errorf("%s through a proxy: got %d, want 403", path, got)
		}
	}
}

func TestThePrivateListenerKnowsItsNames(t *testing.T) {
	p := start(t, []string{"CARILLON_PRIVATE_HOSTS=metrics.internal"}, append(anyPorts, "--data", t.TempDir())...)
	for host, want := range map[string]int{
		"localhost": http.StatusOK, "metrics.internal": http.StatusOK, "192.0.2.1:9090": http.StatusOK, "evil.example": http.StatusForbidden,
	} {
		for _, path := range []string{"/metrics", "/healthz", "/debug/pprof/cmdline"} {
			if got := askAs(t, p.urls["private"]+path, host); got != want {
				t.Errorf("%s under %s: got %d, want %d", path, host, got, want)
			}
		}
	}
}

func TestWithKeysTheNameIsTheSites(t *testing.T) {
	p := start(t, []string{"CARILLON_AUTH_KEYS=site=0123456789012345678901234567890123456789"}, append(anyPorts, "--data", t.TempDir())...)
	if got := askAs(t, p.urls["http"]+"/", "calls.example", "X-Forwarded-For"); got != http.StatusOK {
		t.Errorf("behind a proxy: got %d", got)
	}
}

func TestBrowsersThatCameOverTLSKeepToIt(t *testing.T) {
	cert, key := writeCertificate(t, t.TempDir(), 1)
	p := start(t, []string{"CARILLON_HTTP_CERT=" + cert, "CARILLON_HTTP_KEY=" + key, "CARILLON_AUTH_KEYS=site=0123456789012345678901234567890123456789"},
		append(anyPorts, "--data", t.TempDir())...)
	for _, http2 := range []bool{false, true} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: http2, DisableKeepAlives: true}}
		for host, want := range map[string]bool{"calls.example": true, "localhost": false, "127.0.0.1:8443": false} {
			r, err := http.NewRequest(http.MethodGet, p.urls["https"]+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if got := answer.Header.Get("Strict-Transport-Security"); (got != "") != want {
				t.Errorf("%s over %s: got %q, want HSTS: %v", host, answer.Proto, got, want)
			}
		}
	}
}
