package doctor

import (
	"fmt"
	"net/netip"
	"strings"
)

// checkAddresses compares where callers find the page with where they are told to send
// sound and picture.
func checkAddresses(s Subject, m machine) Finding {
	const check = "addresses"
	bound, err1 := netip.ParseAddrPort(s.Media.Listen)
	site, err2 := netip.ParseAddrPort(s.HTTP.Listen)
	if err1 != nil || err2 != nil {
		return skipped(check, "media.listen or http.listen is not an address")
	}
	visitors := m.furthest(site.Addr())
	var told []string
	media := reachSelf
	for _, text := range s.Media.Advertise {
		a, err := netip.ParseAddr(text)
		if err != nil || a.IsUnspecified() {
			return Finding{
				check, StatusProblem, fmt.Sprintf("media.advertise: %q is no address that callers could send to", text),
				"no sound and no picture in any call", "set media.advertise to the IP addresses under which callers reach this machine",
			}
		}
		told, media = append(told, text), max(media, reachOf(a))
	}
	if len(told) == 0 {
		media = m.furthest(bound.Addr())
		told = []string{bound.Addr().String()}
		if bound.Addr().IsUnspecified() {
			told = m.shown()
		}
	}
	list := strings.Join(told, ", ")
	switch {
	case len(s.Media.Advertise) > 0 && media > reachSelf && bound.Addr().IsLoopback():
		return Finding{
			check, StatusProblem, fmt.Sprintf("callers are told to send media to %s, but media.listen is %s, where only this machine gets through", list, s.Media.Listen),
			"calls ring and are answered, then stay without sound and picture", fmt.Sprintf("set media.listen to 0.0.0.0:%d", bound.Port()),
		}
	case visitors > reachSelf && media == reachSelf:
		return Finding{
			check, StatusProblem, fmt.Sprintf("the page can be reached from %s, but media only at %s", visitors, list),
			"calls ring and are answered, then stay without sound and picture",
			fmt.Sprintf("set media.listen to 0.0.0.0:%d, and media.advertise if this machine is behind NAT", bound.Port()),
		}
	case visitors == reachPublic && media == reachLocal:
		return Finding{
			check, StatusProblem, fmt.Sprintf("the page can be reached from the Internet, but callers are told to send media to %s, which is private", list),
			"whoever is not in the same network stays without sound and picture, unless a relay helps",
			"set media.advertise to the public address of this machine, and let UDP and TCP port " + fmt.Sprint(bound.Port()) + " through to it",
		}
	case visitors == reachLocal && media == reachLocal && bound.Addr().IsUnspecified() && len(s.Media.Advertise) == 0:
		return Finding{
			check, StatusWarning, fmt.Sprintf("media.listen is a wildcard without media.advertise, and this machine has private addresses only: callers are told %s", list),
			"callers in the same network are fine; those who come through a NAT or a port forwarding stay without sound and picture",
			"if callers come from the Internet, set media.advertise to the public address",
		}
	}
	return ok(check, "media is told to callers as %s (reach: %s), the page listens on %s (reach: %s)", list, media, s.HTTP.Listen, visitors)
}
