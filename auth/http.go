package auth

import (
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"carillon/limit"
	"carillon/refusal"
)

// maxAddresses is how many addresses' guests are counted at a time, some 100 bytes each.
const maxAddresses = 10_000

// demoTTL is short enough to see renewal work in an afternoon.
const demoTTL = time.Hour

// signedIn is what both sign-in pages answer.
type signedIn struct {
	Token string `json:"token"`
	User  struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"user"`
}

// DemoHandler gives a token to whoever names themselves: POST {"user": "Alice"}.
// Main mounts it only while the server listens on loopback and has no keys. A page of
// another site cannot read the answer (no CORS), and one that rebinds its name to
// 127.0.0.1 is refused by its Host.
func (v *Verifier) DemoHandler(log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopbackHost(r.Host) {
			refusal.Answer(w, r, refusal.New(refusal.NotAllowed, "Demo sign-in answers only under a loopback name."), log)
			return
		}
		if r.Method == http.MethodGet {
			reply(w, struct{}{})
			return
		}
		var ask struct {
			User string `json:"user"`
		}
		if !read(w, r, &ask, log) {
			return
		}
		name := clean(ask.User)
		user := strings.ToLower(strings.Join(strings.FieldsFunc(name, unicode.IsSpace), "-"))
		token, err := v.Mint(user, title(name), demoTTL)
		if err != nil {
			refusal.Answer(w, r, refusal.New(refusal.BadRequest, "Choose a name of 1–%d letters.", maxUserID), log)
			return
		}
		answer := signedIn{Token: token}
		answer.User.ID, answer.User.Name = user, title(name)
		reply(w, answer)
	})
}

// GuestHandler makes a guest: POST {"name": "…"}, or gives one a new token for the
// old: POST {"token": "…"}. At a bounded rate per address.
func (v *Verifier) GuestHandler(log *slog.Logger) http.Handler {
	guests := limit.NewKeys[netip.Addr](limit.Per(time.Minute, v.config.GuestsPerMinute, time.Minute), maxAddresses)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !v.config.Guests && !v.config.Demo() {
			refusal.Answer(w, r, refusal.New(refusal.NotAllowed, "This server takes no guests (auth.guests). Give the popup a token."), log)
			return
		}
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			refusal.Answer(w, r, refusal.New(refusal.BadRequest, "Your address cannot be read."), log)
			return
		}
		if wait := guests.Take(limit.Address(from.Addr()), 1, time.Now()); wait > 0 {
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

func read(w http.ResponseWriter, r *http.Request, into any, log *slog.Logger) bool {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refusal.Answer(w, r, refusal.New(refusal.BadRequest, "Use POST.").WithStatus(http.StatusMethodNotAllowed), log)
		return false
	}
	// A JSON content type makes a browser ask first (CORS preflight), so no other site's form gets in.
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		refusal.Answer(w, r, refusal.New(refusal.BadRequest, "Send application/json.").WithStatus(http.StatusUnsupportedMediaType), log)
		return false
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(into); err != nil {
		refusal.Answer(w, r, refusal.New(refusal.BadRequest, "The body is not the JSON object expected here."), log)
		return false
	}
	return true
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // the client went away: nobody is left to tell
}

func loopbackHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func title(name string) string {
	r := []rune(name)
	if len(r) > 0 {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}
