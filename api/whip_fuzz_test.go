package api

import (
	"net/http"
	"strings"
	"testing"

	"carillon/auth"
	"carillon/wire"
)

// An ICE restart puts two values of a fragment into the offer of before. Nothing else of
// the offer changes.
func FuzzFragment(f *testing.F) {
	const offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:old\r\na=ice-pwd:older\r\n"
	f.Add(offer, "a=ice-ufrag:new\r\na=ice-pwd:newer\r\n")
	f.Add(" a=ice-ufrag: x\r\n\na=ice-ufrag:y", "a=ice-ufrag:\r\n")
	f.Add(offer, "a=ice-ufrag:a\rb\x00\r\na=ice-pwd:\u2028")
	f.Fuzz(func(t *testing.T, offer, fragment string) {
		ufrag := attribute(fragment, "ice-ufrag")
		if strings.Contains(ufrag, "\n") {
			t.Fatalf("%q is more than a line", ufrag)
		}
		changed := withAttribute(offer, "ice-ufrag", ufrag)
		if before, after := strings.Count(offer, "\n"), strings.Count(changed, "\n"); after < before || after > before+1 {
			t.Errorf("%d lines became %d:\n%q", before, after, changed)
		}
		if attribute(offer, "ice-ufrag") != "" && attribute(changed, "ice-ufrag") != ufrag {
			t.Errorf("the offer has %q, want %q:\n%q", attribute(changed, "ice-ufrag"), ufrag, changed)
		}
		if withAttribute(changed, "ice-ufrag", ufrag) != changed {
			t.Errorf("a second time it changes again: %q", changed)
		}
		for line := range strings.Lines(fragmentOf(offer)) {
			if !strings.HasPrefix(line, "a=") || !strings.Contains(offer, strings.TrimSpace(line)) {
				t.Errorf("our side has the line %q, which is not of the answer", line)
			}
		}
	})
}

// What a user is called cannot end a header, or the parameter of a link.
func FuzzLink(f *testing.F) {
	f.Add("alice")
	f.Add(`a"; rel="x`)
	f.Add(`a\`)
	f.Fuzz(func(t *testing.T, user string) {
		if !auth.ValidUser(user) {
			return // there is no such user
		}
		header := http.Header{}
		linkServers(header, []wire.ICEServer{{URLs: []string{"turn:127.0.0.1:3478"}, Username: "1760000000:" + user, Credential: "c2VjcmV0"}})
		link := header.Get("Link")
		if strings.ContainsAny(link, "\r\n\x00") {
			t.Fatalf("%q ends the header", link)
		}
		_, rest, _ := strings.Cut(link, `username="`)
		var name strings.Builder
		for i := 0; i < len(rest) && rest[i] != '"'; i++ {
			if rest[i] == '\\' {
				i++ // a quoted pair: RFC 9110, section 5.6.4
			}
			name.WriteByte(rest[i])
		}
		if name.String() != "1760000000:"+user {
			t.Errorf("%q is read as %q in %q", user, name.String(), link)
		}
	})
}
