package front

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// A name that a browser takes for another machine is never taken for this one.
func FuzzHost(f *testing.F) {
	for _, host := range []string{"localhost", "127.0.0.1:80", "[::1]:80", "[::1]", "localhost.", "a.localhost", "localhost.evil.example", "127.0.0.1.evil.example", "0x7f000001", "LOCALHOST:1", ""} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if !loopback(hostOf(&http.Request{Host: host})) {
			return
		}
		u, err := url.Parse("http://" + host + "/")
		if err != nil || u.User != nil || u.Path != "/" || u.RawQuery != "" {
			return // no browser writes that into Host
		}
		name := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
		a, err := netip.ParseAddr(name)
		if (err != nil || !a.Unmap().IsLoopback()) && name != "localhost" && !strings.HasSuffix(name, ".localhost") {
			t.Errorf("%q is taken for this machine", host)
		}
	})
}
