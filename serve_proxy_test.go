package main

import (
	"net/http"
	"strings"
	"testing"
)

// askGuest asks for a guest through a proxy that has written these headers.
func askGuest(t *testing.T, p *program, headers map[string]string) (status int) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, p.urls["http"]+"/api/v1/guests", strings.NewReader(`{"name":"Visitor"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return answer.StatusCode
}

var oneGuestAMinute = []string{
	"CARILLON_AUTH_KEYS=site=0123456789012345678901234567890123456789",
	"CARILLON_AUTH_GUESTS=true", "CARILLON_AUTH_GUESTS_PER_MINUTE=1", "CARILLON_REACH_GUESTS=support",
}

func TestClientsOfATrustedProxyAreCountedApart(t *testing.T) {
	p := start(t, append(oneGuestAMinute, "CARILLON_HTTP_TRUSTED_PROXIES=127.0.0.1"), append(anyPorts, "--data", t.TempDir())...)
	for i, ask := range []struct {
		forwardedFor string
		want         int
	}{
		{"198.51.100.1", http.StatusOK},
		{"198.51.100.1", http.StatusTooManyRequests},
		{"203.0.113.99, 198.51.100.1", http.StatusTooManyRequests}, // the client's own invention comes first
		{"198.51.100.2", http.StatusOK},
	} {
		if got := askGuest(t, p, map[string]string{"X-Forwarded-For": ask.forwardedFor}); got != ask.want {
			t.Errorf("request %d, for %s: got %d, want %d", i, ask.forwardedFor, got, ask.want)
		}
	}
}

func TestWithoutTrustNoHeaderNamesTheClient(t *testing.T) {
	p := start(t, oneGuestAMinute, append(anyPorts, "--data", t.TempDir())...)
	if got := askGuest(t, p, map[string]string{"X-Forwarded-For": "198.51.100.1"}); got != http.StatusOK {
		t.Fatalf("the first: got %d", got)
	}
	for _, header := range []string{"X-Forwarded-For", "Forwarded", "X-Real-IP"} {
		value := map[string]string{"Forwarded": "for=198.51.100.2"}[header]
		if value == "" {
			value = "198.51.100.2"
		}
		if got := askGuest(t, p, map[string]string{header: value}); got != http.StatusTooManyRequests {
			t.Errorf("%s was believed: got %d, want 429", header, got)
		}
	}
}
