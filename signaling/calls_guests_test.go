package signaling

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"testing"
	"time"

	"carillon/call"
	"carillon/chat"
	"carillon/client"
	"carillon/front"
	"carillon/refusal"
	"carillon/wire"
)

// from makes a client come from an address.
func from(address string) func(*client.Options) {
	return func(o *client.Options) { o.Header = http.Header{front.XForwardedFor: {address}} }
}

// guestFrom opens a tab of a new guest.
func (w *world) guestFrom(address string) *tab {
	w.t.Helper()
	token, who, err := w.verifier.MintGuest("Visitor")
	if err != nil {
		w.t.Fatal(err)
	}
	return w.open(1, who.User, from(address), func(o *client.Options) {
		o.Token = func(context.Context) (string, error) { return token, nil }
	})
}

// ringOnce starts a call and ends it at once.
func (tb *tab) ringOnce(to string) error {
	s, err := tb.StartCall(tb.t.Context(), to, call.Audio)
	if err == nil {
		err = tb.ask(wire.MethodCallLeave, wire.CallRef{Call: s.Call.ID}, nil)
	}
	return err
}

// ringUntilRefused rings until a limit forbids it, and returns how often it rang.
func (tb *tab) ringUntilRefused(to string) int {
	tb.t.Helper()
	for n := range 1000 {
		err := tb.ringOnce(to)
		if err == nil {
			continue
		}
		if refused, _ := refusal.Of(err); !refusal.Is(err, refusal.RateLimited) || refused.Retry <= 0 {
			tb.t.Fatalf("ring %d: got %v, want %s with a time", n+1, err, refusal.RateLimited)
		}
		return n
	}
	tb.t.Fatal("never refused")
	return 0
}

// With the defaults: guests ring a user a few times, however many of them there are, and who else
// rings the same user notices nothing.
func TestAFloodOfGuestsLeavesOthersTheirRings(t *testing.T) {
	w := newWorld(t, Config{})
	w.chat = chat.New(w.store, chat.Config{Reach: chat.Reach{Guests: []string{"support"}}})
	cw := &callWorld{world: w}
	cw.addCallNode(w.bus)
	support, alice := w.open(1, "support"), w.open(1, "alice", from("198.51.100.1"))

	d := call.Defaults()
	one := w.guestFrom("198.51.100.1").ringUntilRefused("support")
	if one == 0 || one > d.GuestRingsPerMinute {
		t.Errorf("one guest rang %d times, want some, and at most the %d of a minute", one, d.GuestRingsPerMinute)
	}
	if err := w.guestFrom("198.51.100.1").ringOnce("support"); err != nil {
		t.Errorf("another guest of the address: %v", err)
	}
	address := one + 1
	for range 10 {
		address += w.guestFrom("198.51.100.1").ringUntilRefused("support")
	}
	if address > d.GuestAddressRingsPerMinute {
		t.Errorf("the guests of one address rang %d times, want at most the %d of a minute", address, d.GuestAddressRingsPerMinute)
	}
	if err := w.guestFrom("198.51.100.2").ringOnce("support"); err != nil {
		t.Errorf("a guest of another address: %v", err)
	}
	all := address + 1
	for i := range d.GuestRingsPerCallee {
		all += w.guestFrom(fmt.Sprintf("203.0.113.%d", i)).ringUntilRefused("support")
	}
	if all > d.GuestRingsPerCallee {
		t.Errorf("guests rang %d times, want at most the %d of a minute", all, d.GuestRingsPerCallee)
	}

	a := alice.start("support") // at the address of the first of them
	support.until("the ring of a user", a.Call.ID, func(s call.Snapshot) bool { return s.State == call.Ringing })
}

// Who answers may be rung by as many guests as there are.
func TestAnsweredRingsOfGuestsDoNotCountForTheCallee(t *testing.T) {
	w := &callWorld{world: newWorld(t, Config{}), cfg: call.Config{GuestRingsPerCallee: 1}}
	w.addCallNode(w.bus)
	support := w.open(1, "support")
	for i := range 5 {
		guest := w.guestFrom(fmt.Sprintf("203.0.113.%d", i))
		a := guest.start("support")
		support.until("ring", a.Call.ID, func(s call.Snapshot) bool { return s.State == call.Ringing })
		support.must(wire.MethodCallAnswer, wire.CallAnswer{Call: a.Call.ID})
		support.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
		guest.ended(a.Call.ID, call.Completed)
	}
	guest := w.guestFrom("203.0.113.9")
	if err := guest.ringOnce("support"); err != nil {
		t.Fatal(err)
	}
	guest.refused(refusal.RateLimited, wire.MethodCallStart, wire.CallStart{ClientCallID: "next", To: "support", Media: call.Audio})
	guest.must(wire.MethodCallLeave, wire.CallRef{Call: guest.start("sales").Call.ID}) // others may be rung
}

// A guest who rings a group rings once, and whom guests have rung too often is not rung in it.
func TestAGuestRingsAGroupAsOneCall(t *testing.T) {
	w := &callWorld{world: newWorld(t, Config{}), cfg: call.Config{GuestRingsPerMinute: 3, GuestAddressRingsPerMinute: 3, GuestRingsPerCallee: 1}}
	w.addCallNode(w.bus)
	guest := w.guestFrom("203.0.113.1")
	members := []string{guest.Welcome().User.ID}
	for i := range 10 {
		members = append(members, fmt.Sprint("member-", i))
	}
	g := w.group("bob", members...)
	if err := w.guestFrom("203.0.113.2").ringOnce("bob"); err != nil {
		t.Fatal(err)
	}
	s := guest.must(wire.MethodCallStart, wire.CallStart{ClientCallID: rand.Text(), Conversation: g.ID, Media: call.Audio}).Call
	if of(s, "bob").State != call.BusyState {
		t.Errorf("bob, whom a guest has just rung, is %s", of(s, "bob").State)
	}
	for i := range 10 {
		if m := fmt.Sprint("member-", i); of(s, m).State != call.Invited {
			t.Errorf("%s is %s, want them rung", m, of(s, m).State)
		}
	}
}

// A call that is not made costs a guest nothing: here nobody is left to be rung.
func TestAGuestWhoRingsNobodyHasSpentNothing(t *testing.T) {
	w := &callWorld{world: newWorld(t, Config{}), cfg: call.Config{GuestRingsPerMinute: 1, GuestRingsPerCallee: 1}}
	w.addCallNode(w.bus)
	if err := w.guestFrom("203.0.113.1").ringOnce("support"); err != nil {
		t.Fatal(err)
	}
	guest := w.guestFrom("203.0.113.2")
	if n := guest.ringUntilRefused("support"); n != 0 {
		t.Fatalf("rang %d times whom guests ring too often", n)
	}
	if err := guest.ringOnce("sales"); err != nil {
		t.Errorf("after a refusal: %v", err)
	}
}

// Users are counted by their address too, apart from its guests.
func TestRingsOfAnAddressAreLimited(t *testing.T) {
	w := &callWorld{world: newWorld(t, Config{}), cfg: call.Config{AddressRingsPerMinute: 2}}
	w.addCallNode(w.bus)
	const office = "203.0.113.1"
	for i := range 3 {
		user := fmt.Sprint("user-", i)
		err := w.open(1, user, from(office)).ringOnce("bob")
		if refused, _ := refusal.Of(err); i < 2 && err != nil || i == 2 && (!refusal.Is(err, refusal.RateLimited) || refused.Retry <= 0 || refused.Retry > time.Minute) {
			t.Errorf("ring %d from the office: %v", i+1, err)
		}
	}
	if err := w.guestFrom(office).ringOnce("bob"); err != nil {
		t.Errorf("a guest of the office: %v", err)
	}
	if err := w.open(1, "carol", from("203.0.113.2")).ringOnce("bob"); err != nil {
		t.Errorf("a user elsewhere: %v", err)
	}
}
