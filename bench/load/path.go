package load

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
)

// Path is a way from a peer to the server's media address: UDP, TCP or TURN.
type Path interface {
	String() string
	// choose returns the candidates that the path can use, best first.
	choose([]candidate) []candidate
	open(ctx context.Context, s *sockets, server netip.AddrPort, receive receiver) (transport, error)
}

// UDP sends straight to the server.
type UDP struct{}

func (UDP) String() string                     { return "UDP" }
func (UDP) choose(all []candidate) []candidate { return inOrder(all, false) }
func (UDP) open(_ context.Context, s *sockets, server netip.AddrPort, r receiver) (transport, error) {
	return s.open(server, r)
}

// inOrder returns up to four candidates of UDP or of TCP: loopback first, then IPv4, then the rest.
func inOrder(all []candidate, tcp bool) []candidate {
	some := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool {
		a := c.address.Addr()
		return c.tcp != tcp || a.IsLinkLocalUnicast() || a.IsUnspecified()
	})
	rank := func(c candidate) int {
		switch {
		case c.address.Addr().IsLoopback() && c.address.Addr().Is4():
			return 0
		case c.address.Addr().Is4():
			return 1
		}
		return 2
	}
	slices.SortStableFunc(some, func(a, b candidate) int { return cmp.Compare(rank(a), rank(b)) })
	return some[:min(len(some), 4)]
}
