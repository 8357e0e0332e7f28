package limit

import (
	"net/netip"
	"sync"
	"time"

	"carillon/refusal"
)

// Cap is how much of something one payer, or all of a kind together, may have. An n of zero
// or less is no limit.
type Cap struct {
	Key string // of the configuration; refusals are counted under it
	N   int
}

// Caps are the limits of one Quota. Guests share nothing with users, see [Shares].
type Caps struct {
	User    Cap            // of each user, and of each guest
	Address Cap            // of all users of each address together, and of all its guests
	All     Cap            // of all users together
	Guests  Cap            // of all guests together
	Refusal *refusal.Error // what a payer is told who has too many
}

// Quota is what users and addresses may have of one thing at a time, such as peers. It is
// the counterpart of [Budget] for what is given back.
type Quota struct {
	// Fixed at construction.
	caps                                       Caps
	overUser, overAddress, overAll, overGuests *Count

	mu            sync.Mutex
	users, guests holders
}

// holders is what users, or guests, have.
type holders struct {
	each      map[string]int
	addresses map[netip.Addr]int
	all       int
}

func newHolders() holders {
	return holders{each: make(map[string]int), addresses: make(map[netip.Addr]int)}
}

// NewQuota returns a Quota of which nothing is taken.
func NewQuota(c Caps) *Quota {
	return &Quota{
		caps: c, users: newHolders(), guests: newHolders(),
		overUser: NewCount(c.User.Key), overAddress: NewCount(c.Address.Key),
		overAll: NewCount(c.All.Key), overGuests: NewCount(c.Guests.Key),
	}
}

// Take takes n, or refuses and takes nothing. A payer who has too many is told the refusal of
// the Caps; when all have too many together it is refusal.Busy.
func (q *Quota) Take(p Payer, n int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	h, most, over := q.holdersLocked(p)
	switch {
	case p.User != "" && exceeds(h.each[p.User], n, q.caps.User):
		q.overUser.Add()
		return q.caps.Refusal
	case p.Address.IsValid() && exceeds(h.addresses[p.Address], n, q.caps.Address):
		q.overAddress.Add()
		return q.caps.Refusal
	case exceeds(h.all, n, most):
		over.Add()
		return refusal.After(10*time.Second, refusal.Busy, "The server has no room for more. Try again later.")
	}
	q.addLocked(p, n)
	return nil
}

// Give gives back n that the payer has taken.
func (q *Quota) Give(p Payer, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.addLocked(p, -n)
}

func (q *Quota) addLocked(p Payer, n int) {
	h, _, _ := q.holdersLocked(p)
	h.all += n
	if p.User != "" {
		add(h.each, p.User, n)
	}
	if p.Address.IsValid() {
		add(h.addresses, p.Address, n)
	}
}

// add keeps no key that has nothing.
func add[K comparable](counts map[K]int, key K, n int) {
	if counts[key] += n; counts[key] == 0 {
		delete(counts, key)
	}
}

// holdersLocked is with whom the payer shares, and how much all of them may have.
func (q *Quota) holdersLocked(p Payer) (h *holders, most Cap, over *Count) {
	if p.Guest {
		return &q.guests, q.caps.Guests, q.overGuests
	}
	return &q.users, q.caps.All, q.overAll
}

func exceeds(taken, n int, most Cap) bool { return most.N > 0 && taken+n > most.N }

// Taken is how much is taken.
func (q *Quota) Taken() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.users.all + q.guests.all
}

// Counts are those of its limits.
func (q *Quota) Counts() []*Count {
	return []*Count{q.overUser, q.overAddress, q.overAll, q.overGuests}
}
