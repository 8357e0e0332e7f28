package auth

import (
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"carillon/refusal"
)

// demoTTL is short enough to see renewal work in an afternoon.
const demoTTL = time.Hour

// DemoHandler gives a token to whoever names themselves: POST {"user": "Alice"}.
// The server mounts it only while it listens on loopback and has no keys, and behind
// [front.OnThisMachine]. A page of another site cannot read the answer (no CORS).
func (v *Verifier) DemoHandler(log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		user := norm.NFC.String(strings.ToLower(strings.Join(strings.FieldsFunc(name, unicode.IsSpace), "-")))
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

// title begins a name with a capital letter.
func title(name string) string {
	r := []rune(name)
	if len(r) > 0 {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}
