//go:build linux

package turn

import (
	"net/netip"

	"carillon/udp"
)

// requester is who sent a request: the client, how it is connected, and its relay.
type requester struct {
	transport    string
	client       netip.AddrPort
	raw          udp.RawAddress
	libraryConn  *libraryConn
	loop         *loop
	listenSocket *listenSocket // UDP
	stream       *stream       // TCP and TLS
	stats        *traffic
	// relay is the client's, live or not; handle replaces it when it opens one.
	relay *relay
	// known is set by handle when the request was answered because of who sent it, or, if there
	// are no relays, at all.
	known bool
}

// handle answers a request, nil if there is to be no answer. It runs on the goroutine that
// reads the client.
func (s *Server) handle(from *requester, m *message, now int64) []byte {
	if m.class() != classRequest {
		from.stats.dropped[dropMalformed].Add(1)
		return nil
	}
	// Before a MAC is computed and anything is answered: whoever has not authenticated may use
	// up neither our CPU nor, with a forged source address, somebody else's bandwidth.
	if !from.relay.live() && !s.admit(from, m, now) {
		from.stats.dropped[dropUnauthenticated].Add(1)
		return nil
	}
	switch m.method() {
	case methodBinding:
		s.metrics.bindings.Add(1)
		from.known = s.cfg.STUNOnly
		return s.answerUnauthenticated(from, m, now, succeed(m).addAddress(attrXORMappedAddress, from.client).fingerprint())
	case methodAllocate, methodRefresh, methodCreatePermission, methodChannelBind:
	default:
		return s.answerUnauthenticated(from, m, now, refuse(m, 400))
	}
	if s.cfg.STUNOnly {
		return s.answerUnauthenticated(from, m, now, refuse(m, 400))
	}
	who, answer := s.authenticate(from, m)
	if answer != nil {
		return s.answerUnauthenticated(from, m, now, answer)
	}
	from.known = true
	if from.relay.live() && !within(from.relay.requests.TakeAt(max(1, m.peers()), now) == 0, s.counts.requestsPerRelay) {
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
			b = s.allocate(from, m, who)
		case methodRefresh:
			b = s.refresh(from, m)
		case methodCreatePermission:
			b = s.createPermission(from, m, now)
		case methodChannelBind:
			b = s.channelBind(from, m, now)
		}
	}
	if b == nil {
		return nil // the server is closing
	}
	return b.sign(who.key).raw
}

// refuse starts an error response.
func refuse(m *message, code int) *builder {
	return build(m.method(), classError, m.transaction()).addError(code)
}

// succeed starts a success response.
func succeed(m *message) *builder { return build(m.method(), classSuccess, m.transaction()) }
