//go:build linux

package turn

// allocate opens a relay.
// https://www.rfc-editor.org/rfc/rfc8656#section-7.2
func (s *Server) allocate(from *requester, m *message, who principal) *builder {
	if from.relay.live() {
		// A request that is repeated gets the same answer. The library knows which one it is.
		v := s.library.ask(from.libraryConn, m, from.client, nil, nil)
		if v.code == 0 && v.answered && from.relay.name == who.name {
			return s.allocated(from.relay, m, v.lifetime)
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
	sock, share, code := s.claim(who.id.user, from.client.Addr(), address.bound,
		portWish{even: wantsEven, reserve: wantsEven && len(evenPort) > 0 && evenPort[0]&0x80 != 0, token: token})
	if code != 0 {
		return s.refused(m, code)
	}
	r, err := s.openRelay(from, who, share, sock)
	if err != nil {
		s.quotas.release(share)
		s.noteNoRelay(err)
		return s.refused(m, 508)
	}
	v := s.library.ask(from.libraryConn, m, from.client, nil, r)
	if !v.answered || v.code != 0 {
		r.end(reasonRefused)
		if !v.answered {
			return nil
		}
		return s.refused(m, v.code)
	}
	from.relay = r
	s.metrics.opened(from.transport)
	return s.allocated(r, m, v.lifetime)
}

// refused is refuse for an Allocate, which is counted.
func (s *Server) refused(m *message, code int) *builder {
	s.metrics.refused(code)
	return refuse(m, code)
}

// allocated is the answer to an Allocate that has opened r.
func (s *Server) allocated(r *relay, m *message, lifetime uint32) *builder {
	b := succeed(m).
		addAddress(attrXORRelayedAddress, r.advertised).
		addNumber(attrLifetime, lifetime).
		addAddress(attrXORMappedAddress, r.client)
	if r.token != nil {
		b.add(attrReservationToken, r.token)
	}
	return b
}

// refresh prolongs or ends a relay.
// https://www.rfc-editor.org/rfc/rfc8656#section-8.2
func (s *Server) refresh(from *requester, m *message) *builder {
	r := from.relay
	if !r.live() {
		return refuse(m, 437)
	}
	if family, ok := m.find(attrRequestedFamily); ok && (len(family) != 4 || (family[0] == 2) != r.bound.Addr().Is6()) {
		return refuse(m, 443)
	}
	if lifetime, ok := m.number(attrLifetime); ok && lifetime == 0 {
		reason := "released"
		r.reason.CompareAndSwap(nil, &reason)
	}
	v := s.library.ask(from.libraryConn, m, from.client, nil, nil)
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
