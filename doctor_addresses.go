package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"carillon/config"
)

// machine is what this host knows of its own addresses.
type machine struct{ addresses []netip.Addr }

func machineFacts() machine {
	var m machine
	found, _ := net.InterfaceAddrs() // without them only literal addresses are judged
	for _, a := range found {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			m.addresses = append(m.addresses, p.Addr().Unmap())
		}
	}
	return m
}

// owns reports whether packets for an address stay on this machine.
func (m machine) owns(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains(m.addresses, a.Unmap())
}

// reach is from how far an address can be reached.
type reach int

const (
	reachSelf   reach = iota // this machine only
	reachLocal               // the same private network
	reachPublic              // anyone
)

func (r reach) String() string {
	return [...]string{"this machine only", "its own network only", "the Internet"}[r]
}

var carrierNAT = netip.MustParsePrefix("100.64.0.0/10")

func reachOf(a netip.Addr) reach {
	a = a.Unmap()
	switch {
	case a.IsLoopback():
		return reachSelf
	case a.IsPrivate(), a.IsLinkLocalUnicast(), carrierNAT.Contains(a):
		return reachLocal
	}
	return reachPublic
}

// furthest is from how far a listener can be reached, the addresses of interfaces given.
func (m machine) furthest(bound netip.Addr) reach {
	if !bound.IsUnspecified() {
		return reachOf(bound)
	}
	r := reachSelf
	for _, a := range m.addresses {
		if !a.IsLinkLocalUnicast() {
			r = max(r, reachOf(a))
		}
	}
	return r
}

// checkAddresses compares where callers find the page with where they are told to send
// sound and picture.
func checkAddresses(c config.Config, m machine) finding {
	const check = "addresses"
	bound, err1 := netip.ParseAddrPort(c.Media.Listen)
	site, err2 := netip.ParseAddrPort(c.HTTP.Listen)
	if err1 != nil || err2 != nil {
		return skipped(check, "media.listen or http.listen is not an address")
	}
	visitors := m.furthest(site.Addr())
	var told []string
	media := reachSelf
	for _, text := range c.Media.Advertise {
		a, err := netip.ParseAddr(text)
		if err != nil || a.IsUnspecified() {
			return finding{
				check, statusProblem, fmt.Sprintf("media.advertise: %q is no address that callers could send to", text),
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
	case len(c.Media.Advertise) > 0 && media > reachSelf && bound.Addr().IsLoopback():
		return finding{
			check, statusProblem, fmt.Sprintf("callers are told to send media to %s, but media.listen is %s, where only this machine gets through", list, c.Media.Listen),
			"calls ring and are answered, then stay without sound and picture", fmt.Sprintf("set media.listen to 0.0.0.0:%d", bound.Port()),
		}
	case visitors > reachSelf && media == reachSelf:
		return finding{
			check, statusProblem, fmt.Sprintf("the page can be reached from %s, but media only at %s", visitors, list),
			"calls ring and are answered, then stay without sound and picture",
			fmt.Sprintf("set media.listen to 0.0.0.0:%d, and media.advertise if this machine is behind NAT", bound.Port()),
		}
	case visitors == reachPublic && media == reachLocal:
		return finding{
			check, statusProblem, fmt.Sprintf("the page can be reached from the Internet, but callers are told to send media to %s, which is private", list),
			"whoever is not in the same network stays without sound and picture, unless a relay helps",
			"set media.advertise to the public address of this machine, and let UDP and TCP port " + fmt.Sprint(bound.Port()) + " through to it",
		}
	case visitors == reachLocal && media == reachLocal && bound.Addr().IsUnspecified() && len(c.Media.Advertise) == 0:
		return finding{
			check, statusWarning, fmt.Sprintf("media.listen is a wildcard without media.advertise, and this machine has private addresses only: callers are told %s", list),
			"callers in the same network are fine; those who come through a NAT or a port forwarding stay without sound and picture",
			"if callers come from the Internet, set media.advertise to the public address",
		}
	}
	return ok(check, "media is told to callers as %s (reach: %s), the page listens on %s (reach: %s)", list, media, c.HTTP.Listen, visitors)
}

// shown are the addresses that a wildcard stands for, as the SFU tells them. Go binds both
// families for 0.0.0.0 too.
func (m machine) shown() (list []string) {
	for _, a := range m.addresses {
		if !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			list = append(list, a.String())
		}
	}
	return list
}
