//go:build linux

package turn

import (
	"net/netip"
	"sync/atomic"
	"time"

	"carillon/udp"
)

// peerTable is what a relay may reach, by the addresses that packets really carry.
type peerTable struct {
	permits  map[netip.Addr]*permit
	channels map[uint16]*channel
	byPeer   map[udp.Key]*channel
}

// permit lets one peer address through, for five minutes at a time.
// https://www.rfc-editor.org/rfc/rfc8656#section-9
type permit struct {
	shown     netip.Addr // the address as the client knows it
	somePorts bool
	expires   atomic.Int64 // nanoseconds of the server's clock
}

// channel stands for one peer in four bytes, for ten minutes at a time.
// https://www.rfc-editor.org/rfc/rfc8656#section-12
type channel struct {
	number  uint16
	shown   netip.AddrPort
	to      udp.RawAddress
	permit  *permit
	relay   *relay // the peer is this relay of ours; nil if it is not one
	expires atomic.Int64
}

const (
	permitLifetime  = 5 * time.Minute
	channelLifetime = 10 * time.Minute
)

// copyTable starts the next table with what has not expired.
func (t *peerTable) copyTable(now int64) *peerTable {
	next := &peerTable{
		permits:  make(map[netip.Addr]*permit, len(t.permits)+1),
		channels: make(map[uint16]*channel, len(t.channels)+1),
		byPeer:   make(map[udp.Key]*channel, len(t.byPeer)+1),
	}
	for a, p := range t.permits {
		if p.expires.Load() > now {
			next.permits[a] = p
		}
	}
	for n, c := range t.channels {
		if c.expires.Load() > now {
			next.channels[n] = c
			next.byPeer[c.to.Key()] = c
			// The channel's permission may have lapsed and come back as another entry.
			if p := next.permits[c.to.AddrPort().Addr()]; p == nil {
				next.permits[c.to.AddrPort().Addr()] = c.permit
			}
		}
	}
	return next
}

// target is a peer as the client named it and as packets reach it.
type target struct {
	shown, actual netip.AddrPort
	somePorts     bool
	relay         *relay
}

// permitsAfter and channelsAfter count what there would be.
func (r *relay) permitsAfter(targets []target, now int64) int {
	next := r.peers.Load().copyTable(now)
	for _, t := range targets {
		next.permit(t, now)
	}
	return len(next.permits)
}

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

func (t *peerTable) permit(to target, now int64) *permit {
	a := to.actual.Addr()
	p := t.permits[a]
	if p == nil {
		p = &permit{shown: to.shown.Addr(), somePorts: to.somePorts}
		t.permits[a] = p
	}
	p.expires.Store(now + int64(permitLifetime))
	return p
}

// bind adds or renews a channel and its permission.
func (r *relay) bind(number uint16, to target, now int64) {
	next := r.peers.Load().copyTable(now)
	p := next.permit(to, now)
	fresh := &channel{number: number, shown: to.shown, to: udp.NewRawAddress(to.actual), permit: p, relay: to.relay}
	fresh.expires.Store(now + int64(channelLifetime))
	next.channels[number] = fresh
	next.byPeer[fresh.to.Key()] = fresh
	r.peers.Store(next)
}
