package api

import (
	"net/http"
	"slices"
)

// Allowed is what pages of other origins may do with an endpoint, in lists as HTTP has them.
type Allowed struct {
	Methods, Headers string
	Exposed          string // headers of answers that they may read, beside those that all may
}

// AllowOrigins lets pages of the allowed origins use an endpoint; "*" allows any.
func AllowOrigins(origins []string, allowed Allowed, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin != "" && (slices.Contains(origins, origin) || slices.Contains(origins, "*")) {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			if r.Method == http.MethodOptions {
				w.Header().Set("Access-Control-Allow-Methods", allowed.Methods)
				w.Header().Set("Access-Control-Allow-Headers", allowed.Headers)
				w.Header().Set("Access-Control-Max-Age", "7200") // as long as browsers keep it at most
				w.WriteHeader(http.StatusNoContent)
				return
			}
			if allowed.Exposed != "" {
				w.Header().Set("Access-Control-Expose-Headers", allowed.Exposed)
			}
		}
		h.ServeHTTP(w, r)
	})
}
