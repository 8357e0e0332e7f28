//go:build linux

package turn

import (
	"net/netip"

	"carillon/udp"
)

// origin is who sent a request, and what they have.
type origin struct {
	transport string
	client    netip.AddrPort
	raw       udp.RawAddress
	wire      *wire
	loop      *loop
	door      *door
	stream    *stream
	stats     *traffic
	// relay is the client's, live or not; handle replaces it when it opens one.
	relay *relay
}

// handle answers a request, nil if there is to be no answer. It runs on the goroutine that
// reads the client.
func (s *Server) handle(o *origin, m *message, now int64) []byte {
	if m.class() != classRequest {
		o.stats.dropped[dropMalformed].Add(1)
		return nil
	}
	// Before a MAC is computed or anything is answered: neither our CPU nor, by forged source
	// addresses, somebody else's line is a stranger's to use up.
	if !o.relay.live() && !s.strangers.admit(o.client.Addr(), now) {
		o.stats.dropped[dropStranger].Add(1)
		return nil
	}
	switch m.method() {
	case methodBinding:
		s.metrics.bindings.Add(1)
		return succeed(m).addAddress(attrXORMappedAddress, o.client).fingerprint().raw
	case methodAllocate, methodRefresh, methodCreatePermission, methodChannelBind:
	default:
		return s.refuseStranger(o, now, refuse(m, 400))
	}
	if s.cfg.STUNOnly {
		return s.refuseStranger(o, now, refuse(m, 400))
	}
	who, answer := s.authenticate(o, m)
	if answer != nil {
		return s.refuseStranger(o, now, answer)
	}
	if o.relay.live() && o.relay.requests.TakeAt(1, now) > 0 {
		return nil
	}
	var b *builder
	if unknown := m.unknown(); len(unknown) > 0 {
		b = refuse(m, 420)
		var list []byte
		for _, a := range unknown {
			list = append(list, byte(a>>8), byte(a))
		}
		b.add(attrUnknownAttributes, list)
	} else {
		switch m.method() {
		case methodAllocate:
			b = s.allocate(o, m, who)
		case methodRefresh:
			b = s.refresh(o, m)
		case methodCreatePermission:
			b = s.createPermission(o, m, now)
		case methodChannelBind:
			b = s.channelBind(o, m, now)
		}
	}
	if b == nil {
		return nil // the server is closing
	}
	return b.sign(who.key).raw
}

func refuse(m *message, code int) *builder {
	return build(m.method(), classError, m.transaction()).addError(code)
}

func succeed(m *message) *builder { return build(m.method(), classSuccess, m.transaction()) }

// allocate opens a relay.
// https://www.rfc-editor.org/rfc/rfc8656#section-7.2
func (s *Server) allocate(o *origin, m *message, who caller) *builder {
	if o.relay.live() {
		// The library knows whether this is the same request again.
		v := s.library.ask(o.wire, m, o.client, nil, nil)
		if v.code == 0 && v.answered && o.relay.name == who.name {
			return s.allocated(o.relay, m, v.lifetime)
		}
		return refuse(m, 437)
	}
	transport, ok := m.find(attrRequestedTransport)
	family, hasFamily := m.find(attrRequestedFamily)
	evenPort, wantsEven := m.find(attrEvenPort)
	token, hasToken := m.find(attrReservationToken)
	switch {
	case !ok || len(transport) != 4 || wantsEven && hasToken || hasFamily && (len(family) != 4 || hasToken):
		return refuse(m, 400)
	case transport[0] != 17:
		return refuse(m, 442)
	case s.draining.Load():
		return s.refused(m, 508)
	}
	address, ok := s.relayAddress(hasFamily && family[0] == 2)
	if !ok || hasFamily && family[0] != 1 && family[0] != 2 {
		return s.refused(m, 440)
	}
	share, code := s.quotas.take(who.id.user, o.client.Addr())
	if code != 0 {
		return s.refused(m, code)
	}
	wish := portWish{even: wantsEven, reserve: wantsEven && len(evenPort) > 0 && evenPort[0]&0x80 != 0, token: token}
	r, err := s.openRelay(o, who, share, address, wish)
	if err != nil {
		s.quotas.release(share)
		s.noteNoRelay(err)
		return s.refused(m, 508)
	}
	v := s.library.ask(o.wire, m, o.client, nil, r)
	if !v.answered || v.code != 0 {
		r.end(whyRefused)
		if !v.answered {
			return nil
		}
		return s.refused(m, v.code)
	}
	o.relay = r
	s.metrics.opened(o.transport)
	return s.allocated(r, m, v.lifetime)
}

func (s *Server) refused(m *message, code int) *builder {
	s.metrics.refused(code)
	return refuse(m, code)
}

func (s *Server) allocated(r *relay, m *message, lifetime uint32) *builder {
	b := succeed(m).
		addAddress(attrXORRelayedAddress, r.shown).
		addNumber(attrLifetime, lifetime).
		addAddress(attrXORMappedAddress, r.client)
	if r.token != nil {
		b.add(attrReservationToken, r.token)
	}
	return b
}

// refresh prolongs or ends a relay.
// https://www.rfc-editor.org/rfc/rfc8656#section-8.2
func (s *Server) refresh(o *origin, m *message) *builder {
	r := o.relay
	if !r.live() {
		return refuse(m, 437)
	}
	if family, ok := m.find(attrRequestedFamily); ok && (len(family) != 4 || (family[0] == 2) != r.bound.Addr().Is6()) {
		return refuse(m, 443)
	}
	if lifetime, ok := m.number(attrLifetime); ok && lifetime == 0 {
		why := "released"
		r.why.CompareAndSwap(nil, &why)
	}
	v := s.library.ask(o.wire, m, o.client, nil, nil)
	switch {
	case !v.answered && !r.live():
		return refuse(m, 437) // it expired just now
	case !v.answered:
		return nil
	case v.code != 0:
		return refuse(m, v.code)
	}
	return succeed(m).addNumber(attrLifetime, v.lifetime)
}

// createPermission lets peers through: all that are named, or none.
// https://www.rfc-editor.org/rfc/rfc8656#section-10.2
func (s *Server) createPermission(o *origin, m *message, now int64) *builder {
	r := o.relay
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
	if limit := s.cfg.Quota.Permissions; limit >= 0 && r.permitsAfter(targets, now) > limit {
		return refuse(m, 508)
	}
	v := s.library.ask(o.wire, m, o.client, shownOf(targets), nil)
	if !v.answered || v.code != 0 {
		return s.notDone(r, m, v)
	}
	r.permit(targets, now)
	return succeed(m)
}

// channelBind gives a peer a number.
// https://www.rfc-editor.org/rfc/rfc8656#section-12.2
func (s *Server) channelBind(o *origin, m *message, now int64) *builder {
	r := o.relay
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
	if q.Channels >= 0 && r.channelsAfter(channel, now) > q.Channels || q.Permissions >= 0 && r.permitsAfter([]target{t}, now) > q.Permissions {
		return refuse(m, 508)
	}
	v := s.library.ask(o.wire, m, o.client, shownOf([]target{t}), nil)
	if !v.answered || v.code != 0 {
		return s.notDone(r, m, v)
	}
	r.bind(channel, t, now)
	return succeed(m)
}

func (s *Server) notDone(r *relay, m *message, v verdict) *builder {
	switch {
	case v.answered:
		return refuse(m, v.code)
	case r.live():
		return nil
	}
	return refuse(m, 437)
}

func shownOf(targets []target) []netip.AddrPort {
	list := make([]netip.AddrPort, len(targets))
	for i, t := range targets {
		list[i] = t.shown
	}
	return list
}

// target judges a peer that a client names, or says with which error to refuse it.
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
	actual, open := s.resolve(peer)
	if withPort && v.SomePorts && !open {
		s.metrics.forbidden.Add(1)
		return target{}, 403
	}
	if !withPort {
		actual = s.policy.boundAddress(peer)
	}
	return target{shown: peer, actual: actual, somePorts: v.SomePorts, relay: s.liveRelay(actual)}, 0
}
