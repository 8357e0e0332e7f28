package front

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"carillon/refusal"
)

// Being asked from this machine proves little: a page of any site can make the browser here
// ask, under a name of its own that suddenly means 127.0.0.1 (DNS rebinding), and a tunnel
// or a proxy brings the whole world. What trusts its neighbours therefore looks at the
// name it is asked under, which a page cannot choose freely.

// OnThisMachine lets h answer only under a loopback name, and nothing that came through a
// proxy.
func OnThisMachine(h http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(hostOf(r)) || forwarded(r.Header) {
			refusal.Answer(w, r, refusal.New(refusal.NotAllowed, "In the demo anyone has any name, so it answers only on this machine, as http://127.0.0.1 or http://localhost, and through no proxy. To serve others set auth.keys."), log)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// UnderNames lets h answer under loopback names, under addresses, which need no DNS, and
// under names. Key is what an operator adds a name to.
func UnderNames(names []string, key string, h http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r)
		_, err := netip.ParseAddr(host)
		own := func(name string) bool { return strings.EqualFold(name, host) }
		if host != "" && err != nil && !loopback(host) && !slices.ContainsFunc(names, own) { // a browser always sends Host
			refusal.Answer(w, r, refusal.New(refusal.NotAllowed, "This server does not answer under this name. Ask it by its address, or add the name to %s.", key), log)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// hostOf is the name or address that the request asks, without its port.
func hostOf(r *http.Request) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.TrimSuffix(strings.Trim(host, "[]"), ".")
}

// loopback tells whether a name means this machine whatever DNS says.
//
// "Name resolution APIs and libraries SHOULD recognize localhost names as special and SHOULD
// always return the IP loopback address"
// https://www.rfc-editor.org/rfc/rfc6761#section-6.3
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	name := strings.ToLower(host)
	return err == nil && a.Unmap().IsLoopback() || name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// forwarded tells whether a proxy has passed a request on.
func forwarded(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "X-Forwarded-") || slices.Contains(proxyHeaders, name) {
			return true
		}
	}
	return false
}

// proxyHeaders are written by proxies and tunnels, in the canonical form of net/http.
var proxyHeaders = []string{
	"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Host",
	"X-Original-Forwarded-For", "Cf-Connecting-Ip", "Cf-Ray", "True-Client-Ip", "Fastly-Client-Ip", "Fly-Client-Ip",
}
