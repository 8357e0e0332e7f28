package doctor

import (
	"fmt"
	"net/netip"
	"strings"
)

// addressFacts is where callers find the page, and where they are told to send media.
type addressFacts struct {
	site       string // http.listen
	visitors   reach  // from where the page can be reached
	bound      netip.AddrPort
	told       []string // addresses, as callers are told
	media      reach    // from where they can be reached
	advertised bool     // told is media.advertise
}

// checkAddresses compares where callers find the page with where they are told to send
// sound and picture.
func checkAddresses(s Subject, m machine) Finding {
	const check = "addresses"
	bound, err1 := netip.ParseAddrPort(s.Media.Listen)
	site, err2 := netip.ParseAddrPort(s.HTTP.Listen)
	if err1 != nil || err2 != nil {
		return skipped(check, "media.listen or http.listen is not an address")
	}
	f := addressFacts{site: s.HTTP.Listen, visitors: m.furthest(site.Addr()), bound: bound, advertised: len(s.Media.Advertise) > 0}
	for _, text := range s.Media.Advertise {
		a, err := netip.ParseAddr(text)
		if err != nil || a.IsUnspecified() {
			return Finding{
				check, StatusProblem, fmt.Sprintf("media.advertise: %q is no address that callers could send to", text),
				"no sound and no picture in any call", "set media.advertise to the IP addresses under which callers reach this machine",
			}
		}
		f.told, f.media = append(f.told, text), max(f.media, reachOf(a))
	}
	if !f.advertised {
		f.media = m.furthest(bound.Addr())
		f.told = []string{bound.Addr().String()}
		if bound.Addr().IsUnspecified() {
			f.told = m.shown()
		}
	}
	return f.judge(check)
}

func (f addressFacts) judge(check string) Finding {
	list := strings.Join(f.told, ", ")
	switch {
	case f.advertised && f.media > reachSelf && f.bound.Addr().IsLoopback():
		return Finding{
			check, StatusProblem, fmt.Sprintf("callers are told to send media to %s, but media.listen is %s, where only this machine gets through", list, f.bound),
			"calls ring and are answered, then stay without sound and picture", fmt.Sprintf("set media.listen to 0.0.0.0:%d", f.bound.Port()),
		}
	case f.visitors > reachSelf && f.media == reachSelf:
		return Finding{
			check, StatusProblem, fmt.Sprintf("the page can be reached from %s, but media only at %s", f.visitors, list),
			"calls ring and are answered, then stay without sound and picture",
			fmt.Sprintf("set media.listen to 0.0.0.0:%d, and media.advertise if this machine is behind NAT", f.bound.Port()),
		}
	case f.visitors == reachPublic && f.media == reachLocal:
		return Finding{
			check, StatusProblem, fmt.Sprintf("the page can be reached from the Internet, but callers are told to send media to %s, which is private", list),
			"whoever is not in the same network stays without sound and picture, unless a relay helps",
			fmt.Sprintf("set media.advertise to the public address of this machine, and let UDP and TCP port %d through to it", f.bound.Port()),
		}
	case f.visitors == reachLocal && f.media == reachLocal && f.bound.Addr().IsUnspecified() && !f.advertised:
		return Finding{
			check, StatusWarning, fmt.Sprintf("media.listen is a wildcard without media.advertise, and this machine has private addresses only: callers are told %s", list),
			"callers in the same network are fine; those who come through a NAT or a port forwarding stay without sound and picture",
			"if callers come from the Internet, set media.advertise to the public address",
		}
	}
	return ok(check, "media is told to callers as %s (reach: %s), the page listens on %s (reach: %s)", list, f.media, f.site, f.visitors)
}
