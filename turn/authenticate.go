//go:build linux

package turn

import "slices"

// answerUnauthenticated answers a request that is not authenticated. handle has counted it
// against the rate of such requests, except if its client has a relay: then it counts now, for
// it may have come from anybody, in the client's name.
func (s *Server) answerUnauthenticated(from *requester, m *message, now int64, b *builder) []byte {
	if from.relay.live() && !s.admit(from, m, now) {
		from.stats.dropped[dropUnauthenticated].Add(1)
		return nil
	}
	return b.raw
}

// admit is true if a sender that has not authenticated may have an answer.
func (s *Server) admit(from *requester, m *message, now int64) bool {
	return s.answerLimits.admit(from.client.Addr(), now, func() bool {
		nonce, ok := m.find(attrNonce)
		return from.stream != nil || ok && s.nonces.valid(nonce, from.client, s.wall())
	})
}

// principal is an authenticated sender.
type principal struct {
	name string
	key  []byte
	id   identity // of the owner of a relay, who is known by its key, only the user
}

// authenticate finds out who sent a request, or how to refuse it. A relay's owner is known by
// the key that opened it, so that neither expiry nor a removed secret ends a call.
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.4
func (s *Server) authenticate(from *requester, m *message) (principal, *builder) {
	if _, signed := m.find(attrMessageIntegrity); !signed {
		return principal{}, s.challenge(from, m, 401)
	}
	name, ok1 := m.find(attrUsername)
	_, ok2 := m.find(attrRealm)
	nonce, ok3 := m.find(attrNonce)
	if !ok1 || !ok2 || !ok3 {
		return principal{}, refuse(m, 400)
	}
	if !s.nonces.valid(nonce, from.client, s.wall()) {
		return principal{}, s.challenge(from, m, 438)
	}
	if r := from.relay; r.live() && string(name) == r.name {
		if m.signedBy(r.key) {
			return principal{name: r.name, key: r.key, id: identity{user: r.share.user.name}}, nil
		}
		s.metrics.unauthorized.Add(1)
		return principal{}, s.challenge(from, m, 401)
	}
	id, ok := s.credentials.identify(string(name))
	var key []byte
	if i := slices.IndexFunc(id.keys, m.signedBy); ok && i >= 0 {
		key = id.keys[i]
	}
	// "The server [...] MUST NOT" say which of name and password was wrong.
	if key == nil || m.method() == methodAllocate && !id.expires.IsZero() && id.expires.Before(s.wall()) {
		s.metrics.unauthorized.Add(1)
		return principal{}, s.challenge(from, m, 401)
	}
	if from.relay.live() && m.method() != methodAllocate {
		return principal{}, refuse(m, 441).sign(key)
	}
	return principal{string(name), key, id}, nil
}

func (s *Server) challenge(from *requester, m *message, code int) *builder {
	return refuse(m, code).
		addText(attrRealm, s.cfg.Realm).
		addText(attrNonce, s.nonces.make(from.client, s.wall()))
}
