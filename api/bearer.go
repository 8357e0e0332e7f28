package api

import (
	"context"
	"net/http"
	"strings"

	"carillon/auth"
	"carillon/refusal"
)

// Bearer finds out who a request is from by its token.
func Bearer(verify func(ctx context.Context, token string) (auth.Identity, error)) func(*http.Request) (auth.Identity, error) {
	return func(r *http.Request) (auth.Identity, error) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return auth.Identity{}, refusal.New(refusal.TokenMissing, "Send a token: Authorization: Bearer TOKEN.")
		}
		return verify(r.Context(), token)
	}
}
