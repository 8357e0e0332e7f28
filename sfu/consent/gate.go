package consent

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
)

const (
	// allowance is how many bytes an unproven address may be sent for each that came from
	// it, as in QUIC. https://www.rfc-editor.org/rfc/rfc9000#section-8.1
	allowance = 3

	// life is how long an answer counts: "consent [...] expires 30 seconds after [...]".
	// https://www.rfc-editor.org/rfc/rfc7675#section-5.1
	life = 30 * time.Second
	// renewAfter is the age of an answer at which the next is asked for. RFC 7675 asks every
	// five seconds and never again for the same; here a request that is lost is sent again
	// each second, so that fifteen have to be lost in a row.
	renewAfter = 15 * time.Second

	// forgetAfter is how long an unproven address is remembered that asks for nothing.
	forgetAfter = 10 * time.Second
	// legAddresses is how many addresses of a leg are remembered. A client has one for each
	// pair of a network of its own and an address of ours.
	legAddresses = 16

	// overtakeAfter is how long the address that a leg's media goes to must have said
	// nothing, though it was asked, for another to take its place without a nomination.
	overtakeAfter = time.Second
	// contestTime ends a contest that nobody won.
	contestTime = 10 * time.Second
)

// Socket is the media socket below a gate.
type Socket interface {
	net.PacketConn
	ReadFromAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToAddrPort(b []byte, to netip.AddrPort) (int, error)
}

// Gate is the media socket as pion sees it. What is read through it has been looked at; what
// is written to it goes to the socket unseen, since each leg's connection has looked at that
// (see [Gate.Datagrams]). Its methods may be called from any goroutine.
type Gate struct {
	Socket

	// Fixed at construction.
	now func() time.Duration

	counters counters

	mu        sync.Mutex
	legs      map[string]*Leg                           // by our ufrag
	checks    map[[stun.TransactionIDSize]byte]*address // those that wait for the answer to this check
	owners    map[netip.AddrPort]*address               // of a datagram address, the leg that proved it last
	unproven  map[netip.AddrPort]*address               // of a datagram address, the leg that heard of it last
	contested map[*Leg]struct{}                         // those with a rival
	sweepAt   time.Duration                             // when all addresses are looked at again

	anyUnproven atomic.Bool // there is one in unproven; read without mu
}

// NewGate returns the gate of a socket. The clock must not run backwards.
func NewGate(socket Socket, now func() time.Duration) *Gate {
	return &Gate{
		Socket: socket, now: now,
		legs:      make(map[string]*Leg),
		checks:    make(map[[stun.TransactionIDSize]byte]*address),
		owners:    make(map[netip.AddrPort]*address),
		unproven:  make(map[netip.AddrPort]*address),
		contested: make(map[*Leg]struct{}),
	}
}

// Credentials are the user name fragment and the password of one side of a leg.
// https://www.rfc-editor.org/rfc/rfc8445#section-5.3
type Credentials struct{ Ufrag, Password string }

// Expect makes the credentials of a leg known, before the client learns ours. It returns the
// leg with our ufrag; nil: pion has none, or none any more.
func (g *Gate) Expect(ours, theirs Credentials) *Leg {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.legs[ours.Ufrag]
	if l != nil {
		l.ours, l.theirs = ours, theirs
	}
	return l
}

// leg returns the leg with this ufrag, and makes it if there is none.
func (g *Gate) leg(ufrag string) *Leg {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.legs[ufrag]
	if l == nil {
		l = newLeg(g)
		g.legs[ufrag] = l
	}
	return l
}

// forget drops a leg and all that is known of its addresses. What its connections still
// write goes nowhere.
func (g *Gate) forget(ufrag string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.legs[ufrag]
	if l == nil {
		return
	}
	for _, a := range l.addresses {
		g.dropLocked(a)
	}
	l.addresses = nil
	l.openLocked()
	delete(g.legs, ufrag)
}

// Tick sends again what was not answered, and asks those again whose answers grow old. It is
// to be called every 50 ms or so.
func (g *Gate) Tick() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for _, a := range g.checks {
		if now >= a.check.next {
			g.sendCheckLocked(a, now)
		}
	}
	for l := range g.contested {
		g.contestLocked(l, now)
	}
	if now < g.sweepAt {
		return
	}
	g.sweepAt = now + time.Second
	for _, l := range g.legs {
		g.sweepLocked(l, now)
	}
}

// sweepLocked looks at the age of all that is known of a leg's addresses.
func (g *Gate) sweepLocked(l *Leg, now time.Duration) {
	kept := l.addresses[:0]
	for _, a := range l.addresses {
		switch a.due(now) {
		case ask:
			g.askLocked(a, now)
		case lapse:
			g.counters.lapsed.Add(1)
			g.distrustLocked(a, now)
		case forget:
			g.dropLocked(a)
			continue
		}
		kept = append(kept, a)
	}
	clear(l.addresses[len(kept):])
	if len(kept) < len(l.addresses) {
		l.addresses = kept
		l.openLocked()
	}
}

// dropLocked takes an address out of the gate's own maps, and out of a contest.
func (g *Gate) dropLocked(a *address) {
	g.dropCheckLocked(a)
	if g.owners[a.AddrPort] == a {
		delete(g.owners, a.AddrPort)
	}
	g.trackLocked(a, false)
	if a.leg.rival.address == a {
		g.endContestLocked(a.leg)
	}
}

func (g *Gate) dropCheckLocked(a *address) {
	if a.check.raw != nil {
		delete(g.checks, a.check.id)
		a.check = check{}
	}
}

// trackLocked notes whether packets of an address count for its allowance.
func (g *Gate) trackLocked(a *address, unproven bool) {
	switch {
	case a.stream:
		return
	case unproven:
		g.unproven[a.AddrPort] = a
	case g.unproven[a.AddrPort] == a:
		delete(g.unproven, a.AddrPort)
	}
	g.anyUnproven.Store(len(g.unproven) > 0)
}

// distrustLocked makes an address unproven: nothing of the leg leaves for it any more.
func (g *Gate) distrustLocked(a *address, now time.Duration) {
	a.distrust(now)
	g.dropCheckLocked(a)
	if g.owners[a.AddrPort] == a {
		delete(g.owners, a.AddrPort)
	}
	g.trackLocked(a, true)
	a.leg.openLocked()
}

// trustLocked makes an address proven, from now on for as long as an answer counts.
func (g *Gate) trustLocked(a *address, now time.Duration) {
	g.dropCheckLocked(a)
	if a.trust(now) {
		return // it was already
	}
	g.trackLocked(a, false)
	if !a.stream {
		// A NAT may have given the address to another client. It belongs to who proved it last.
		if before := g.owners[a.AddrPort]; before != nil && before != a {
			g.distrustLocked(before, now)
		}
		g.owners[a.AddrPort] = a
	}
	a.leg.openLocked()
}
