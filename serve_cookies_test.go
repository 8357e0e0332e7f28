package main

import (
	"net/http"
	"strings"
	"testing"
)

// Browsers add cookies and passwords to requests of any page. Nothing here asks for either: who
// somebody is stands in a token that a page has to hold, so that no page acts for the visitor
// of another.
func TestNothingSignsInByItself(t *testing.T) {
	p := start(t, nil, append(anyPorts, "--data", t.TempDir())...)
	for _, c := range []struct{ method, path, body string }{
		{http.MethodGet, "/", ""}, {http.MethodGet, "/demo?user=alice", ""}, {http.MethodGet, "/popup.js", ""},
		{http.MethodPost, "/demo/token", `{"user":"alice"}`}, {http.MethodPost, "/api/v1/guests", `{}`},
		{http.MethodPost, "/whep/x", ""}, {http.MethodGet, "/ws", ""}, {http.MethodGet, "/nothing", ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, p.urls["http"]+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth("alice", "password")
		r.Header.Set("Cookie", "token=alice; session=alice")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if set := answer.Header.Values("Set-Cookie"); len(set) > 0 {
			t.Errorf("%s sets cookies: %q", c.path, set)
		}
		if asked := answer.Header.Get("WWW-Authenticate"); strings.HasPrefix(asked, "Basic") {
			t.Errorf("%s makes browsers ask for a password: %q", c.path, asked)
		}
		if c.path == "/whep/x" && answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: got %s by a cookie and a password", c.path, answer.Status)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
