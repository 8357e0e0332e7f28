package signaling

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/auth"
	"carillon/chat"
	"carillon/limit"
	"carillon/limit/limittest"
	"carillon/refusal"
	"carillon/wire"
)

func TestRatesAreTyped(t *testing.T) {
	w := newWorld(t, Config{Rates: Rates{UserRequests: 1}})
	alice, bob := w.open(0, "alice"), w.open(0, "bob")
	var err error
	for range int(burst/time.Second) + 1 {
		err = alice.ask(wire.MethodSessionList, wire.Empty{}, nil)
	}
	if !refusal.Is(err, refusal.RateLimited) {
		t.Fatalf("got %v, want rate_limited", err)
	}
	if refused, _ := refusal.Of(err); refused.Retry <= 0 || refused.Retry > 2*time.Second {
		t.Errorf("retry after %v", refused.Retry)
	}
	if err := bob.ask(wire.MethodSessionList, wire.Empty{}, nil); err != nil {
		t.Errorf("another user is refused too: %v", err)
	}
}

func TestTabsPerUser(t *testing.T) {
	w := newWorld(t, Config{TabsPerUser: 3})
	for range 3 {
		w.open(0, "alice")
	}
	if _, err := w.dial(0, "alice"); !refusal.Is(err, refusal.TooManyTabs) {
		t.Errorf("fourth tab: got %v, want too_many_tabs", err)
	}
	w.open(0, "bob")
}

// attempts lets an address fail so many times at once.
func attempts(n int) *limit.Budget {
	return limit.NewBudget(limit.Shares{Address: limit.Share{Key: "attempts", Rate: limit.Per(time.Hour, n, time.Hour)}})
}

// helloFrom says hello from an address, and returns with what it was refused, if it was.
func (w *world) helloFrom(address, token string) error {
	p, err := w.plainFrom(address, 1)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }()
	if f := p.hello(token); f.Error != nil {
		return refusal.New(f.Error.Data.Code, "%s", f.Error.Message)
	}
	return nil
}

// A flood of wrong tokens costs the addresses that it comes from, and nobody else.
func TestAnHonestHelloPassesAFloodOfStrangers(t *testing.T) {
	const each = 3
	w := newWorld(t, Config{})
	w.attempts = attempts(each)
	// Of what all have in common there is so little that the flood would use it up.
	w.addNode(Config{Rates: Rates{Hellos: 1}}, join(t, w))
	for i := range 40 {
		address := fmt.Sprintf("198.51.100.%d", i)
		for range each {
			if err := w.helloFrom(address, "wrong"); !refusal.Is(err, refusal.TokenMalformed) {
				t.Fatalf("a wrong token from %s: got %v", address, err)
			}
		}
		if err := w.helloFrom(address, "wrong"); err == nil || refusal.Is(err, refusal.TokenMalformed) {
			t.Errorf("%s may go on: %v", address, err)
		}
	}
	for i := range each + 1 { // one network
		err := w.helloFrom(fmt.Sprintf("2001:db8::%d", i+1), "wrong")
		if over := i == each; over == refusal.Is(err, refusal.TokenMalformed) {
			t.Errorf("attempt %d of a network: got %v", i+1, err)
		}
	}
	if err := w.helloFrom("203.0.113.9", w.token("alice")); err != nil {
		t.Errorf("an honest hello during the flood: %v", err)
	}
}

// Many users behind one address come back at once: what succeeds does not count.
func TestHellosThatSucceedCostTheirAddressNothing(t *testing.T) {
	w := newWorld(t, Config{})
	w.attempts = attempts(2)
	w.addNode(Config{}, join(t, w))
	for i := range 10 {
		if err := w.helloFrom("203.0.113.9", w.token(fmt.Sprintf("user-%d", i))); err != nil {
			t.Fatalf("hello %d: %v", i, err)
		}
	}
}

// Who has a good token and is refused for something else, such as a tab too many, does not shut
// out the others at their address.
func TestHellosOfKnownUsersCostTheirAddressNothing(t *testing.T) {
	w := newWorld(t, Config{})
	w.attempts = attempts(2)
	w.addNode(Config{TabsPerUser: 1}, join(t, w))
	w.open(1, "alice")
	for i := range 10 {
		if err := w.helloFrom("203.0.113.9", w.token("alice")); !refusal.Is(err, refusal.TooManyTabs) {
			t.Fatalf("hello %d: got %v, want %s", i, err, refusal.TooManyTabs)
		}
	}
	if err := w.helloFrom("203.0.113.9", w.token("bob")); err != nil {
		t.Errorf("somebody else at the address: %v", err)
	}
}

// When our database fails, nobody is an attacker. Of a token whose key is not known yet that
// cannot be said: anyone can make one.
func TestHellosThatFailByOurFaultCostTheirAddressNothing(t *testing.T) {
	w := newWorld(t, Config{})
	w.attempts = attempts(2)
	fault := errors.New("the disk fails")
	w.verify = func(context.Context, string) (auth.Identity, error) { return auth.Identity{}, fault }
	w.addNode(Config{}, join(t, w))
	for i := range 10 {
		if err := w.helloFrom("203.0.113.9", "token"); !refusal.Is(err, refusal.Internal) {
			t.Fatalf("hello %d: got %v, want %s", i, err, refusal.Internal)
		}
	}
	fault = refusal.After(time.Second, refusal.Busy, "Nobody knows yet.")
	for range 2 {
		if err := w.helloFrom("203.0.113.9", "token"); !refusal.Is(err, refusal.Busy) {
			t.Fatalf("got %v, want %s", err, refusal.Busy)
		}
	}
	if err := w.helloFrom("203.0.113.9", "token"); err == nil || refusal.Is(err, refusal.Busy) {
		t.Errorf("an address may try keys without end: got %v", err)
	}
}

// A connection that is in tries tokens at the expense of its address, like one that is not.
func TestRenewalsWithWrongTokensAreChargedToTheirAddress(t *testing.T) {
	w := newWorld(t, Config{})
	w.attempts = attempts(2)
	w.addNode(Config{}, join(t, w))
	p, err := w.plainFrom("203.0.113.9", 1)
	if err != nil {
		t.Fatal(err)
	}
	p.hello(w.token("alice"))
	for i, want := range []refusal.Code{refusal.TokenMalformed, refusal.TokenMalformed, refusal.RateLimited} {
		p.write(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"token.renew","params":{"token":"wrong"}}`, 10+i))
		p.frames(func(f wire.Frame) bool {
			if f.Error != nil && f.Error.Data.Code != want {
				t.Errorf("renewal %d: got %s, want %s", i+1, f.Error.Data.Code, want)
			}
			return f.ID != nil && *f.ID == int64(10+i)
		})
	}
}

func TestAFloodOfGuestsLeavesUsersTheirHellos(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{Rates: Rates{Hellos: 1}}, join(t, w))
	i := 0
	for err := error(nil); err == nil; i++ {
		if err = w.guestHello(fmt.Sprintf("198.51.100.%d", i)); err != nil && !refusal.Is(err, refusal.RateLimited) {
			t.Fatal(err)
		}
		if i > 100 {
			t.Fatal("guests are not limited in all")
		}
	}
	if err := w.helloFrom("203.0.113.9", w.token("alice")); err != nil {
		t.Errorf("a user's hello while guests are over their limit: %v", err)
	}
}

// guestHello is the hello of a new guest.
func (w *world) guestHello(address string) error {
	token, _, err := w.verifier.MintGuest("Visitor")
	if err != nil {
		w.t.Fatal(err)
	}
	return w.helloFrom(address, token)
}

// A hundred guests of one address take the hellos of that address, and of its guests only.
func TestAFloodOfGuestsOfOneAddressLeavesOthersTheirHellos(t *testing.T) {
	w := newWorld(t, Config{})
	defaults := Defaults().Rates
	w.addNode(Config{Rates: Rates{AddressHellos: defaults.AddressHellos / 100, Hellos: defaults.Hellos / 100}}, join(t, w))
	var err error
	for range 100 {
		if err = w.guestHello("198.51.100.1"); err != nil {
			break
		}
	}
	if !refusal.Is(err, refusal.RateLimited) {
		t.Fatalf("a hundred guests of one address: got %v, want %s", err, refusal.RateLimited)
	}
	if err := w.guestHello("198.51.100.2"); err != nil {
		t.Errorf("a guest of another address: %v", err)
	}
	if err := w.helloFrom("198.51.100.1", w.token("alice")); err != nil {
		t.Errorf("a user of the same address: %v", err)
	}
}

// The defaults are chosen so that no person ever meets them: after a restart an agent comes
// back with a tab for each of 60 customers, and every tab asks for all that it shows.
func TestAnAgentWithManyTabsMeetsNoLimit(t *testing.T) {
	w := newWorld(t, Config{})
	customers := wire.PresenceWatch{}
	var last string
	for i := range 100 {
		customer := fmt.Sprint("customer-", i)
		c, err := w.chat.DirectWith(t.Context(), chat.User{ID: "agent"}, customer)
		if err != nil {
			t.Fatal(err)
		}
		customers.Users, last = append(customers.Users, customer), c.ID
	}
	for i := range 60 {
		tb := w.open(0, "agent")
		for method, params := range map[string]any{
			wire.MethodConversationList: wire.ConversationList{},
			wire.MethodPresenceWatch:    customers,
			wire.MethodMessagePage:      wire.MessagePage{Conversation: last},
			wire.MethodConversationGet:  wire.ConversationGet{Conversations: []string{last}},
			wire.MethodUserObjectGet:    wire.UserObjectGet{},
		} {
			if err := tb.ask(method, params, nil); err != nil {
				t.Fatalf("tab %d: %s: %v", i+1, method, err)
			}
		}
	}
}

// A request costs what it reads, not one.
func TestARequestCostsWhatItIsAbout(t *testing.T) {
	w := newWorld(t, Config{Rates: Rates{UserRequests: 2}}) // 10 at once
	alice := w.open(0, "alice")
	many := wire.PresenceWatch{}
	for i := range 500 {
		many.Users = append(many.Users, fmt.Sprintf("user-%d", i))
	}
	if err := alice.ask(wire.MethodPresenceWatch, many, nil); err != nil {
		t.Fatalf("the first: %v", err)
	}
	err := alice.ask(wire.MethodPresenceWatch, wire.PresenceWatch{}, nil)
	refused, _ := refusal.Of(err)
	if !refusal.Is(err, refusal.RateLimited) || refused.Retry < 3*time.Second {
		t.Errorf("after one for 500 users: got %v, want to wait for what they cost", err)
	}
}

// Nobody makes members of ids that they invent, except the site's backend.
func TestAnAdminNamesWhoHasNotSignedInYet(t *testing.T) {
	w := newWorld(t, Config{})
	w.chat = chat.New(w.store, chat.Config{})
	w.verify = func(ctx context.Context, token string) (auth.Identity, error) {
		id, err := w.verifier.Verify(ctx, token)
		if id.User == "backend" {
			id.Scope.Grants = []string{"admin"}
		}
		return id, err
	}
	w.addNode(Config{}, join(t, w))
	backend, alice := w.open(1, "backend"), w.open(1, "alice")
	group := wire.ConversationCreate{Kind: chat.Group, Members: []string{"alice", "new-agent"}, Name: "Team"}
	if err := alice.ask(wire.MethodConversationCreate, group, nil); !refusal.Is(err, refusal.NotFound) {
		t.Errorf("a user's group: got %v, want %s", err, refusal.NotFound)
	}
	if _, err := alice.Send(t.Context(), wire.MessageSend{To: "new-agent", Text: "hello"}); !refusal.Is(err, refusal.NotFound) {
		t.Errorf("a user's message: got %v, want %s", err, refusal.NotFound)
	}
	if err := backend.ask(wire.MethodConversationCreate, group, nil); err != nil {
		t.Fatalf("an admin's group: %v", err)
	}
	alice.send("new-agent", "hello") // is known from now on
}

// Each limit counts what it refuses under its key.
func TestEveryLimitOfTabsIsMeasured(t *testing.T) {
	asks := func(users ...string) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			for i := range 7 { // five may come at once
				p, err := w.plainFrom(fmt.Sprintf("203.0.113.%d", i%2), 1)
				if err != nil {
					t.Fatal(err)
				}
				if f := p.hello(w.token(users[i%len(users)])); f.Error != nil {
					t.Fatal(f.Error.Message)
				}
				p.write(`{"jsonrpc":"2.0","id":8,"method":"session.list"}`)
				p.frames(func(f wire.Frame) bool { return f.ID != nil && *f.ID == 8 })
				_ = p.Close()
			}
		}
	}
	hellos := func(users ...string) func(*testing.T, *world) {
		return func(_ *testing.T, w *world) {
			for i := range 6 {
				_ = w.helloFrom("", w.token(users[i%len(users)]))
			}
		}
	}
	reading := func(p limit.Payer) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			end, err := w.nodes[1].beginRead(p)
			if err != nil {
				t.Fatal(err)
			}
			defer end()
			gaveUp, cancel := context.WithCancel(t.Context())
			cancel()
			_, _ = w.nodes[1].limits.reads.Acquire(gaveUp, p)
		}
	}
	many := []string{"a", "b", "c", "d", "e", "f", "g"}
	for key, test := range map[string]struct {
		cfg  Config
		over func(t *testing.T, w *world)
	}{
		"signaling.rates.frames": {Config{Rates: Rates{Frames: 2}}, func(_ *testing.T, w *world) {
			p := w.plain(1)
			p.hello(w.token("alice"))
			p.write(strings.Repeat(`{"jsonrpc":"2.0","method":"pong"}`+"\n", 20))
			p.frames(func(wire.Frame) bool { return false })
		}},
		"signaling.rates.user_requests":    {Config{Rates: Rates{UserRequests: 1}}, asks("alice")},
		"signaling.rates.address_requests": {Config{Rates: Rates{AddressRequests: 1}}, func(t *testing.T, w *world) { asks(many...)(t, w); asks(many...)(t, w) }},
		"signaling.rates.requests":         {Config{Rates: Rates{Requests: 1}}, asks(many...)},
		"signaling.rates.user_hellos":      {Config{Rates: Rates{UserHellos: 1}}, hellos("alice")},
		"signaling.rates.address_hellos": {Config{Rates: Rates{AddressHellos: 1}}, func(_ *testing.T, w *world) {
			for _, user := range many {
				_ = w.helloFrom("203.0.113.1", w.token(user))
			}
		}},
		"signaling.rates.hellos":  {Config{Rates: Rates{Hellos: 1}}, hellos(many...)},
		"signaling.user_reads":    {Config{UserReads: 1}, reading(limit.Payer{User: "alice"})},
		"signaling.address_reads": {Config{AddressReads: 1}, reading(limit.Payer{Address: netip.MustParseAddr("203.0.113.9")})},
		"signaling.tabs_per_user": {Config{TabsPerUser: 1}, func(_ *testing.T, w *world) {
			w.open(1, "alice")
			_, _ = w.dial(1, "alice")
		}},
	} {
		t.Run(key, func(t *testing.T) {
			w := newWorld(t, Config{})
			w.metrics = prometheus.NewRegistry()
			w.addNode(test.cfg, join(t, w))
			test.over(t, w)
			if limittest.Refused(t, w.metrics)[key] == 0 {
				t.Error("the refusal is not counted")
			}
		})
	}
}
