package preview

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
)

// The popup offers a preview of the same link before a message is sent; web/popup/linkify.test.ts reads
// the same file.
func TestTheFirstLinkIsTheOneThatThePopupShows(t *testing.T) {
	text, err := os.ReadFile("testdata/links.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct{ Text, Href string }
	if err := json.Unmarshal(text, &rows); err != nil || len(rows) < 20 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		raw, got := FirstLink(row.Text), ""
		if link, err := parseLink(raw); err == nil {
			got = withFragment(link, raw)
		}
		if got != row.Href {
			t.Errorf("%q: got %q (%q), want %q", row.Text, got, raw, row.Href)
		}
	}
}

func TestALinkHasOneForm(t *testing.T) {
	for given, want := range map[string]string{
		"HTTP://Shop.Example":               "http://shop.example/",
		"http://shop.example.:80/a?b#c":     "http://shop.example/a?b",
		"https://shop.example:80/":          "https://shop.example:80/",
		"http://ｓｈｏｐ.example/":              "http://shop.example/",
		"http://shop。example/":              "http://shop.example/",
		"http://８.８.８.８/":                   "http://8.8.8.8/",
		"http://[2606:4700:0::6810:1]:443/": "http://[2606:4700::6810:1]:443/",
		"http://foo_bar.example/":           "http://foo_bar.example/",
	} {
		u, err := parseLink(given)
		if err != nil || u.String() != want {
			t.Errorf("%s: got %v, %v, want %s", given, u, err, want)
		}
	}
}

// Whatever some library takes for an address, or what is not what it seems, is refused before anybody
// is asked for it.
func TestWhatIsNoLinkIsRefused(t *testing.T) {
	for _, given := range []string{
		"", "shop.example", "//shop.example/", "ftp://shop.example/", "file:///etc/passwd", "gopher://shop.example:70/", "javascript:alert(1)",
		"http:shop.example", "http:///", "http://", "http://:80/", "http://user@shop.example/", "http://user:pw@shop.example/", "http://@shop.example/",
		"http://shop.example\\@evil.example/", "http://shop.example\\.evil.example/", "http://shop.example/\x00", "http://shop.example/\n", "http://sh op.example/",
		"http://shop.example:99999/", "http://shop.example:port/", "http://shop..example/", "http://shop.example../", "http://.example/", "http://-/",
		"http://localhost/", "http://localhost./", "http://wiki/", "http://127.1/", "http://127.0.1/", "http://2130706433/", "http://0x7f000001/",
		"http://0x7f.1/", "http://0x7F.0x0.0x0.0x1/", "http://017700000001/", "http://0177.0.0.1/", "http://127.0.0.01/", "http://00127.0.0.1/", "http://0/",
		"http://0x/", "http://0x7f.0.0.1./", "http://256.1.1.1/", "http://1.2.3.4.5/", "http://127.0.0.1.0x7f/", "http://shop.example.1/", "http://①②⑦.1/",
		"http://１２７.１/", "http://127。1/", "http://[::1%25lo]/", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[127.0.0.1]/", "http://[::1/", "http://::1/",
		"http://%31%32%37.0.0.1/", "http://127%2e0%2e0%2e1/", "http://shop.example%00.evil.example/", "http://" + strings.Repeat("a", 64) + ".example/",
		"http://" + strings.Repeat("abcdefgh.", 40) + "example/", "http://shop.example/" + strings.Repeat("a", 2048), "http://shop\u00ad.e\u202example/",
	} {
		if u, err := parseLink(given); err == nil {
			t.Errorf("%q is read as %s", given, u)
		}
	}
}

// Far longer than a message may be, so that time which grows with the square of the length ends the test.
func TestALongLinkIsReadAtOnce(t *testing.T) {
	const long = 1 << 17
	for _, row := range [][3]string{
		{"https://x.example/", "(", ""}, {"https://x.example/", ")", ""}, {"https://x.example/", ".", ""}, {"https://x.example/", "(.", ")"},
		{"", "www.", ""}, {"", "www.@", ""}, {"", "https://", ""}, {"", "https://@ ", ""}, {"a@", "b.", "www.x.example"}, {"", "a@www.b.c ", ""},
	} {
		text := row[0] + strings.Repeat(row[1], long/len(row[1])) + row[2]
		if link := FirstLink(text); len(link) > len("https://")+len(text) {
			t.Errorf("%q…: got %d bytes", row[1], len(link))
		}
	}
}

func FuzzLink(f *testing.F) {
	for _, seed := range []string{
		"https://shop.example/a?b=c#d", "http://0x7f.1/", "http://[::ffff:127.0.0.1]:80/", "http://user@shop.example", "www.shop.example.", "http://１２７.0.0.1/",
		"bob@www.shop.example https://a.example\\@b.example", "http://xn--mnchen-3ya.example:8080/%2e%2e/", "(www.a.b).", "http://a.example/?#?#",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, raw := range []string{text, FirstLink(text)} {
			u, err := parseLink(raw)
			if err != nil {
				continue
			}
			again, err := parseLink(u.String())
			if err != nil || again.String() != u.String() {
				t.Errorf("%q is %s, and that is %v, %v", raw, u, again, err)
			}
			// What others read of it is what was checked.
			other, err := url.Parse(u.String())
			if err != nil || other.Host != u.Host || other.User != nil || other.Fragment != "" || other.Scheme != "http" && other.Scheme != "https" {
				t.Errorf("%q is read by others as %+v, %v", raw, other, err)
			}
			host := u.Hostname()
			if a, err := netip.ParseAddr(host); err == nil {
				if a.Zone() != "" {
					t.Errorf("%q has a zone", raw)
				}
				continue
			}
			labels := strings.Split(host, ".")
			if len(labels) < 2 || isNumber(labels[len(labels)-1]) || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
				t.Errorf("%q has host %q", raw, host)
			}
		}
	})
}
