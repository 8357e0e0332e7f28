package api

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"carillon/auth"
	"carillon/limit"
	"carillon/refusal"
)

// Bearer finds out who a request is from by its token. Verify is told the address that it
// comes from, see [limit.Client]; mayAsk refuses who has asked too much.
func Bearer(verify func(ctx context.Context, address netip.Addr, token string) (auth.Identity, error), mayAsk func(limit.Payer) error) func(*http.Request) (auth.Identity, error) {
	return func(r *http.Request) (auth.Identity, error) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return auth.Identity{}, refusal.New(refusal.TokenMissing, "Send a token: Authorization: Bearer TOKEN.")
		}
		who, err := verify(r.Context(), limit.Client(r.RemoteAddr), token)
		if err == nil {
			err = mayAsk(payer(r, who))
		}
		return who, err
	}
}
