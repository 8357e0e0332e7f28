package turn

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"carillon/inet"
	"carillon/settings"
)

// listenAddress is one parsed address of udp, tcp or tls.
type listenAddress struct {
	transport string // "udp", "tcp" or "tls"
	address   netip.AddrPort
}

// relayAddress is an address of relays: as clients are told, and as it is bound here.
type relayAddress struct{ advertised, bound netip.Addr }

// facts is what check has parsed and found out.
type facts struct {
	listens []listenAddress
	relays  []relayAddress
	low     uint16
	high    uint16
	// loopback is true when nobody outside this machine can reach us.
	loopback bool
}

// check parses a filled Config.
func (c Config) check() (facts, error) {
	f := facts{loopback: true}
	// Where a number below zero means no limit it is allowed.
	if err := settings.NonNegative(c, "quota", "limits.connections", "limits.connections_per_address", "limits.silent", "limits.silent_per_address",
		"limits.answers_per_address", "limits.answers", "limits.requests_per_relay"); err != nil {
		return f, err
	}
	for _, l := range []struct {
		transport string
		addresses []string
	}{{"udp", c.UDP}, {"tcp", c.TCP}, {"tls", c.TLS}} {
		for _, text := range l.addresses {
			a, err := netip.ParseAddrPort(text)
			if err != nil {
				return f, fmt.Errorf("%s: %q is not ADDRESS:PORT, such as 127.0.0.1:3478 or [::]:3478", l.transport, text)
			}
			f.listens = append(f.listens, listenAddress{l.transport, netip.AddrPortFrom(a.Addr().Unmap(), a.Port())})
			f.loopback = f.loopback && a.Addr().IsLoopback()
		}
	}
	for _, text := range c.RelayAddresses {
		advertised, bound, found := strings.Cut(text, "/")
		if !found {
			bound = advertised
		}
		s, err1 := netip.ParseAddr(advertised)
		b, err2 := netip.ParseAddr(bound)
		if err := errors.Join(err1, err2); err != nil || s.Unmap().Is4() != b.Unmap().Is4() || s.IsUnspecified() || b.IsUnspecified() {
			return f, fmt.Errorf("relay_addresses: %q is neither ADDRESS nor PUBLIC/LOCAL of one family, such as 203.0.113.5 or 203.0.113.5/10.0.0.5", text)
		}
		f.relays = append(f.relays, relayAddress{s.Unmap(), b.Unmap()})
		f.loopback = f.loopback && s.IsLoopback()
	}
	if len(f.relays) == 0 {
		f.relays = defaultRelays(f.listens)
	}
	if len(c.RelayPorts) != 2 || c.RelayPorts[0] < 1 || c.RelayPorts[1] > 65535 || c.RelayPorts[0] > c.RelayPorts[1] {
		return f, fmt.Errorf("relay_ports: %v is not [LOWEST, HIGHEST], such as [49152, 65535]", c.RelayPorts)
	}
	f.low, f.high = uint16(c.RelayPorts[0]), uint16(c.RelayPorts[1])
	if slices.Contains(c.Secrets, "") {
		return f, errors.New("secrets: an empty secret would let everyone in; remove it or set it")
	}
	for name, password := range c.Users {
		if name == "" || password == "" {
			return f, fmt.Errorf("users: user %q needs a name and a password", name)
		}
	}
	if _, err := newPolicy(c, f, nil); err != nil {
		return f, err
	}
	return f, nil
}

// defaultRelays puts relays on the addresses that listen; a wildcard stands for this
// machine's own first public address, or its first private one.
func defaultRelays(listens []listenAddress) []relayAddress {
	var list []relayAddress
	add := func(a netip.Addr) {
		same := func(r relayAddress) bool { return r.advertised.Is4() == a.Is4() }
		if a.IsValid() && !slices.ContainsFunc(list, same) {
			list = append(list, relayAddress{a, a})
		}
	}
	for _, l := range listens {
		if a := l.address.Addr(); !a.IsUnspecified() {
			add(a)
			continue
		}
		four, six := defaultAddresses()
		add(four)
		if l.address.Addr().Is6() {
			add(six)
		}
	}
	return list
}

func defaultAddresses() (four, six netip.Addr) {
	better := func(old, a netip.Addr) bool {
		return !old.IsValid() || inet.NotPublic(old) != "" && inet.NotPublic(a) == ""
	}
	for _, a := range inet.Interfaces() {
		switch {
		case a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast():
		case a.Is4() && better(four, a):
			four = a
		case a.Is6() && better(six, a):
			six = a
		}
	}
	if !four.IsValid() {
		four = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return four, six
}
