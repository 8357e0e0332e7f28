package limit

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"carillon/refusal"
)

// asking is somebody who asks for permits, each in a goroutine of its own, and says which they
// have got.
type asking struct {
	t    *testing.T
	s    *Semaphore
	got  chan string
	give map[string]chan struct{}
}

func (a *asking) ask(name string, p Payer) {
	a.give[name] = make(chan struct{})
	go func() {
		release, err := a.s.Acquire(a.t.Context(), p)
		if err != nil {
			a.t.Error(err)
			return
		}
		a.got <- name
		<-a.give[name]
		release()
	}()
	synctest.Wait() // it has got its permit or waits in line
}

// next returns who has got a permit since the last time.
func (a *asking) next() (names []string) {
	synctest.Wait()
	for len(a.got) > 0 {
		names = append(names, <-a.got)
	}
	slices.Sort(names)
	return names
}

func (a *asking) want(names ...string) {
	a.t.Helper()
	if got := a.next(); !slices.Equal(got, names) {
		a.t.Errorf("got %v, want %v", got, names)
	}
}

func TestASemaphoreLetsUsersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asking{t, NewSemaphore(Cap{N: 2}, Cap{N: 3}), make(chan string, 100), map[string]chan struct{}{}}
		alice, bob, carol := Payer{User: "alice", Address: here}, Payer{User: "bob", Address: here}, Payer{User: "carol", Address: there}
		for _, name := range []string{"a1", "a2", "a3", "a4", "a5"} {
			a.ask(name, alice)
		}
		a.want("a1", "a2") // of one user two
		a.ask("b1", bob)
		a.ask("b2", bob)
		a.want("b1") // of one address three
		a.ask("c1", carol)
		a.want("c1") // another address has its own
		close(a.give["a1"])
		a.want("b2") // a3 has come before, but waited for a2 and a1 first
		close(a.give["b1"])
		a.want("a3")
		for _, name := range []string{"a2", "a3", "a4", "a5", "b2", "c1"} {
			close(a.give[name])
		}
		a.want("a4", "a5")
		if n := len(a.s.users.keys) + len(a.s.addresses.keys); n != 0 {
			t.Errorf("%d users and addresses are remembered that have nothing", n)
		}
	})
}

func TestASemaphoreRefusesWhomItKeepsWaitingTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSemaphore(Cap{Key: "user", N: 1}, Cap{Key: "address", N: 1})
		alice := Payer{User: "alice", Address: netip.MustParseAddr("203.0.113.7")}
		release, err := s.Acquire(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		refused := func(err error) {
			t.Helper()
			if e, _ := refusal.Of(err); !refusal.Is(err, refusal.RateLimited) || e.Retry <= 0 {
				t.Errorf("got %v, want %s with a time", err, refusal.RateLimited)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = s.Acquire(ctx, alice)
		refused(err)
		done := make(chan struct{}, waitingPerPermit)
		for range waitingPerPermit {
			go func() {
				release, err := s.Acquire(t.Context(), alice)
				if err != nil {
					t.Error(err)
					return
				}
				release()
				done <- struct{}{}
			}()
		}
		synctest.Wait()
		_, err = s.Acquire(t.Context(), alice)
		refused(err)
		if n := s.users.over.n.Load(); n != 2 {
			t.Errorf("%d refusals are counted, want 2", n)
		}
		release()
		for range waitingPerPermit {
			<-done
		}
	})
}

// However many guests of an address wait, its users do not wait for them.
func TestUsersDoNotWaitForGuestsOfTheirAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &asking{t, NewSemaphore(Cap{N: 1}, Cap{N: 1}), make(chan string, 100), map[string]chan struct{}{}}
		a.ask("g", Payer{User: "guest:1", Guest: true, Address: here})
		a.ask("h", Payer{User: "guest:2", Guest: true, Address: here})
		a.want("g")
		a.ask("a", Payer{User: "alice", Address: here})
		a.want("a")
		for _, name := range []string{"g", "h", "a"} {
			close(a.give[name])
		}
		a.want("h")
	})
}

func TestNoPermitIsNeededWithoutALimit(t *testing.T) {
	limited, unlimited := NewSemaphore(Cap{N: 1}, Cap{N: 1}), NewSemaphore(Cap{}, Cap{})
	for range 10 {
		for _, nobody := range []Payer{{}, {Guest: true}} { // what the server does by itself
			if _, err := limited.Acquire(t.Context(), nobody); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := unlimited.Acquire(t.Context(), Payer{User: "alice", Address: here}); err != nil {
			t.Fatal(err)
		}
	}
}
