package auth

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"carillon/limit"
	"carillon/refusal"
)

// maxAddresses is how many addresses are counted at a time, some 100 bytes each.
const maxAddresses = 10_000

// GuestHandler makes a guest: POST {"name": "…"}, or gives a guest a new token for the old
// one: POST {"token": "…"}. Each address may do so at a bounded rate.
func (v *Verifier) GuestHandler(log *slog.Logger) http.Handler {
	perAddress := limit.NewKeys[netip.Addr](limit.Per(time.Minute, v.config.GuestsPerMinute, time.Minute), maxAddresses)
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
		if wait := perAddress.Take(limit.Address(from.Addr()), 1, time.Now()); wait > 0 {
			refusal.Answer(w, r, refusal.After(wait, refusal.RateLimited, "Too many new guests from your address. Try again in a minute."), log)
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
