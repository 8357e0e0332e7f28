//go:build linux

package turn

import "net/netip"

// createPermission lets peers through: all that are named, or none.
// https://www.rfc-editor.org/rfc/rfc8656#section-10.2
func (s *Server) createPermission(from *requester, m *message, now int64) *builder {
	r := from.relay
	if !r.live() {
		return refuse(m, 437)
	}
	var targets []target
	for _, span := range m.spans[:m.count] {
		if span.kind != attrXORPeerAddress {
			continue
		}
		t, code := s.target(r, m, m.raw[span.start:span.end], false)
		if code != 0 {
			return refuse(m, code)
		}
		targets = append(targets, t)
	}
	if len(targets) == 0 {
		return refuse(m, 400)
	}
	q := s.cfg.Quota
	if !within(q.Permissions < 0 || r.permissionsAfter(targets, now) <= q.Permissions, s.counts.permissions) {
		return refuse(m, 508)
	}
	v := s.library.ask(from.libraryConn, m, from.client, advertisedOf(targets), nil)
	if !v.answered || v.code != 0 {
		return s.notDone(r, m, v)
	}
	r.permit(targets, now)
	return succeed(m)
}

// channelBind gives a peer a number.
// https://www.rfc-editor.org/rfc/rfc8656#section-12.2
func (s *Server) channelBind(from *requester, m *message, now int64) *builder {
	r := from.relay
	if !r.live() {
		return refuse(m, 437)
	}
	number, ok1 := m.find(attrChannelNumber)
	value, ok2 := m.find(attrXORPeerAddress)
	if !ok1 || !ok2 || len(number) != 4 {
		return refuse(m, 400)
	}
	channel := uint16(number[0])<<8 | uint16(number[1])
	if !isChannelNumber(channel) {
		return refuse(m, 400)
	}
	t, code := s.target(r, m, value, true)
	if code != 0 {
		return refuse(m, code)
	}
	q := s.cfg.Quota
	if !within(q.Channels < 0 || r.channelsAfter(channel, now) <= q.Channels, s.counts.channels) ||
		!within(q.Permissions < 0 || r.permissionsAfter([]target{t}, now) <= q.Permissions, s.counts.permissions) {
		return refuse(m, 508)
	}
	v := s.library.ask(from.libraryConn, m, from.client, advertisedOf([]target{t}), nil)
	if !v.answered || v.code != 0 {
		return s.notDone(r, m, v)
	}
	r.bind(channel, t, now)
	return succeed(m)
}

// notDone is the answer to a request that the library did not carry out; nil if it is closing.
func (s *Server) notDone(r *relay, m *message, v outcome) *builder {
	switch {
	case v.answered:
		return refuse(m, v.code)
	case r.live():
		return nil
	}
	return refuse(m, 437)
}

func advertisedOf(targets []target) []netip.AddrPort {
	list := make([]netip.AddrPort, len(targets))
	for i, t := range targets {
		list[i] = t.advertised
	}
	return list
}

// target checks a peer that a client names. The code is the error with which it is refused;
// zero: it may be reached.
func (s *Server) target(r *relay, m *message, value []byte, withPort bool) (target, int) {
	peer, ok := m.address(value)
	if !ok {
		return target{}, 400
	}
	peer = netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	if peer.Addr().Is4() != r.bound.Addr().Is4() {
		return target{}, 443
	}
	v := s.policy.decide(peer.Addr())
	if !v.Allowed {
		s.metrics.forbidden.Add(1)
		return target{}, 403
	}
	actual, open := r.resolve(peer)
	if withPort && v.SomePorts && !open {
		s.metrics.forbidden.Add(1)
		return target{}, 403
	}
	if !withPort {
		actual = s.policy.boundAddress(peer)
	}
	return target{advertised: peer, actual: actual, somePorts: v.SomePorts, relay: r.otherAt(actual)}, 0
}
