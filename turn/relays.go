//go:build linux

package turn

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"carillon/limit"
)

// resolve finds where packets for a peer go: for our own SFU and our own relays that is the
// address that they are bound to. open is true if the peer is one of these that r may reach.
func (r *relay) resolve(peer netip.AddrPort) (to netip.AddrPort, open bool) {
	if media, ok := r.server.policy.mediaAt(peer); ok {
		return media, true
	}
	to = r.server.policy.boundAddress(peer)
	return to, r.otherAt(to) != nil
}

// otherAt returns the live relay that is bound to an address, if r may reach it. Embedded, that
// is one of its user only: calls go through our SFU, so to reach the relay of another would only
// be a way past its permissions, which count addresses and not ports.
func (r *relay) otherAt(bound netip.AddrPort) *relay {
	other := r.server.liveRelay(bound)
	if other != nil && r.server.policy.name == PolicyOwnSFU && other.share.user != r.share.user {
		return nil
	}
	return other
}

func (s *Server) liveRelay(bound netip.AddrPort) *relay {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.live[bound]
}

// relayAddress picks where a relay lives.
func (s *Server) relayAddress(six bool) (relayAddress, bool) {
	for _, r := range s.facts.relays {
		if r.bound.Is6() == six {
			return r, true
		}
	}
	return relayAddress{}, false
}

// openRelay makes a relay of a socket and starts to read it.
func (s *Server) openRelay(from *requester, who principal, share share, sock socket) (*relay, error) {
	advertised := s.addressOf(sock.bound.Addr()).advertised
	r := &relay{
		server: s, loop: from.loop, client: from.client, transport: from.transport,
		advertised: netip.AddrPortFrom(advertised, sock.bound.Port()), bound: sock.bound,
		name: who.name, key: who.key, token: sock.token, share: share, began: time.Now(),
		clientRaw: from.raw, listenSocket: from.listenSocket, stream: from.stream,
		out: sendSocket{fd: sock.fd}, ended: make(chan struct{}),
	}
	q := s.cfg.Quota
	r.limited = q.RelayKbps > 0 || q.UserKbps > 0 || q.TotalKbps > 0
	r.toPeer.Limit(bandwidth(q.RelayKbps))
	r.toClient.Limit(bandwidth(q.RelayKbps))
	r.requests.Limit(limit.Per(time.Second, s.cfg.Limits.RequestsPerRelay, time.Second))
	r.peers.Store(&peerTable{})
	if r.loop == nil {
		r.loop = s.loops[s.nextLoop.Add(1)%uint32(len(s.loops))]
		r.loop.post(func() {
			// The library may be opening the allocation now, so that it must not end here. It gets
			// nothing from peers, and ends as any other.
			if err := r.loop.addRelay(r); err != nil {
				s.noteNoRelay(err)
			}
		})
	} else if err := r.loop.addRelay(r); err != nil {
		unix.Close(sock.fd)
		return nil, err
	}
	s.mu.Lock()
	s.live[r.bound] = r
	s.mu.Unlock()
	return r, nil
}

func (s *Server) addressOf(bound netip.Addr) relayAddress {
	for _, r := range s.facts.relays {
		if r.bound == bound {
			return r
		}
	}
	return relayAddress{bound, bound}
}

// ended is called once per relay, from whichever goroutine ended it.
func (s *Server) ended(r *relay) {
	s.quotas.release(r.share)
	s.mu.Lock()
	delete(s.live, r.bound)
	s.checkDrainedLocked()
	s.mu.Unlock()
	if r.stream != nil {
		r.stream.relayEnded()
	}
	s.recordUsage(r)
}

// recordUsage writes one line per relay, for whoever bills or looks for abuse.
func (s *Server) recordUsage(r *relay) {
	reason := "expired"
	if given := r.reason.Load(); given != nil {
		reason = *given
	}
	if reason == reasonRefused {
		return // it never was one
	}
	s.metrics.endedRelay(r.transport)
	s.log.Info("turn usage", "user", r.share.user.name, "transport", r.transport,
		"client", r.client.Addr(), "relay", r.advertised.Port(), "seconds", int(time.Since(r.began).Seconds()),
		"sent_bytes", r.sentBytes.Load(), "sent_packets", r.sentPackets.Load(),
		"received_bytes", r.receivedBytes.Load(), "received_packets", r.receivedPackets.Load(), "reason", reason)
}

// noteNoRelay logs that a relay could not be opened, at most once a second.
func (s *Server) noteNoRelay(err error) {
	now := s.clock()
	if last := s.warned.Load(); now-last > int64(time.Second) && s.warned.CompareAndSwap(last, now) {
		s.log.Warn("turn opens no relay", "err", err)
	}
}
