package limit

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"carillon/refusal"
)

// Semaphore bounds how much of each user, of the users of each address, and of its guests runs at a
// time, such as reads of the database. The rest waits. It is the counterpart of [Quota] for what soon ends by itself.
//
// Who waits does so among those of the same user first, and then among those of the same
// address, each time in the order of arrival. Of one user no more wait at the second stage than
// may run: so the users of an address take turns, whatever one of them asks.
type Semaphore struct {
	// Fixed at construction.
	users     *permits[string]
	addresses *permits[addressKey]
}

// addressKey names the users of one address, or its guests.
type addressKey struct {
	address netip.Addr
	guests  bool
}

// keyOf is the zero key for who is not told apart from other addresses.
func keyOf(p Payer) addressKey {
	if !p.Address.IsValid() {
		return addressKey{}
	}
	return addressKey{p.Address, p.Guest}
}

// waitingPerPermit is how many may wait for each that may run. More are refused: who asks that
// much at once is not behind their own requests for a moment only.
const waitingPerPermit = 50

// NewSemaphore returns a Semaphore of which nothing is taken.
func NewSemaphore(user, address Cap) *Semaphore {
	return &Semaphore{users: newPermits[string](user), addresses: newPermits[addressKey](address)}
}

// Acquire waits until one more of the payer may run. It refuses with refusal.RateLimited when
// too many wait already, or when ctx ends first. Call release when it has run.
func (s *Semaphore) Acquire(ctx context.Context, p Payer) (release func(), _ error) {
	if err := s.users.acquire(ctx, p.User); err != nil {
		return nil, err
	}
	key := keyOf(p)
	if err := s.addresses.acquire(ctx, key); err != nil {
		s.users.release(p.User)
		return nil, err
	}
	return func() {
		s.addresses.release(key)
		s.users.release(p.User)
	}, nil
}

// Counts are those of its limits.
func (s *Semaphore) Counts() []*Count { return []*Count{s.users.over, s.addresses.over} }

// permits are those of one kind of key. The zero key needs none.
type permits[K comparable] struct {
	// Fixed at construction.
	most int // zero or less: no limit
	over *Count

	mu   sync.Mutex
	keys map[K]*permit
}

// permit is what one key has taken. It exists while something runs or waits.
type permit struct {
	running chan struct{} // one for each that runs; those that wait are sending, in order
	count   int           // of those that run or wait; under the mutex of permits
}

func newPermits[K comparable](c Cap) *permits[K] {
	return &permits[K]{most: c.N, over: NewCount(c.Key), keys: make(map[K]*permit)}
}

func (p *permits[K]) needless(key K) bool { return p.most <= 0 || key == *new(K) }

func (p *permits[K]) acquire(ctx context.Context, key K) error {
	if p.needless(key) {
		return nil
	}
	of := p.enter(key)
	if of == nil {
		return p.refuse()
	}
	select {
	case of.running <- struct{}{}:
		return nil
	case <-ctx.Done():
		p.leave(key)
		return p.refuse()
	}
}

func (p *permits[K]) release(key K) {
	if p.needless(key) {
		return
	}
	<-p.leave(key).running
}

// enter counts one more that runs or waits. It returns nil when there are too many.
func (p *permits[K]) enter(key K) *permit {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := p.keys[key]
	if of == nil {
		of = &permit{running: make(chan struct{}, p.most)}
		p.keys[key] = of
	}
	if of.count >= p.most*(1+waitingPerPermit) {
		return nil
	}
	of.count++
	return of
}

func (p *permits[K]) leave(key K) *permit {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := p.keys[key]
	if of.count--; of.count == 0 {
		delete(p.keys, key)
	}
	return of
}

func (p *permits[K]) refuse() error {
	p.over.Add()
	return refusal.After(time.Second, refusal.RateLimited, "You ask for more at once than is read for you. Wait for answers.")
}
