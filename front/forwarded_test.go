package front

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// seen is the RemoteAddr that a handler sees.
func seen(t testing.TB, header string, trusted []string, peer string, headers http.Header) string {
	t.Helper()
	p, err := TrustProxies(trusted, header)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr, r.Header = peer, headers
	var got string
	p.Reveal(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })).ServeHTTP(httptest.NewRecorder(), r)
	if r.RemoteAddr != peer {
		t.Errorf("the request of others was changed to %s", r.RemoteAddr)
	}
	return got
}

func TestOnlyTrustedProxiesNameTheClient(t *testing.T) {
	trusted := []string{"127.0.0.1", "10.0.0.0/8", "2001:db8:f::/48"}
	for _, test := range []struct {
		name, header, peer string
		values             []string
		want               string
	}{
		{"nobody says anything", XForwardedFor, "127.0.0.1:5", nil, "127.0.0.1:5"},
		{"a stranger's header", XForwardedFor, "192.0.2.1:5", []string{"198.51.100.1"}, "192.0.2.1:5"},
		{"one proxy", XForwardedFor, "127.0.0.1:5", []string{"198.51.100.1"}, "198.51.100.1:0"},
		{"what the client put there", XForwardedFor, "127.0.0.1:5", []string{"203.0.113.7, 127.0.0.1, 198.51.100.1"}, "198.51.100.1:0"},
		{"two proxies", XForwardedFor, "127.0.0.1:5", []string{"203.0.113.7, 198.51.100.1, 10.1.2.3"}, "198.51.100.1:0"},
		{"several lines", XForwardedFor, "127.0.0.1:5", []string{"203.0.113.7", "198.51.100.1", "10.1.2.3"}, "198.51.100.1:0"},
		{"all are proxies", XForwardedFor, "127.0.0.1:5", []string{"10.9.9.9, 10.1.2.3"}, "10.9.9.9:0"},
		{"IPv6", XForwardedFor, "[2001:db8:f::1]:5", []string{"2001:db8::7"}, "[2001:db8::7]:0"},
		{"a proxy at an IPv4 address in IPv6", XForwardedFor, "[::ffff:10.0.0.1]:5", []string{"198.51.100.1"}, "198.51.100.1:0"},
		{"a client at an IPv4 address in IPv6", XForwardedFor, "127.0.0.1:5", []string{"::ffff:198.51.100.1"}, "198.51.100.1:0"},
		{"with a port", XForwardedFor, "127.0.0.1:5", []string{"[2001:db8::7]:999"}, "[2001:db8::7]:0"},
		{"nonsense behind a proxy", XForwardedFor, "127.0.0.1:5", []string{"198.51.100.1, unknown, 10.1.2.3"}, "10.1.2.3:0"},
		{"nonsense", XForwardedFor, "127.0.0.1:5", []string{"198.51.100.1, <script>"}, "127.0.0.1:5"},
		{"empty elements", XForwardedFor, "127.0.0.1:5", []string{"198.51.100.1, ,"}, "127.0.0.1:5"},

		{"RFC 7239", StandardForwarded, "127.0.0.1:5", []string{`for=203.0.113.7, for=198.51.100.1;proto=https;by=10.1.1.1`}, "198.51.100.1:0"},
		{"RFC 7239, IPv6", StandardForwarded, "127.0.0.1:5", []string{`For="[2001:db8::7]:47011"`}, "[2001:db8::7]:0"},
		{"RFC 7239, two proxies", StandardForwarded, "127.0.0.1:5", []string{`for=198.51.100.1, proto=http;for="10.1.2.3:80"`}, "198.51.100.1:0"},
		{"RFC 7239, a hidden client", StandardForwarded, "127.0.0.1:5", []string{`for=203.0.113.7, for=_hidden`}, "127.0.0.1:5"},
		{"RFC 7239, no client", StandardForwarded, "127.0.0.1:5", []string{`for=203.0.113.7, proto=https`}, "127.0.0.1:5"},
		{"a quote that the client left open", StandardForwarded, "127.0.0.1:5", []string{`for="203.0.113.7, for=198.51.100.1`}, "198.51.100.1:0"},
		{"the same on a line of its own", StandardForwarded, "127.0.0.1:5", []string{`for="203.0.113.7`, `for="198.51.100.1:5"`}, "198.51.100.1:0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := seen(t, test.header, trusted, test.peer, http.Header{test.header: test.values}); got != test.want {
				t.Errorf("%v from %s: the client is %s, want %s", test.values, test.peer, got, test.want)
			}
		})
	}
}

func TestAHeaderThatTheProxiesDoNotWriteIsTheClients(t *testing.T) {
	both := http.Header{XForwardedFor: {"198.51.100.1"}, StandardForwarded: {"for=203.0.113.7"}}
	if got := seen(t, XForwardedFor, []string{"127.0.0.1"}, "127.0.0.1:5", both); got != "198.51.100.1:0" {
		t.Errorf("with X-Forwarded-For: the client is %s", got)
	}
	if got := seen(t, StandardForwarded, []string{"127.0.0.1"}, "127.0.0.1:5", both); got != "203.0.113.7:0" {
		t.Errorf("with Forwarded: the client is %s", got)
	}
}

func TestProxiesThatCannotBeReadAreErrors(t *testing.T) {
	for _, bad := range []string{"proxy.example", "10.0.0.1/8", "", "10.0.0.0/99"} {
		if _, err := TrustProxies([]string{bad}, XForwardedFor); err == nil || !strings.HasPrefix(err.Error(), "trusted_proxies: ") {
			t.Errorf("%q: got %v, want an error that names trusted_proxies", bad, err)
		}
	}
	if _, err := TrustProxies(nil, "X-Real-IP"); err == nil || !strings.HasPrefix(err.Error(), "forwarded_header: ") {
		t.Errorf("another header: got %v, want an error that names forwarded_header", err)
	}
}

// Whatever a client sends, it is found where the proxy has seen it.
func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"", "198.51.100.1", `for="`, `\"`, `,,,"`, "10.0.0.1, 127.0.0.1"} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, sent string, otherLine bool) {
		for header, word := range map[string]string{XForwardedFor: "198.51.100.1", StandardForwarded: `for="198.51.100.1:5"`} {
			values := []string{sent + ", " + word}
			if otherLine {
				values = []string{sent, word}
			}
			if got := seen(t, header, []string{"127.0.0.1", "10.0.0.0/8"}, "127.0.0.1:5", http.Header{header: values}); got != "198.51.100.1:0" {
				t.Errorf("%s %q: the client is %s", header, values, got)
			}
		}
	})
}
