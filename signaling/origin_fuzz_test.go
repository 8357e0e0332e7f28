package signaling

import (
	"net/url"
	"strings"
	"testing"
)

// Without a list only the pages of the very host are allowed, and of a list only what it says.
func FuzzOrigin(f *testing.F) {
	f.Add("https://shop.example", "shop.example")
	f.Add("https://shop.example.evil.example", "shop.example")
	f.Add("https://evil.example#shop.example", "shop.example")
	f.Add("null", "")
	f.Fuzz(func(t *testing.T, origin, host string) {
		if originAllowed(origin, host, []string{"https://listed.example"}) && origin != "" && origin != "https://listed.example" {
			u, err := url.Parse(origin)
			if err != nil || u.Host != host || host == "" || !strings.Contains(origin, "//") {
				t.Errorf("the origin %q is taken for one of %q", origin, host)
			}
		}
		if !originAllowed(origin, host, []string{"*"}) {
			t.Errorf("%q is refused where any may come", origin)
		}
	})
}
