package preview

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxLink = 2048 // bytes of an address; browsers and servers take not much more
	maxHost = 253  // https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
)

// outside are the characters at which a link in a text ends. A bidi control is one of them: a link
// with one inside would show another address than it leads to. The popup's linkify has the same.
const outside = `\s\x{0B}\x{85}\p{Z}\x{FEFF}<>"'\x{61C}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2066}-\x{2069}`

var linkPattern = regexp.MustCompile(`(?i)\bhttps?://[^` + outside + `]+|\bwww\.[^` + outside + `]+\.[^` + outside + `]+`)

// FirstLink returns the first address of the web in a text, as somebody who reads the text can open
// it in the popup; empty: there is none. It need not be one of which there can be a preview.
func FirstLink(text string) string {
	for from := 0; ; {
		at := linkPattern.FindStringIndex(text[from:])
		if at == nil {
			return ""
		}
		start, end := from+at[0], from+at[1]
		from = end
		if inMailAddress(text[:start]) {
			continue
		}
		link := trimmed(text[start:end])
		if !strings.HasPrefix(strings.ToLower(link), "http") {
			link = "https://" + link
		}
		_, rest, _ := strings.Cut(link, "://")
		authority := rest[:strings.IndexAny(rest+"/", `/\?#`)]
		// What stands before an @ there looks like the host and is none.
		if authority != "" && !strings.Contains(authority, "@") {
			return link
		}
	}
}

// inMailAddress reports whether what follows a text is the end of an address for mail in it.
func inMailAddress(before string) bool {
	mail := func(r rune) bool {
		return r == '@' || r == '.' || r == '+' || r == '-' || r == '_' || r < utf8.RuneSelf && (isLetter(byte(r)) || isDigit(byte(r)))
	}
	run := before[strings.LastIndexFunc(before, func(r rune) bool { return !mail(r) })+1:]
	return strings.Contains(run, "@")
}

// trimmed leaves out the punctuation after a link, which belongs to the sentence, as does a bracket
// that the link did not open.
func trimmed(link string) string {
	opens := map[byte]byte{')': '(', ']': '[', '}': '{'}
	many := map[byte]int{}
	for _, c := range []byte(link) {
		if strings.IndexByte("()[]{}", c) >= 0 {
			many[c]++
		}
	}
	for link != "" {
		last := link[len(link)-1]
		switch open, closes := opens[last]; {
		case closes && many[last] > many[open]:
			many[last]--
			link = link[:len(link)-1]
		case strings.IndexByte(".,:;!?", last) >= 0:
			link = link[:len(link)-1]
		case strings.HasSuffix(link, "…"):
			link = strings.TrimSuffix(link, "…")
		default:
			return link
		}
	}
	return ""
}

var (
	errNoLink   = errors.New("is no address of the web")
	errUserinfo = errors.New("names a user or a password")
	errHost     = errors.New("its host is neither a full name nor an address in its usual form")
)

// hosts maps the names of hosts as browsers do, so that a name of full-width digits is found to be
// an address. What is not allowed in one is refused by asciiHost.
var hosts = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false))

// parseLink reads an absolute address of the web, without its fragment, which servers are not told.
// Its host is in its one usual form: an IP address as netip writes it, or a name of two or more labels in ASCII
// and lower case. Numbers and names that some resolver reads as an address are refused.
func parseLink(raw string) (*url.URL, error) {
	if len(raw) > maxLink || !utf8.ValidString(raw) || strings.ContainsRune(raw, '\\') {
		return nil, errNoLink
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Host == "" {
		return nil, errNoLink
	}
	switch u.Scheme = strings.ToLower(u.Scheme); {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errNoLink
	case u.User != nil:
		return nil, errUserinfo
	}
	host, err := usualHost(u.Hostname(), strings.HasPrefix(u.Host, "["))
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(cmp.Or(u.Port(), portOf(u.Scheme)), 10, 16)
	if err != nil {
		return nil, errNoLink
	}
	if u.Host = host; fmt.Sprint(port) != portOf(u.Scheme) {
		u.Host += fmt.Sprintf(":%d", port)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

func portOf(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// usualHost returns the usual form of a host: an address of IPv6 in brackets.
func usualHost(host string, brackets bool) (string, error) {
	if brackets {
		a, err := netip.ParseAddr(host)
		if err != nil || a.Zone() != "" || a.Is4() {
			return "", errHost
		}
		return "[" + a.String() + "]", nil
	}
	name, err := hosts.ToASCII(host)
	if err != nil {
		return "", errHost
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	labels := strings.Split(name, ".")
	if isNumber(labels[len(labels)-1]) {
		// The last label of a name is no number, so this is an address, or what some library
		// takes for one: 0x7f.1, 017700000001, 2130706433.
		// https://url.spec.whatwg.org/#ends-in-a-number-checker
		a, err := netip.ParseAddr(name)
		if err != nil || !a.Is4() {
			return "", errHost
		}
		return a.String(), nil
	}
	if len(labels) < 2 || len(name) > maxHost || slices.ContainsFunc(labels, func(l string) bool { return !isLabel(l) }) {
		return "", errHost
	}
	return name, nil
}

func isNumber(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

func isLabel(label string) bool {
	if label == "" || len(label) > 63 {
		return false
	}
	for _, c := range []byte(label) {
		if !isLetter(c) && !isDigit(c) && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
