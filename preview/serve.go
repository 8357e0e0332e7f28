package preview

import (
	"fmt"
	"net/http"
	"strings"

	"carillon/limit"
	"carillon/refusal"
)

// documentPolicy is for who opens a picture as a document.
const documentPolicy = "default-src 'none'; sandbox"

// Path is where pictures are served, by KEY.jpg.
const Path = "/previews/"

// Handler serves pictures to who knows their keys, which nobody can guess: those who see a message
// with one. A picture of a key never changes.
func (s *Service) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			refusal.Answer(w, r, refusal.New(refusal.BadRequest, "Use GET.").WithStatus(http.StatusMethodNotAllowed), s.deps.Log)
			return
		}
		if err := s.pictures.Take(limit.Payer{Address: limit.Client(r.RemoteAddr)}, 1, s.deps.Now()); err != nil {
			refusal.Answer(w, r, err, s.deps.Log)
			return
		}
		key, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, Path), ".jpg")
		var jpeg []byte
		if ok = ok && isKey(key); ok {
			var err error
			if jpeg, ok, err = s.deps.Store.PreviewPicture(r.Context(), key); err != nil {
				refusal.Answer(w, r, err, s.deps.Log)
				return
			}
		}
		if !ok {
			refusal.Answer(w, r, refusal.New(refusal.NotFound, "There is no such picture."), s.deps.Log)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "image/jpeg")
		h.Set("Content-Length", fmt.Sprint(len(jpeg)))
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", documentPolicy)
		h.Set("Cross-Origin-Resource-Policy", "cross-origin") // the popup is on other sites than we
		h.Set("Referrer-Policy", "no-referrer")
		if r.Method == http.MethodGet {
			_, _ = w.Write(jpeg) // the client went away: nobody is left to tell
		}
	})
}

// isKey reports whether a text has the form of [rand.Text].
func isKey(key string) bool {
	return len(key) == 26 && strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
