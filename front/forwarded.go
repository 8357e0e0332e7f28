package front

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"carillon/settings"
)

// The headers in which proxies name the client.
const (
	// XForwardedFor is a list of addresses; each proxy appends the one it got the request from.
	XForwardedFor = "X-Forwarded-For"
	// StandardForwarded is the same in the syntax of RFC 7239.
	StandardForwarded = "Forwarded"
)

// Proxies are those whose word about where a request came from is taken. A header that
// nobody trusted has written, and whatever stands in it before the word of a trusted proxy,
// counts for nothing: the client itself may have sent it.
type Proxies struct {
	trusted []netip.Prefix
	header  string
}

// TrustProxies takes addresses and CIDRs, and the one header that they write. Another one
// is not looked at, because a proxy passes on what it does not know, and it would be the
// client's.
func TrustProxies(addresses []string, header string) (Proxies, error) {
	if header != XForwardedFor && header != StandardForwarded {
		return Proxies{}, fmt.Errorf("forwarded_header: %q is neither %s nor %s", header, XForwardedFor, StandardForwarded)
	}
	trusted, err := settings.Prefixes("trusted_proxies", addresses)
	return Proxies{trusted: trusted, header: header}, err
}

// Reveal calls h with requests whose RemoteAddr is the address of the real client. The port
// is 0 when a proxy has told the address.
func (p Proxies) Reveal(h http.Handler) http.Handler {
	if len(p.trusted) == 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if client, ok := p.client(r); ok {
			revealed := *r
			revealed.RemoteAddr = netip.AddrPortFrom(client, 0).String()
			r = &revealed
		}
		h.ServeHTTP(w, r)
	})
}

// client reads the header from its right end: each trusted proxy names who came to it, and
// the first who is not trusted is the client. False: no proxy has named anybody.
func (p Proxies) client(r *http.Request) (client netip.Addr, told bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return client, false
	}
	client = peer.Addr()
	list := strings.Join(r.Header.Values(p.header), ",")
	for list != "" && p.Trust(client) {
		var last string
		list, last = cutLast(list)
		named, ok := p.address(last)
		if !ok {
			break // "unknown", or hidden: what stands before it is nobody's word
		}
		client, told = named, true
	}
	return client, told
}

// Trust reports whether an address is that of a trusted proxy.
func (p Proxies) Trust(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(p.trusted, func(t netip.Prefix) bool { return t.Contains(a) })
}

// cutLast cuts the last element off a list with commas. It reads backwards, because what
// stands before the last element may have been made to confuse: a quote that never ends.
func cutLast(list string) (rest, last string) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch list[i] {
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				return list[:i], list[i+1:]
			}
		}
	}
	return "", list
}

// address reads one element of the header.
func (p Proxies) address(element string) (netip.Addr, bool) {
	if p.header == XForwardedFor {
		return parseNode(strings.TrimSpace(element))
	}
	for pair := range strings.SplitSeq(element, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if strings.EqualFold(name, "for") {
			return parseNode(strings.Trim(value, `"`))
		}
	}
	return netip.Addr{}, false
}

// parseNode reads an address, with or without a port, IPv6 with or without brackets.
func parseNode(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		var withPort netip.AddrPort
		withPort, err = netip.ParseAddrPort(text)
		a = withPort.Addr()
	}
	return a.Unmap().WithZone(""), err == nil
}
