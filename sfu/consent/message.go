package consent

import (
	"net"
	"net/netip"
	"strings"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

// priority is that of a peer-reflexive candidate, which our checks must have.
// https://www.rfc-editor.org/rfc/rfc8445#section-7.1.1
const priority = 110<<24 | 65535<<8 | 255

// decode reads a STUN message, and keeps nothing of b.
func decode(b []byte) (*stun.Message, bool) {
	m := &stun.Message{Raw: append([]byte(nil), b...)}
	// The first two bits are zero in all STUN messages, and pion does not look at them.
	// https://www.rfc-editor.org/rfc/rfc8489#section-5
	return m, m.Decode() == nil && b[0]&0xc0 == 0
}

// nominates returns whether pion would take a request for a nomination.
func nominates(m *stun.Message) bool {
	return m.Contains(stun.AttrUseCandidate) || m.Contains(ice.DefaultNominationAttribute)
}

// names returns the ufrags in the user name of a request: of the side that is asked, and of
// the side that asks. https://www.rfc-editor.org/rfc/rfc8445#section-7.1.2
func names(m *stun.Message) (asked, asking string) {
	var name stun.Username
	if name.GetFrom(m) != nil {
		return "", ""
	}
	asked, asking, _ = strings.Cut(name.String(), ":")
	return asked, asking
}

// newCheck returns a request of ours to the client of a leg.
func newCheck(l *Leg) (*stun.Message, error) {
	return stun.Build(stun.BindingRequest, stun.TransactionID, stun.NewUsername(l.theirs.Ufrag+":"+l.ours.Ufrag),
		ice.PriorityAttr(priority), ice.AttrControlled(l.tieBreaker),
		stun.NewShortTermIntegrity(l.theirs.Password), stun.Fingerprint)
}

// newAnswer returns the answer to a request that came from this address.
func newAnswer(l *Leg, request *stun.Message, from netip.AddrPort) (*stun.Message, error) {
	return stun.Build(stun.BindingSuccess, stun.NewTransactionIDSetter(request.TransactionID),
		&stun.XORMappedAddress{IP: net.IP(from.Addr().AsSlice()), Port: int(from.Port())},
		stun.NewShortTermIntegrity(l.ours.Password), stun.Fingerprint)
}

// newNomination returns a request of the client's with a nomination in it, in the client's
// name: the password is ours.
func newNomination(l *Leg, request *stun.Message) (*stun.Message, error) {
	setters := []stun.Setter{
		stun.BindingRequest, stun.NewTransactionIDSetter(request.TransactionID), stun.NewUsername(l.ours.Ufrag + ":" + l.theirs.Ufrag),
	}
	var p ice.PriorityAttr
	if p.GetFrom(request) == nil {
		setters = append(setters, p)
	}
	var c ice.AttrControlling
	if c.GetFrom(request) == nil {
		setters = append(setters, c)
	}
	setters = append(setters, ice.UseCandidate(), stun.NewShortTermIntegrity(l.ours.Password), stun.Fingerprint)
	return stun.Build(setters...)
}
