package consent

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
)

// Leg is what is known of the addresses of one ICE session: a leg of a call until its next
// ICE restart.
type Leg struct {
	// Fixed at construction.
	gate       *Gate
	tieBreaker uint64 // our checks must have one, though a lite agent never controls

	// For each packet, without a lock.
	open        atomic.Pointer[[]*address] // the proven addresses; replaced, never edited
	destination atomic.Pointer[address]    // where the newest nomination led the media; nil: none came
	quiet       atomic.Bool                // nothing came from destination since the rival was first heard
	withheld    atomic.Bool                // the newest packet that is not STUN was not sent

	// Guarded by Gate.mu.
	ours, theirs Credentials // empty: Expect was not called yet
	addresses    []*address
	nominated    time.Duration    // when the newest nomination that pion was shown came
	rival        rival            // of destination
	conns        [2]*datagramConn // for IPv4 and IPv6; nil: pion has no candidate
}

// rival is a proven address from which requests come that nominate nothing, while the leg's
// media goes elsewhere.
type rival struct {
	address *address // nil: there is none
	since   time.Duration
	request *stun.Message // the newest
}

func newLeg(g *Gate) *Leg {
	l := &Leg{gate: g, tieBreaker: rand.Uint64()}
	l.open.Store(&[]*address{})
	return l
}

// Withheld returns whether packets for the client are held back now, since the address that
// they would go to has not consented. It may be called on nil: nothing is.
func (l *Leg) Withheld() bool { return l != nil && l.withheld.Load() }

// allows returns whether a packet of the leg may leave for an address. It is called for each.
func (l *Leg) allows(b []byte, to place) bool {
	allowed := false
	for _, a := range *l.open.Load() {
		if a.place == to {
			if !a.used.Load() {
				a.used.Store(true)
			}
			allowed = true
			break
		}
	}
	if !allowed {
		l.gate.counters.withheld.Add(1)
	}
	// "[0..3] -+--> forward to STUN": https://www.rfc-editor.org/rfc/rfc7983#section-7
	if len(b) > 0 && b[0] > 3 && l.withheld.Load() == allowed {
		l.withheld.Store(!allowed)
	}
	return allowed
}

// heard notes that a packet came. It is called for each.
func (l *Leg) heard(from place) {
	if d := l.destination.Load(); d != nil && d.place == from && l.quiet.Load() {
		l.quiet.Store(false)
	}
}

// openLocked lists the proven addresses again.
func (l *Leg) openLocked() {
	open := make([]*address, 0, len(l.addresses))
	for _, a := range l.addresses {
		if a.proven {
			open = append(open, a)
		}
	}
	l.open.Store(&open)
}

// findLocked returns what is known of an address; nil: nothing.
func (l *Leg) findLocked(p place) *address {
	for _, a := range l.addresses {
		if a.place == p {
			return a
		}
	}
	return nil
}

// addLocked makes a new address known, for which another makes way if there are too many.
func (l *Leg) addLocked(p place, send func([]byte), now time.Duration) *address {
	if len(l.addresses) >= legAddresses {
		l.makeWayLocked()
	}
	a := &address{leg: l, place: p, send: send, heard: now}
	l.addresses = append(l.addresses, a)
	return a
}

// makeWayLocked forgets the address that is needed least, but never the one that the media
// goes to.
func (l *Leg) makeWayLocked() {
	least := -1
	for i, a := range l.addresses {
		if a != l.destination.Load() && (least < 0 || a.neededLess(l.addresses[least])) {
			least = i
		}
	}
	l.gate.dropLocked(l.addresses[least])
	l.addresses = slices.Delete(l.addresses, least, least+1)
	l.openLocked()
}
