package auth

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"carillon/refusal"
)

// demoTTL is short enough to see renewal work in an afternoon.
const demoTTL = time.Hour

// DemoHandler gives a token to whoever names themselves: POST {"user": "Alice"}.
// The server mounts it only while the server listens on loopback and has no keys. A page of
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
		name := cleanName(ask.User)
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

func loopbackHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// title begins a name with a capital letter.
func title(name string) string {
	r := []rune(name)
	if len(r) > 0 {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}
