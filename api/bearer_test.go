package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"carillon/auth"
	"carillon/limit"
	"carillon/refusal"
)

func TestOnlyTokensOpenTheDoor(t *testing.T) {
	verify := func(_ context.Context, _ netip.Addr, token string) (auth.Identity, error) {
		if user, known := strings.CutPrefix(token, "token-of-"); known {
			return auth.Identity{User: user}, nil
		}
		return auth.Identity{}, refusal.New(refusal.TokenMalformed, "That is no token.")
	}
	within := func(p limit.Payer) error {
		if p.User == "busy" {
			return refusal.After(time.Second, refusal.RateLimited, "Too many requests.")
		}
		return nil
	}
	whip := NewWHIP(&joiner{}, Bearer(verify, within), nil, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { _ = whip.Close() })
	ask := func(method, path, authorization string, want int) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(offerText))
		r.Header.Set("Content-Type", map[string]string{"PATCH": "application/trickle-ice-sdpfrag"}[method])
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/sdp")
		}
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		w := httptest.NewRecorder()
		whip.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s %s with %q: %d, want %d", method, path, authorization, w.Code, want)
		}
		if w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s with %q does not say what it wants", path, authorization)
		}
		return w
	}
	ask("POST", "/whip/a", "Bearer nonsense", 401)
	ask("POST", "/whip/a", "Basic token-of-alice", 401)
	ask("POST", "/whip/a", "Bearer token-of-busy", 429)
	ask("DELETE", "/whip/a/b", "", 401)
	ask("OPTIONS", "/whip/a", "", 204) // browsers ask first whether they may send the token at all
	ask("POST", "/whep/a", "bearer token-of-alice", 201)

	session := ask("POST", "/whip/a", "Bearer token-of-alice", 201).Header().Get("Location")
	ask("PATCH", session, "", 401)
	ask("PATCH", session, "Bearer token-of-mallory", 404)
	ask("DELETE", session, "Bearer token-of-mallory", 404)
	ask("DELETE", session, "Bearer token-of-alice", 200)
}
