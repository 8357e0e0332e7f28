package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"carillon/auth"
	"carillon/refusal"
)

func TestOnlyTokensOpenTheDoor(t *testing.T) {
	verify := func(_ context.Context, token string) (auth.Identity, error) {
		switch token {
		case "member":
			return auth.Identity{User: "alice"}, nil
		case "guest":
			return auth.Identity{User: "guest:1", Guest: true}, nil
		}
		return auth.Identity{}, refusal.New(refusal.TokenMalformed, "That is no token.")
	}
	inside := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	door := Bearer(verify, inside, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		method, path, header string
		want                 int
	}{
		{"POST", "/whip/a", "Bearer member", 418},
		{"POST", "/whep/a", "bearer guest", 418},
		{"POST", "/whip/a", "Bearer guest", 403},
		{"POST", "/whip/a", "Bearer nonsense", 401},
		{"POST", "/whip/a", "Basic member", 401},
		{"DELETE", "/whip/a/b", "", 401},
		{"OPTIONS", "/whip/a", "", 418},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s %s with %q: %d, want %d", c.method, c.path, c.header, w.Code, c.want)
		}
		if c.want == 401 && w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s with %q does not say what it wants", c.path, c.header)
		}
	}
}
