package front

import "net/http"

// StrictTransport is for what is served over TLS only. It tells browsers never to ask this
// host without TLS again, for a year (HSTS, RFC 6797). Under a loopback name it says nothing:
// there it would bind every other server on this machine, whatever its port.
func StrictTransport(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(hostOf(r)) {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		h.ServeHTTP(w, r)
	})
}
