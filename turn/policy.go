package turn

import (
	"fmt"
	"net/netip"
	"slices"

	"carillon/inet"
	"carillon/settings"
)

// The policies of [turn.peers].
const (
	PolicyOwnSFU = "own-sfu"
	PolicyPublic = "public"
	PolicyCustom = "custom"
)

// Verdict is what the rules say about one peer address.
type Verdict struct {
	// Allowed is false if no packet may go there.
	Allowed bool
	// SomePorts is true if only the media port of our SFU and live relays may be reached there.
	SomePorts bool
	// Rule decided, in words for an operator.
	Rule string
}

// policy decides which peers may be reached. It does not change, except that own sees new
// addresses of the machine.
type policy struct {
	name        string
	allow, deny []netip.Prefix
	loopback    bool
	relays      []relayAddress
	media       []Media
	own         func(netip.Addr) bool // an address of this machine
}

// newPolicy fails on a rule that cannot be read, so that a mistyped one never opens anything.
func newPolicy(c Config, f facts, own func(netip.Addr) bool) (*policy, error) {
	p := &policy{name: c.Peers.Policy, loopback: f.loopback, relays: f.relays, own: own, media: c.Media}
	if !slices.Contains([]string{PolicyOwnSFU, PolicyPublic, PolicyCustom}, p.name) {
		return nil, fmt.Errorf("peers.policy: %q is none of own-sfu, public, custom", p.name)
	}
	var err error
	if p.allow, err = settings.Prefixes("peers.allow", c.Peers.Allow); err != nil {
		return nil, err
	}
	p.deny, err = settings.Prefixes("peers.deny", c.Peers.Deny)
	return p, err
}

// CheckPeer says what a server with this Config would do with packets for a peer.
func CheckPeer(c Config, peer netip.Addr) (Verdict, error) {
	c = c.filled()
	f, err := c.check()
	if err != nil {
		return Verdict{}, fmt.Errorf("turn.%w", err)
	}
	p, err := newPolicy(c, f, new(inet.Own).Has)
	if err != nil {
		return Verdict{}, fmt.Errorf("turn.%w", err)
	}
	return p.decide(peer), nil
}

// decide says whether packets may go to an address, in whatever form it is written.
func (p *policy) decide(peer netip.Addr) Verdict {
	a := inet.Canonical(peer)
	as := ""
	if a != peer {
		as = fmt.Sprintf(" (%s is %s)", peer, a)
	}
	v := p.decideCanonical(a)
	if v.Allowed && !v.SomePorts && a != peer {
		// The address may also be denied in the form in which it hides another.
		if rule, denied := match(p.deny, peer); denied {
			v = Verdict{Rule: "deny " + rule}
		}
	}
	v.Rule += as
	return v
}

// decideCanonical is decide for an address that hides no other.
func (p *policy) decideCanonical(a netip.Addr) Verdict {
	if rule, denied := match(p.deny, a); denied {
		return Verdict{Rule: "deny " + rule}
	}
	some := p.somePorts(a)
	if p.name == PolicyOwnSFU {
		if some.Allowed {
			return some
		}
		return Verdict{Rule: "policy own-sfu: not our media address"}
	}
	if rule, allowed := match(p.allow, a); allowed {
		return Verdict{Allowed: true, Rule: "allow " + rule}
	}
	switch {
	case p.name == PolicyCustom && some.Allowed:
		return some
	case p.name == PolicyCustom:
		return Verdict{Rule: "policy custom: not in allow"}
	case p.loopback && a.IsLoopback():
		return Verdict{Allowed: true, Rule: "policy public: loopback, since this server is on loopback only"}
	case some.Allowed:
		return some
	}
	if reason := inet.NotPublic(a); reason != "" {
		return Verdict{Rule: "policy public: " + reason}
	}
	if p.own(a) {
		return Verdict{Rule: "policy public: an address of this machine"}
	}
	return Verdict{Allowed: true, Rule: "policy public"}
}

// somePorts allows our own relay and media addresses, where the port decides.
func (p *policy) somePorts(a netip.Addr) Verdict {
	for _, m := range p.media {
		if m.Advertised.Addr() == a || m.Bound.Addr() == a {
			return Verdict{true, true, "our own media address: its media port only"}
		}
	}
	for _, r := range p.relays {
		if r.advertised == a || r.bound == a {
			return Verdict{true, true, "our own relay address: ports of live relays only"}
		}
	}
	return Verdict{}
}

// mediaAt finds our SFU's media address under any of its names, and where packets for it go.
func (p *policy) mediaAt(peer netip.AddrPort) (netip.AddrPort, bool) {
	for _, m := range p.media {
		to := p.mediaBound(m)
		if to.IsValid() && (peer == m.Advertised || peer == m.Bound || peer == to) {
			return to, true
		}
	}
	return netip.AddrPort{}, false
}

// mediaBound is where packets for a media address go. A wildcard receives on every address of
// this machine, so that of our relays will do.
func (p *policy) mediaBound(m Media) netip.AddrPort {
	if !m.Bound.Addr().IsUnspecified() {
		return m.Bound
	}
	for _, r := range p.relays {
		if r.bound.Is4() == m.Advertised.Addr().Is4() {
			return netip.AddrPortFrom(r.bound, m.Bound.Port())
		}
	}
	return netip.AddrPort{}
}

// boundRelay turns the advertised address of a relay into the one it is bound to.
func (p *policy) boundRelay(peer netip.AddrPort) netip.AddrPort {
	for _, r := range p.relays {
		if r.advertised == peer.Addr() {
			return netip.AddrPortFrom(r.bound, peer.Port())
		}
	}
	return peer
}

// boundAddress is where packets for a peer's address really go, whatever the port.
func (p *policy) boundAddress(peer netip.AddrPort) netip.AddrPort {
	for _, m := range p.media {
		if to := p.mediaBound(m); m.Advertised.Addr() == peer.Addr() && to.IsValid() {
			return netip.AddrPortFrom(to.Addr(), peer.Port())
		}
	}
	return p.boundRelay(peer)
}

// match returns the first prefix of list that contains a.
func match(list []netip.Prefix, a netip.Addr) (string, bool) {
	for _, p := range list {
		if p.Contains(a) {
			return p.String(), true
		}
	}
	return "", false
}
