package auth

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"carillon/limit"
	"carillon/refusal"
)

// GuestHandler makes a guest: POST {"name": "…"}, or gives a guest a new token for the old
// one: POST {"token": "…"}. Each address may do so at a bounded rate.
func (v *Verifier) GuestHandler(log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !v.guests() {
			refusal.Answer(w, r, refusal.New(refusal.NotAllowed, "This server takes no guests (auth.guests). Give the popup a token."), log)
			return
		}
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			refusal.Answer(w, r, refusal.New(refusal.BadRequest, "Your address cannot be read."), log)
			return
		}
		if err := v.limits.guests.Take(limit.Payer{Address: limit.Address(from.Addr())}, 1, time.Now()); err != nil {
			refusal.Answer(w, r, err, log)
			return
		}
		var ask struct {
			Name  string `json:"name"`
			Token string `json:"token"`
		}
		if !read(w, r, &ask, log) {
			return
		}
		var token string
		var id Identity
		if ask.Token != "" {
			token, id, err = v.RenewGuest(r.Context(), ask.Token)
		} else {
			token, id, err = v.MintGuest(ask.Name)
		}
		if err != nil {
			if refused, ok := refusal.Of(err); ok {
				err = refused.WithStatus(http.StatusUnauthorized) // the token's fault; nothing else here is refused
			}
			refusal.Answer(w, r, err, log)
			return
		}
		answer := signedIn{Token: token}
		answer.User.ID, answer.User.Name = id.User, id.Name
		reply(w, answer)
	})
}
