package signaling

import (
	"sync"
	"testing"

	"carillon/call"
	"carillon/wire"
)

func TestCallWaiting(t *testing.T) {
	w := newCallWorld(t)
	alice, bob, bob2, carol := w.open(1, "alice"), w.open(1, "bob"), w.open(1, "bob"), w.open(1, "carol")
	first, _, pa, _ := talk(t, alice, bob)
	second := carol.start("bob")
	bob2.until("second ring", second.Call.ID, func(s call.Snapshot) bool { return s.State == call.Ringing })
	b2 := bob2.must(wire.MethodCallAnswer, wire.CallAnswer{Call: second.Call.ID})
	alice.until("on hold", first.Call.ID, func(s call.Snapshot) bool { return of(s, "bob").Held })
	pc, pb2 := newPhone(t), newPhone(t)
	pc.connect(carol, second)
	pb2.connect(bob2, b2)
	pc.hears("bob in the second call")

	no := false
	bob.must(wire.MethodCallState, wire.CallStateSet{Call: first.Call.ID, Held: &no})
	carol.until("on hold", second.Call.ID, func(s call.Snapshot) bool { return of(s, "bob").Held })
	alice.until("back", first.Call.ID, func(s call.Snapshot) bool { return !of(s, "bob").Held })
	pa.hears("bob again")
	carol.must(wire.MethodCallLeave, wire.CallRef{Call: second.Call.ID})
	carol.ended(second.Call.ID, call.Completed)
	if s := alice.now(first.Call.ID); s.State != call.Active {
		t.Errorf("the first call is %s", s.State)
	}
}

func TestOfTwoCallsAnsweredAtOnceOneIsHeld(t *testing.T) {
	w := newCallWorld(t)
	alice, carol := w.open(1, "alice"), w.open(1, "carol")
	bobs := []*tab{w.open(1, "bob"), w.open(1, "bob")}
	for range 10 {
		rings := []wire.CallLeg{alice.start("bob"), carol.start("bob")}
		var wg sync.WaitGroup
		for i, r := range rings {
			bobs[i].until("ring", r.Call.ID, func(s call.Snapshot) bool { return s.State == call.Ringing })
			wg.Go(func() { bobs[i].must(wire.MethodCallAnswer, wire.CallAnswer{Call: r.Call.ID}) })
		}
		wg.Wait()
		held := 0
		for _, r := range rings {
			var c wire.CallChange
			if err := bobs[0].ask(wire.MethodCallGet, wire.CallRef{Call: r.Call.ID}, &c); err != nil {
				t.Fatal(err)
			}
			if of(c.Call, "bob").Held {
				held++
			}
		}
		if held != 1 {
			t.Fatalf("bob holds %d of two calls that he answered at once, want 1", held)
		}
		for i, caller := range []*tab{alice, carol} {
			caller.must(wire.MethodCallLeave, wire.CallRef{Call: rings[i].Call.ID})
		}
	}
}
