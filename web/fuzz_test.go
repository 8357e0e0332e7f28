package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// Whatever a client asks for and says it takes, it gets a built file or is told that there is none.
func FuzzServe(f *testing.F) {
	h := Handler()
	f.Add("/", "br, gzip;q=0", "*")
	f.Add("/popup.js", "gzip;q=0.0, *", `W/"x"`)
	f.Add("/../../etc/passwd", "*;q=0,,;", "")
	f.Add("/assets/", "br;q=nan", "\x00")
	f.Fuzz(func(t *testing.T, path, accept, match string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: path}
		r.Header.Set("Accept-Encoding", accept)
		r.Header.Set("If-None-Match", match)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK:
			if w.Header().Get("ETag") == "" || w.Header().Get("Content-Security-Policy") == "" || w.Body.Len() == 0 {
				t.Errorf("%q: %v", path, w.Header())
			}
		case http.StatusNotModified, http.StatusNotFound:
		default:
			t.Errorf("%q: %d", path, w.Code)
		}
	})
}
