package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"carillon/auth"
	"carillon/refusal"
)

// Bearer lets requests with a valid token through to WHIP and WHEP. Guests may watch but
// not publish.
func Bearer(verify func(ctx context.Context, token string) (auth.Identity, error), next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Browsers ask first whether they may send the token at all.
		if r.Method == http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		id, err := bearer(r, verify)
		if err == nil && id.Guest && strings.HasPrefix(r.URL.Path, "/whip/") {
			err = refusal.New(refusal.NotAllowed, "Guests may not publish.")
		}
		if err != nil {
			crossOrigin(w)
			w.Header().Set("WWW-Authenticate", "Bearer")
			refusal.Answer(w, r, err, log)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func bearer(r *http.Request, verify func(context.Context, string) (auth.Identity, error)) (auth.Identity, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return auth.Identity{}, refusal.New(refusal.TokenMissing, "Send a token: Authorization: Bearer TOKEN.")
	}
	return verify(r.Context(), token)
}
