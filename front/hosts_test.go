package front

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
)

var quiet = slog.New(slog.DiscardHandler)

func asked(h http.Handler, host string, header ...string) int {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = host
	for _, name := range header {
		r.Header.Set(name, "198.51.100.1")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestNamesOfOthersAreNotAnswered(t *testing.T) {
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	demo, private := OnThisMachine(nothing, quiet), UnderNames([]string{"metrics.internal"}, "private.hosts", nothing, quiet)
	for host, want := range map[string]struct{ demo, private bool }{
		"127.0.0.1:8080":         {true, true},
		"127.9.9.9":              {true, true},
		"[::1]:8080":             {true, true},
		"localhost:8080":         {true, true},
		"LocalHost.":             {true, true},
		"shop.localhost:8080":    {true, true},
		"192.0.2.1:8080":         {false, true},
		"metrics.internal:9090":  {false, true},
		"Metrics.Internal":       {false, true},
		"evil.example:8080":      {false, false},
		"127.0.0.1.evil.example": {false, false},
		"evil-localhost":         {false, false},
		"localhost.evil.example": {false, false},
	} {
		if got := asked(demo, host); (got == http.StatusOK) != want.demo {
			t.Errorf("the demo under %s: got %d, want an answer: %v", host, got, want.demo)
		}
		if got := asked(private, host); (got == http.StatusOK) != want.private {
			t.Errorf("the private listener under %s: got %d, want an answer: %v", host, got, want.private)
		}
	}
}

func TestTheDemoIsNotForwarded(t *testing.T) {
	demo := OnThisMachine(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), quiet)
	for _, name := range append([]string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server"}, proxyHeaders...) {
		if got := asked(demo, "localhost", name); got != http.StatusForbidden {
			t.Errorf("with %s: got %d, want 403", name, got)
		}
		if name != http.CanonicalHeaderKey(name) {
			t.Errorf("%s is not in canonical form", name)
		}
	}
}
