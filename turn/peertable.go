//go:build linux

package turn

import (
	"net/netip"
	"sync/atomic"
	"time"

	"carillon/udp"
)

// peerTable is what a relay may reach, by the addresses that its packets carry: those that our
// own relays and our SFU are bound to, instead of the advertised ones. It is replaced and
// never edited, except for the times of expiry.
type peerTable struct {
	permissions map[netip.Addr]*permission
	channels    map[uint16]*channel
	byPeer      map[udp.Key]*channel
}

// permission lets one peer address through, for five minutes at a time.
// https://www.rfc-editor.org/rfc/rfc8656#section-9
type permission struct {
	advertised netip.Addr   // the address as the client knows it
	somePorts  bool         // the address is one of ours: resolve says which ports are open
	expires    atomic.Int64 // nanoseconds of the server's clock
}

// channel stands for one peer, so that a header of four bytes is enough, for ten minutes at a
// time.
// https://www.rfc-editor.org/rfc/rfc8656#section-12
type channel struct {
	number     uint16
	advertised netip.AddrPort
	to         udp.RawAddress
	permission *permission
	relay      *relay // the peer is this relay of ours; nil if it is not one
	expires    atomic.Int64
}

const (
	permissionLifetime = 5 * time.Minute
	channelLifetime    = 10 * time.Minute
)

// copyTable starts the next table with what has not expired.
func (t *peerTable) copyTable(now int64) *peerTable {
	next := &peerTable{
		permissions: make(map[netip.Addr]*permission, len(t.permissions)+1),
		channels:    make(map[uint16]*channel, len(t.channels)+1),
		byPeer:      make(map[udp.Key]*channel, len(t.byPeer)+1),
	}
	for a, p := range t.permissions {
		if p.expires.Load() > now {
			next.permissions[a] = p
		}
	}
	for n, c := range t.channels {
		if c.expires.Load() > now {
			next.channels[n] = c
			next.byPeer[c.to.Key()] = c
			// The channel's permission may have lapsed and come back as another entry.
			if p := next.permissions[c.to.AddrPort().Addr()]; p == nil {
				next.permissions[c.to.AddrPort().Addr()] = c.permission
			}
		}
	}
	return next
}

// target is a peer that a client names: its address as advertised, and the one that packets to
// it carry.
type target struct {
	advertised, actual netip.AddrPort
	somePorts          bool
	relay              *relay
}

// permissionsAfter is how many permissions there would be with those of targets.
func (r *relay) permissionsAfter(targets []target, now int64) int {
	next := r.peers.Load().copyTable(now)
	for _, t := range targets {
		next.permit(t, now)
	}
	return len(next.permissions)
}

// channelsAfter is how many channels there would be with number.
func (r *relay) channelsAfter(number uint16, now int64) int {
	next := r.peers.Load().copyTable(now)
	next.channels[number] = nil
	return len(next.channels)
}

// permit adds or renews permissions.
func (r *relay) permit(targets []target, now int64) {
	next := r.peers.Load().copyTable(now)
	for _, t := range targets {
		next.permit(t, now)
	}
	r.peers.Store(next)
}

func (t *peerTable) permit(to target, now int64) *permission {
	a := to.actual.Addr()
	p := t.permissions[a]
	if p == nil {
		p = &permission{advertised: to.advertised.Addr(), somePorts: to.somePorts}
		t.permissions[a] = p
	}
	p.expires.Store(now + int64(permissionLifetime))
	return p
}

// bind adds or renews a channel and its permission.
func (r *relay) bind(number uint16, to target, now int64) {
	next := r.peers.Load().copyTable(now)
	p := next.permit(to, now)
	fresh := &channel{number: number, advertised: to.advertised, to: udp.NewRawAddress(to.actual), permission: p, relay: to.relay}
	fresh.expires.Store(now + int64(channelLifetime))
	next.channels[number] = fresh
	next.byPeer[fresh.to.Key()] = fresh
	r.peers.Store(next)
}
