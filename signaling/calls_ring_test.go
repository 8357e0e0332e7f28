package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/call"
	"carillon/chat"
	"carillon/client"
	"carillon/limit/limittest"
	"carillon/refusal"
	"carillon/wire"
)

func TestRingsInAllTabsAndOneAnswers(t *testing.T) {
	w := newCallWorld(t)
	alice := w.open(1, "alice")
	var bobs []*tab
	for i := range 4 { // two devices with two tabs each
		bobs = append(bobs, w.open(1, "bob", func(o *client.Options) { o.Device = fmt.Sprintf("bobs-device-%d", i/2) }))
	}
	w.open(1, "carol") // hears nothing, see below
	a := alice.start("bob")
	ring := int64(call.Defaults().RingSeconds) * 1000
	for _, b := range bobs {
		if s := b.rung(); s.ID != a.Call.ID || s.RemainingMS <= 0 || s.RemainingMS > ring {
			t.Errorf("ring %+v", s)
		}
	}
	bobs[0].must(wire.MethodCallRinging, wire.CallRef{Call: a.Call.ID})
	alice.until("ringing at bob's", a.Call.ID, func(s call.Snapshot) bool { return of(s, "bob").State == call.Alerting })

	pa, pb := newPhone(t), newPhone(t)
	pa.connect(alice, a)
	b := bobs[2].must(wire.MethodCallAnswer, wire.CallAnswer{Call: a.Call.ID, Camera: true})
	for _, tb := range bobs {
		s := tb.until("answered", a.Call.ID, func(s call.Snapshot) bool { return s.State != call.Ringing })
		if at := of(s, "bob").ActedAt; at == nil || at.TabID != bobs[2].Tab() || at.Device != "bobs-device-1" {
			t.Errorf("acted at %+v, want bob's third tab", at)
		}
	}
	bobs[1].refused(refusal.AlreadyAnswered, wire.MethodCallAnswer, wire.CallAnswer{Call: a.Call.ID})
	bobs[3].refused(refusal.AlreadyAnswered, wire.MethodCallDecline, wire.CallRef{Call: a.Call.ID})
	pb.connect(bobs[2], b)
	alice.untilState(a.Call.ID, call.Active)
	pa.hears("bob at alice's")
	pb.hears("alice at bob's")

	// Any of bob's tabs hangs up.
	bobs[0].must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
	alice.ended(a.Call.ID, call.Completed)
	alice.legEnd(a.Leg, call.Completed)
	bobs[2].legEnd(b.Leg, call.Completed)
	history, err := w.chat.Page(t.Context(), "bob", a.Call.Conversation, 0, 0, 10)
	if err != nil || len(history.Items) != 1 {
		t.Fatalf("history %+v, %v: want one message of the call", history, err)
	}
	var log call.Log
	m := decoded[chat.Message](t, history.Items[0].Data)
	if err := json.Unmarshal(m.Data, &log); m.Kind != chat.Call || err != nil || log.Reason != call.Completed || log.DurationMS <= 0 {
		t.Errorf("log %+v, %v", log, err)
	}
}

func TestTwoTabsAnswerAtTheSameTime(t *testing.T) {
	w := newCallWorld(t)
	alice := w.open(1, "alice")
	bobs := []*tab{w.open(1, "bob"), w.open(1, "bob"), w.open(1, "bob")}
	a := alice.start("bob")
	errs := make([]error, len(bobs))
	var wg sync.WaitGroup
	for i, b := range bobs {
		b.rung()
		wg.Go(func() { _, errs[i] = b.leg(wire.MethodCallAnswer, wire.CallAnswer{Call: a.Call.ID}) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !refusal.Is(err, refusal.AlreadyAnswered) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d tabs have won", won)
	}
}

func TestDeclineCancelAndBadIDs(t *testing.T) {
	w := newCallWorld(t)
	alice, bob, bob2, carol := w.open(1, "alice"), w.open(1, "bob"), w.open(1, "bob"), w.open(1, "carol")
	a := alice.start("bob")
	bob.rung()
	bob.must(wire.MethodCallDecline, wire.CallRef{Call: a.Call.ID})
	alice.ended(a.Call.ID, call.DeclinedReason)
	alice.legEnd(a.Leg, call.DeclinedReason)
	if s := bob2.ended(a.Call.ID, call.DeclinedReason); of(s, "bob").ActedAt.TabID != bob.Tab() {
		t.Error("bob's other tab does not learn who declined")
	}

	a = alice.start("bob")
	bob.until("second ring", a.Call.ID, func(s call.Snapshot) bool { return s.State == call.Ringing })
	for _, id := range []string{a.Call.ID, "", "x", "call.*", ">", "AAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		for method, params := range map[string]any{
			wire.MethodCallAnswer: wire.CallAnswer{Call: id}, wire.MethodCallMove: wire.CallMove{Call: id},
			wire.MethodCallLeave: wire.CallRef{Call: id}, wire.MethodCallResume: wire.LegRef{Call: id},
		} {
			carol.refused(refusal.NotFound, method, params)
		}
	}
	alice.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
	if s := bob.ended(a.Call.ID, call.Cancelled); of(s, "bob").State != call.Missed {
		t.Errorf("bob %s, want missed", of(s, "bob").State)
	}
	for what, p := range map[string]wire.CallStart{
		"no one": {ClientCallID: "1", Media: call.Audio}, "self": {ClientCallID: "2", Media: call.Audio, To: "alice"},
		"no id": {Media: call.Audio, To: "bob"}, "smell": {ClientCallID: "3", Media: "smell", To: "bob"},
	} {
		if _, err := alice.leg(wire.MethodCallStart, p); !refusal.Is(err, refusal.BadRequest) {
			t.Errorf("start with %s: %v", what, err)
		}
	}
	alice.refused(refusal.NotFound, wire.MethodCallStart, wire.CallStart{ClientCallID: "4", Media: call.Audio, Conversation: "nowhere"})
}

func TestNoAnswer(t *testing.T) {
	w := &callWorld{world: newWorld(t, Config{}), cfg: call.Config{RingSeconds: 1}}
	w.addCallNode(w.bus)
	alice, bob := w.open(1, "alice"), w.open(1, "bob")
	a := alice.start("bob")
	bob.ended(a.Call.ID, call.NoAnswer)
	alice.legEnd(a.Leg, call.NoAnswer)
	if c, err := w.chat.Conversation(t.Context(), "bob", a.Call.Conversation); err != nil || c.Mine.Missed != 1 {
		t.Errorf("bob has missed %d calls (%v), want 1", c.Mine.Missed, err)
	}
}

func TestStartTwiceIsOneCall(t *testing.T) {
	w := newCallWorld(t)
	alice := w.open(1, "alice")
	p := wire.CallStart{ClientCallID: "once", To: "bob", Media: call.Audio}
	w.open(1, "bob").Close()
	first, again := alice.must(wire.MethodCallStart, p), alice.must(wire.MethodCallStart, p)
	if first.Call.ID != again.Call.ID || first.Leg != again.Leg || first.Secret == again.Secret {
		t.Errorf("got %+v and %+v, want one leg with a new secret", first, again)
	}
	alice.must(wire.MethodCallLeave, wire.CallRef{Call: first.Call.ID})
	alice.ended(first.Call.ID, call.Cancelled)
	alice.refused(refusal.CallEnded, wire.MethodCallStart, p)
	if another := alice.start("bob"); another.Call.ID == first.Call.ID {
		t.Error("a new start came back to the ended call")
	}
}

func TestGlare(t *testing.T) {
	w := newCallWorld(t)
	second := w.addCallNode(join(t, w.world))
	for _, node := range []int{1, second} {
		glare(t, w.open(1, "alice"), w.open(node, "bob"))
	}
}

func glare(t *testing.T, alice, bob *tab) {
	t.Helper()
	var a, b wire.CallLeg
	var wg sync.WaitGroup
	wg.Go(func() { a = alice.start("bob") })
	wg.Go(func() { b = bob.start("alice") })
	wg.Wait()
	if a.Call.ID != b.Call.ID || a.Merged == b.Merged {
		t.Fatalf("alice got %s (merged %v), bob %s (merged %v): want one call, merged once", a.Call.ID, a.Merged, b.Call.ID, b.Merged)
	}
	pa, pb := newPhone(t), newPhone(t)
	pa.connect(alice, a)
	pb.connect(bob, b)
	alice.untilState(a.Call.ID, call.Active)
	pa.hears("bob")
	pb.hears("alice")
	bob.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
	alice.ended(a.Call.ID, call.Completed)
}

func TestRingsAreLimited(t *testing.T) {
	w := &callWorld{world: newWorld(t, Config{}), cfg: call.Config{RingsPerMinute: 2}}
	w.addCallNode(w.bus)
	alice := w.open(1, "alice")
	w.open(1, "bob").Close()
	for range 2 {
		a := alice.start("bob")
		alice.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
	}
	_, err := alice.StartCall(t.Context(), "bob", call.Audio)
	if refused, _ := errors.AsType[*refusal.Error](err); refused == nil || refused.Code != refusal.RateLimited || refused.Retry <= 0 {
		t.Errorf("third ring in a minute: %v", err)
	}
}

func TestOnePairRingsOnlySoOften(t *testing.T) {
	w := &callWorld{world: newWorld(t, Config{}), cfg: call.Config{RingsPerPair: 2}}
	w.addCallNode(w.bus)
	alice := w.open(1, "alice")
	w.open(1, "bob").Close()
	for range 2 {
		a := alice.start("bob")
		alice.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
	}
	_, err := alice.StartCall(t.Context(), "bob", call.Audio)
	if refused, _ := errors.AsType[*refusal.Error](err); refused == nil || refused.Code != refusal.RateLimited || refused.Retry <= time.Minute {
		t.Errorf("third ring of one pair: %v, want to wait more than a minute", err)
	}
	alice.must(wire.MethodCallLeave, wire.CallRef{Call: alice.start("carol").Call.ID}) // others are not affected
	bob := w.open(1, "bob")
	bob.must(wire.MethodCallLeave, wire.CallRef{Call: bob.start("alice").Call.ID}) // nor is the way back

	// In a group, those who were rung too often are not rung again; the others are.
	g := w.group("alice", "bob", "carol")
	s := alice.must(wire.MethodCallStart, wire.CallStart{ClientCallID: "group", Conversation: g.ID, Media: call.Audio}).Call
	if of(s, "bob").State != call.BusyState || of(s, "carol").State != call.Invited {
		t.Errorf("bob is %s, carol %s; want carol alone to be rung", of(s, "bob").State, of(s, "carol").State)
	}
}

func TestEveryLimitOfCallsIsMeasured(t *testing.T) {
	ofGuest := func(w *callWorld) *tab { return w.guestFrom("203.0.113.1") }
	ofUser := func(w *callWorld) *tab { return w.open(1, "alice", from("203.0.113.1")) }
	for key, test := range map[string]struct {
		cfg  call.Config
		open func(w *callWorld) *tab // of who rings
	}{
		"call.rings_per_minute":               {call.Config{RingsPerMinute: 1}, ofUser},
		"call.address_rings_per_minute":       {call.Config{AddressRingsPerMinute: 1}, ofUser},
		"call.rings_per_pair":                 {call.Config{RingsPerPair: 1}, ofUser},
		"call.guest_rings_per_minute":         {call.Config{GuestRingsPerMinute: 1}, ofGuest},
		"call.guest_address_rings_per_minute": {call.Config{GuestAddressRingsPerMinute: 1}, ofGuest},
		"call.guest_rings_per_callee":         {call.Config{GuestRingsPerCallee: 1}, ofGuest},
		"call.requests_per_minute":            {call.Config{RequestsPerMinute: 1}, ofUser},
	} {
		t.Run(key, func(t *testing.T) {
			w := &callWorld{world: newWorld(t, Config{}), cfg: test.cfg}
			w.metrics = prometheus.NewRegistry()
			w.addCallNode(w.bus)
			caller := test.open(w)
			for range 2 {
				_ = caller.ringOnce("bob")
			}
			refused := limittest.Refused(t, w.metrics)
			if refused[key] == 0 {
				t.Errorf("the refusal is not counted: %v", refused)
			}
		})
	}
}

// Who is answered is welcome, and may ring again.
func TestAnsweredRingsDoNotCountForThePair(t *testing.T) {
	w := &callWorld{world: newWorld(t, Config{}), cfg: call.Config{RingsPerPair: 2}}
	w.addCallNode(w.bus)
	w.addCallNode(w.bus)
	for _, node := range []int{1, 2} { // of the callee: the call's, and another
		alice, bob := w.open(1, "alice"), w.open(node, "bob")
		for range 5 {
			a := alice.start("bob")
			bob.until("ring", a.Call.ID, func(s call.Snapshot) bool { return s.State == call.Ringing })
			bob.must(wire.MethodCallAnswer, wire.CallAnswer{Call: a.Call.ID})
			bob.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
			alice.ended(a.Call.ID, call.Completed)
		}
		bob.Close()
	}
}

// Only a call that is made rings. One whose start is asked for again, because the reply was
// lost, and one that joins the other's call, cost nothing and are never refused.
func TestAStartThatRingsNobodyIsNotLimitedByPair(t *testing.T) {
	w := &callWorld{world: newWorld(t, Config{}), cfg: call.Config{RingsPerPair: 2}}
	w.addCallNode(w.bus)
	alice, bob := w.open(1, "alice"), w.open(1, "bob")
	for _, id := range []string{"first", "second"} { // as many as may ring
		start := wire.CallStart{ClientCallID: id, To: "bob", Media: call.Audio}
		made := alice.must(wire.MethodCallStart, start)
		for range 3 {
			if again := alice.must(wire.MethodCallStart, start); again.Leg != made.Leg {
				t.Errorf("asked again: leg %s, want %s", again.Leg, made.Leg)
			}
		}
		alice.must(wire.MethodCallLeave, wire.CallRef{Call: made.Call.ID})
	}
	alice.refused(refusal.RateLimited, wire.MethodCallStart, wire.CallStart{ClientCallID: "third", To: "bob", Media: call.Audio})

	back := bob.start("alice")
	if merged := alice.start("bob"); merged.Call.ID != back.Call.ID || !merged.Merged {
		t.Errorf("alice calls bob, who rings her: got %s (merged %v), want %s", merged.Call.ID, merged.Merged, back.Call.ID)
	}
}

// A change in a large call is told many, and costs the more.
func TestARequestCostsWhomItTells(t *testing.T) {
	for _, c := range []struct{ members, requests int }{{1, 12}, {59, 2}} { // each costs 1, and 1 for every ten
		w := &callWorld{world: newWorld(t, Config{}), cfg: call.Config{RequestsPerMinute: 12}}
		w.addCallNode(w.bus)
		alice := w.open(1, "alice")
		g := w.group("alice", numbered(c.members)...)
		started := alice.must(wire.MethodCallStart, wire.CallStart{ClientCallID: "one", Conversation: g.ID, Media: call.Audio}).Call
		done := 0
		for ; done < 20; done++ {
			on := done%2 == 1 // each changes the call
			if err := alice.ask(wire.MethodCallState, wire.CallStateSet{Call: started.ID, Microphone: &on}, nil); err != nil {
				if !refusal.Is(err, refusal.RateLimited) {
					t.Fatal(err)
				}
				break
			}
		}
		if done != c.requests {
			t.Errorf("with %d others: muted %d times at once, want %d", c.members, done, c.requests)
		}
	}
}

// All tabs of an agent say that a large call rings in them. Only the first changes the call, and
// the agent can still answer it.
func TestThatItRingsInManyTabsLeavesTheAnswer(t *testing.T) {
	w := &callWorld{world: newWorld(t, Config{}), cfg: call.Config{RequestsPerMinute: 12}}
	w.addCallNode(w.bus)
	alice, bob := w.open(1, "alice"), w.open(1, "bob")
	g := w.group("alice", append(numbered(58), "bob")...)
	rung := alice.must(wire.MethodCallStart, wire.CallStart{ClientCallID: "one", Conversation: g.ID, Media: call.Audio}).Call
	for i := range 60 {
		if err := bob.ask(wire.MethodCallRinging, wire.CallRef{Call: rung.ID}, nil); err != nil {
			t.Fatalf("tab %d: %v", i+1, err)
		}
	}
	bob.must(wire.MethodCallAnswer, wire.CallAnswer{Call: rung.ID})
}

// A call that rings sixty is not as cheap as one that rings one.
func TestACallCostsWhomItRings(t *testing.T) {
	w := &callWorld{world: newWorld(t, Config{}), cfg: call.Config{RingsPerMinute: 4}}
	w.addCallNode(w.bus)
	alice := w.open(1, "alice")
	g := w.group("alice", numbered(60)...)
	started := alice.must(wire.MethodCallStart, wire.CallStart{ClientCallID: "one", Conversation: g.ID, Media: call.Audio}).Call
	alice.must(wire.MethodCallLeave, wire.CallRef{Call: started.ID})
	if _, err := alice.StartCall(t.Context(), "bob", call.Audio); !refusal.Is(err, refusal.RateLimited) {
		t.Errorf("after one that rang sixty: got %v, want %s", err, refusal.RateLimited)
	}
}

// Who is not rung in a group can join the call all the same, and a guest is marked in it.
func TestAGuestInAGroupRingsOnlyWhoWroteToThem(t *testing.T) {
	w := newWorld(t, Config{})
	w.chat = chat.New(w.store, chat.Config{Reach: chat.Reach{Guests: []string{"support"}}})
	cw := &callWorld{world: w}
	cw.addCallNode(w.bus)
	token, who, err := w.verifier.MintGuest("Visitor")
	if err != nil {
		t.Fatal(err)
	}
	guest := w.open(1, who.User, func(o *client.Options) {
		o.Token = func(context.Context) (string, error) { return token, nil }
	})
	bob, carol := w.open(1, "bob"), w.open(1, "carol")
	g := w.group("bob", "carol", who.User)
	start := wire.CallStart{ClientCallID: "of-the-guest", Conversation: g.ID, Media: call.Audio}
	guest.refused(refusal.NotAllowed, wire.MethodCallStart, start)
	bob.send(who.User, "You may call me")
	a := guest.must(wire.MethodCallStart, start)
	s := bob.rung()
	if !of(s, who.User).Guest || of(s, "bob").Guest {
		t.Errorf("the ring shows %+v, want the guest marked", s.Participants)
	}
	if s = carol.until("the call", a.Call.ID, func(call.Snapshot) bool { return true }); of(s, "carol").State != call.BusyState {
		t.Errorf("carol, who never wrote to the guest, is %s", of(s, "carol").State)
	}
}
