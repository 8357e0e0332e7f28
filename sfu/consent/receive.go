package consent

import (
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// ReadFromAddrPort reads one packet that pion may see.
func (g *Gate) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := g.Socket.ReadFromAddrPort(b)
		if err != nil {
			return n, from, err
		}
		if n, ok := g.receive(b, n, source{place: place{AddrPort: from}}); ok {
			return n, from, nil
		}
	}
}

// ReadFrom is ReadFromAddrPort for callers that need a net.Addr.
func (g *Gate) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := g.ReadFromAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// source is where a packet came from.
type source struct {
	place

	// Of a stream: sends to it.
	conn net.PacketConn
	addr net.Addr
}

// sender returns what sends to a source.
func (g *Gate) sender(s source) func([]byte) {
	if s.stream {
		return func(b []byte) { _, _ = s.conn.WriteTo(b, s.addr) }
	}
	return func(b []byte) { _, _ = g.Socket.WriteToAddrPort(b, s.AddrPort) }
}

// receive looks at a packet of n bytes in b. It returns whether pion may see what is in b
// then, and how many bytes that are.
func (g *Gate) receive(b []byte, n int, from source) (int, bool) {
	if !stun.IsMessage(b[:n]) { // the rule by which pion tells STUN from all else
		if !from.stream && g.anyUnproven.Load() {
			g.mu.Lock()
			if a := g.unproven[from.AddrPort]; a != nil {
				a.hear(n)
			}
			g.mu.Unlock()
		}
		return n, true
	}
	m, ok := decode(b[:n])
	if !ok {
		return 0, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var shown *stun.Message
	switch m.Type {
	case stun.BindingRequest:
		shown = g.requestLocked(m, from, g.now())
	case stun.BindingSuccess:
		shown = g.answerLocked(m, from, g.now())
	}
	if shown == nil || len(shown.Raw) > len(b) {
		return 0, false
	}
	return copy(b, shown.Raw), true
}

// requestLocked takes a request. It returns what pion is to see of it; nil: nothing.
func (g *Gate) requestLocked(m *stun.Message, from source, now time.Duration) *stun.Message {
	asked, asking := names(m)
	l := g.legs[asked]
	// An agent that says it is controlled would have pion change its role. A client of a lite
	// agent controls. https://www.rfc-editor.org/rfc/rfc8445#section-6.1.1
	if l == nil || l.ours.Ufrag == "" || asking != l.theirs.Ufrag || m.Contains(stun.AttrICEControlled) ||
		stun.NewShortTermIntegrity(l.ours.Password).Check(m) != nil {
		g.counters.refused.Add(1)
		return nil
	}
	a := l.findLocked(from.place)
	if a == nil {
		a = l.addLocked(from.place, g.sender(from), now)
		g.trackLocked(a, true)
	}
	a.heard = now
	a.hear(len(m.Raw))
	if a.stream {
		// The handshake has proved the address, and nobody else can send on the connection.
		g.trustLocked(a, now)
	}
	if a.proven {
		return g.showLocked(a, m, now)
	}
	g.counters.held.Add(1)
	a.hold(m)
	g.askLocked(a, now) // before the answer: to that the client may send what needs a proven address
	if answer, err := newAnswer(l, m, a.AddrPort); err == nil && a.spend(len(answer.Raw)) {
		a.send(answer.Raw)
	}
	return nil
}

// showLocked returns what pion is to see of a request of a proven address.
func (g *Gate) showLocked(a *address, m *stun.Message, now time.Duration) *stun.Message {
	l := a.leg
	if nominates(m) {
		g.nominateLocked(a, now)
		return m
	}
	d := l.destination.Load()
	switch {
	case d == nil || d == a:
		return m
	case l.rival.address != a || !l.quiet.Load():
		l.rival = rival{address: a, since: now, request: m}
		l.quiet.Store(true)
		g.contested[l] = struct{}{}
		g.askLocked(d, now) // if it is still there it answers
		d.hurry(now)
		return m
	}
	l.rival.request = m
	if n := g.overtakeLocked(l, now); n != nil {
		return n
	}
	return m
}

// answerLocked takes an answer. It returns the request that pion is to see now; nil: none.
func (g *Gate) answerLocked(m *stun.Message, from source, now time.Duration) *stun.Message {
	a := g.checks[m.TransactionID]
	if a == nil || a.place != from.place || stun.NewShortTermIntegrity(a.leg.theirs.Password).Check(m) != nil {
		g.counters.refused.Add(1)
		return nil
	}
	g.counters.answers.Add(1)
	l := a.leg
	g.trustLocked(a, now)
	if l.destination.Load() == a {
		l.quiet.Store(false)
	}
	if a.held == nil {
		if l.rival.address == a {
			return g.overtakeLocked(l, now)
		}
		return nil
	}
	held := a.held
	a.held = nil
	if nominates(held) && a.heard < l.nominated {
		return nil // the client has nominated another address since
	}
	if !a.stream {
		l.conns[family(a.Addr())].bind(a, held)
	}
	return g.showLocked(a, held, now)
}

// nominateLocked notes that pion is shown a nomination of this address.
func (g *Gate) nominateLocked(a *address, now time.Duration) {
	l := a.leg
	l.nominated = now
	l.destination.Store(a)
	g.endContestLocked(l)
}

func (g *Gate) endContestLocked(l *Leg) {
	l.rival = rival{}
	delete(g.contested, l)
}

// askLocked sends a check, unless one waits for its answer.
func (g *Gate) askLocked(a *address, now time.Duration) {
	if a.check.raw == nil {
		m, err := newCheck(a.leg)
		if err != nil {
			return
		}
		a.begin(m)
		g.checks[a.check.id] = a
		g.sendCheckLocked(a, now)
	}
}

func (g *Gate) sendCheckLocked(a *address, now time.Duration) {
	if !a.spend(len(a.check.raw)) {
		return // until more has come from there
	}
	a.spaceOut(now)
	g.counters.checks.Add(1)
	a.send(a.check.raw)
}

// overtakeLocked returns a nomination of the rival, if the leg's media is to go there now:
// nothing came for a while from the address that it goes to.
func (g *Gate) overtakeLocked(l *Leg, now time.Duration) *stun.Message {
	r := l.rival
	if !r.address.proven || !l.quiet.Load() || now-r.since < overtakeAfter {
		return nil
	}
	m, err := newNomination(l, r.request)
	if err != nil {
		return nil
	}
	g.counters.moved.Add(1)
	g.nominateLocked(r.address, now)
	return m
}

// contestLocked ends a contest that was decided, or asks the rival again when the time has
// come: its answer decides.
func (g *Gate) contestLocked(l *Leg, now time.Duration) {
	r := l.rival
	if !l.quiet.Load() || now-r.since > contestTime {
		g.endContestLocked(l)
		return
	}
	if now-r.since >= overtakeAfter && r.address.proven {
		g.askLocked(r.address, now)
	}
}

// family is where in Leg.conns the connection for an address is.
func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}
