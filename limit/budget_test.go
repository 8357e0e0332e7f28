package limit

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/refusal"
)

// hourly lets n be spent at once, and hardly any more in the time of a test.
func hourly(key string, n int) Share { return Share{Key: key, Rate: Per(time.Hour, n, time.Hour)} }

var (
	here  = netip.MustParseAddr("203.0.113.1")
	there = netip.MustParseAddr("203.0.113.2")
)

func TestABudgetRefusesAtTheNarrowestShare(t *testing.T) {
	for name, test := range map[string]struct {
		shares Shares
		first  Payer // spends all
		second Payer
		over   bool
	}{
		"the same user":                        {Shares{User: hourly("", 10)}, Payer{User: "a", Address: here}, Payer{User: "a", Address: there}, true},
		"another user":                         {Shares{User: hourly("", 10)}, Payer{User: "a", Address: here}, Payer{User: "b", Address: here}, false},
		"another user of the address":          {Shares{Address: hourly("", 10)}, Payer{User: "a", Address: here}, Payer{User: "b", Address: here}, true},
		"another address":                      {Shares{Address: hourly("", 10)}, Payer{User: "a", Address: here}, Payer{User: "a", Address: there}, false},
		"no address":                           {Shares{Address: hourly("", 10)}, Payer{User: "a"}, Payer{User: "a"}, false},
		"another user, of what all share":      {Shares{All: hourly("", 10)}, Payer{User: "a"}, Payer{User: "b"}, true},
		"a user, of what guests share":         {Shares{All: hourly("", 10), Guests: hourly("", 10)}, Payer{User: "g", Guest: true}, Payer{User: "a"}, false},
		"another guest, of what guests share":  {Shares{All: hourly("", 10), Guests: hourly("", 10)}, Payer{User: "g", Guest: true}, Payer{User: "h", Guest: true}, true},
		"another guest of the address":         {Shares{Address: hourly("", 10)}, Payer{User: "g", Guest: true, Address: here}, Payer{User: "h", Guest: true, Address: here}, true},
		"a user, of a guest's address":         {Shares{Address: hourly("", 10)}, Payer{User: "g", Guest: true, Address: here}, Payer{User: "a", Address: here}, false},
		"a guest, of a user's address":         {Shares{Address: hourly("", 10)}, Payer{User: "a", Address: here}, Payer{User: "g", Guest: true, Address: here}, false},
		"the same guest, of a guest's share":   {Shares{User: hourly("", 20), Guest: hourly("", 10)}, Payer{User: "g", Guest: true}, Payer{User: "g", Guest: true}, true},
		"a user, who has more than a guest":    {Shares{User: hourly("", 20), Guest: hourly("", 10)}, Payer{User: "a"}, Payer{User: "a"}, false},
		"guests of an address, of their share": {Shares{Address: hourly("", 20), GuestAddress: hourly("", 10)}, Payer{User: "g", Guest: true, Address: here}, Payer{User: "h", Guest: true, Address: here}, true},
		"users of an address, of their share":  {Shares{Address: hourly("", 20), GuestAddress: hourly("", 10)}, Payer{User: "a", Address: here}, Payer{User: "b", Address: here}, false},
		"a guest who is given what a user is":  {Shares{User: hourly("", 10)}, Payer{User: "g", Guest: true}, Payer{User: "g", Guest: true}, true},
		"a user, after a stranger has paid":    {Shares{All: hourly("", 10)}, Payer{Address: here}, Payer{User: "a", Address: here}, false},
		"a stranger, after one of the address": {Shares{Address: hourly("", 10)}, Payer{Address: here}, Payer{Address: here}, true},
		"who pays nothing":                     {Shares{User: hourly("", 10), All: hourly("", 10)}, Payer{}, Payer{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b, now := NewBudget(test.shares), time.Now()
			if err := b.Take(test.first, 10, now); err != nil {
				t.Fatalf("the first: %v", err)
			}
			if err := b.Take(test.second, 1, now); (err != nil) != test.over {
				t.Errorf("the second: got %v, want refused: %t", err, test.over)
			}
		})
	}
}

func TestARefusalIsTypedAndTakesNothing(t *testing.T) {
	b, now := NewBudget(Shares{User: hourly("", 60), Address: hourly("", 120), All: hourly("", 60), Refusal: "Too much was written."}), time.Now()
	alice, bob := Payer{User: "alice", Address: here}, Payer{User: "bob", Address: here}
	b.Charge(Payer{User: "others"}, 60, now) // all that they have in common
	err := b.Take(alice, 50, now)
	if e, _ := refusal.Of(err); !refusal.Is(err, refusal.RateLimited) || e.Retry != time.Minute || e.Message != "Too much was written." {
		t.Fatalf("got %v", err)
	}
	later := now.Add(time.Minute) // one has come back
	for range 2 {
		if err := b.Take(alice, 0, later); err != nil {
			t.Errorf("nothing was taken, so there is something left: %v", err)
		}
	}
	if err := b.Take(bob, 60, later); err != nil {
		t.Errorf("the address has spent nothing: %v", err)
	}
}

func TestWhatIsGivenBackMayBeSpentAgain(t *testing.T) {
	b, now := NewBudget(Shares{User: hourly("", 10), Address: hourly("", 10), All: hourly("", 10)}), time.Now()
	p := Payer{User: "alice", Address: here}
	for range 5 {
		if err := b.Take(p, 10, now); err != nil {
			t.Fatal(err)
		}
		b.Give(p, 10, now)
	}
	b.Give(p, 1000, now) // no more is saved up than the burst
	if b.Take(p, 10, now) != nil || b.Take(p, 1, now) == nil {
		t.Error("a budget is not what it was")
	}
}

func TestADebtIsPaidWhateverItIsFor(t *testing.T) {
	b, now := NewBudget(Shares{User: Share{Rate: Per(time.Second, 1, time.Second)}}), time.Now()
	b.Charge(Payer{User: "alice"}, 30, now)
	err := b.Take(Payer{User: "alice"}, 0, now)
	if e, _ := refusal.Of(err); !refusal.Is(err, refusal.RateLimited) || e.Retry != 30*time.Second {
		t.Errorf("got %v, want to wait for 30 s", err)
	}
}

func TestNoBudgetIsNoLimit(t *testing.T) {
	var b *Budget
	b.Charge(Payer{User: "alice"}, 1, time.Now())
	b.Give(Payer{User: "alice"}, 1, time.Now())
	unset := NewBudget(Shares{})
	for range 1000 {
		p := Payer{User: "alice", Address: here}
		if b.Take(p, 1<<40, time.Now()) != nil || unset.Take(p, 1<<40, time.Now()) != nil {
			t.Fatal("refused")
		}
	}
}

func TestEachLimitIsCountedUnderItsKey(t *testing.T) {
	reg, now := prometheus.NewRegistry(), time.Now()
	b := NewBudget(Shares{User: hourly("per.user", 3), Address: hourly("per.address", 5), All: hourly("all", 7), Guests: hourly("all", 7)})
	Register(reg, b.Counts()...)
	take := func(p Payer, n int) { _ = b.Take(p, n, now) }
	take(Payer{User: "a", Address: here}, 3)
	take(Payer{User: "a", Address: there}, 1) // over the user's
	take(Payer{User: "b", Address: here}, 2)
	take(Payer{User: "c", Address: here}, 1) // over the address's
	take(Payer{User: "d"}, 2)
	take(Payer{User: "e"}, 1) // over what all have
	take(Payer{User: "g", Guest: true}, 7)
	take(Payer{User: "h", Guest: true}, 1) // over what guests have
	families, err := reg.Gather()
	if err != nil || len(families) != 1 {
		t.Fatalf("got %d metrics, %v", len(families), err)
	}
	got := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
	}
	for key, want := range map[string]float64{"per.user": 1, "per.address": 1, "all": 2} {
		if got[key] != want {
			t.Errorf("%s has refused %v, want %v", key, got[key], want)
		}
	}
}

func TestTheContextSaysWhoPays(t *testing.T) {
	if got := PayerOf(t.Context()); got != (Payer{}) {
		t.Errorf("got %+v, want nobody", got)
	}
	want := Payer{User: "alice", Address: here}
	if got := PayerOf(context.WithoutCancel(PaidBy(t.Context(), want))); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestClientsOfThisMachineAreNotToldApart(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:7": "192.0.2.1", "[2001:db8::1]:5": "2001:db8::", "127.0.0.1:5": "invalid IP", "[::1]:5": "invalid IP", "nonsense": "invalid IP",
	} {
		if got := Client(remote).String(); got != want {
			t.Errorf("%s counts as %s, want %s", remote, got, want)
		}
	}
}
