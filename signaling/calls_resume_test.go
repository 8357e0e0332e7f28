package signaling

import (
	"encoding/json"
	"fmt"
	"testing"

	"carillon/call"
	"carillon/client"
	"carillon/refusal"
	"carillon/wire"
)

func TestResumeAfterReload(t *testing.T) {
	w := newCallWorld(t)
	alice := w.open(1, "alice")
	bob := w.open(1, "bob")
	a, b, pa, pb := talk(t, alice, bob)

	// A copy of the page has the secret and may do nothing with it.
	w.open(1, "bob").refused(refusal.LegInUse, wire.MethodCallResume, refOf(b))
	stolen := refOf(b)
	stolen.Secret = "guessed"
	bob.refused(refusal.LegUnknown, wire.MethodCallResume, stolen)
	w.open(1, "carol").refused(refusal.NotFound, wire.MethodCallResume, refOf(b))
	alice.refused(refusal.LegUnknown, wire.MethodCallResume, refOf(b))

	if err := bob.Notify(wire.NoteLegSuspend, refOf(b)); err != nil {
		t.Fatal(err)
	}
	bob.Close()
	pb.close()
	alice.until("reconnecting", a.Call.ID, func(s call.Snapshot) bool { return of(s, "bob").State == call.Reconnecting })
	reloaded := w.open(1, "bob", func(o *client.Options) { o.Tab = bob.Tab() })
	if calls := reloaded.snapshots(); len(calls) != 1 || calls[0].ID != a.Call.ID || calls[0].State != call.Active {
		t.Fatalf("welcome with calls %+v", calls)
	}
	again := reloaded.must(wire.MethodCallResume, refOf(b))
	if again.Leg != b.Leg || again.Secret == b.Secret {
		t.Errorf("got %+v, want the same leg with a new secret", again)
	}
	reloaded.refused(refusal.LegUnknown, wire.MethodLegOffer, wire.LegOffer{LegRef: refOf(b), SDP: "v=0"})
	p := newPhone(t)
	p.connect(reloaded, again)
	alice.until("joined", a.Call.ID, func(s call.Snapshot) bool { return of(s, "bob").State == call.Joined })
	pa.hears("bob after the reload")
	p.hears("alice after the reload")
}

func (tb *tab) slotsTold() int {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.slotsToldLocked()
}

func (tb *tab) slotsToldLocked() (n int) {
	for _, f := range tb.notes {
		if f.Method == wire.NoteSlots {
			n++
		}
	}
	return n
}

func TestBrokenSocketDoesNotEndTheCall(t *testing.T) {
	w := newCallWorld(t)
	alice, bob := w.open(1, "alice"), w.open(1, "bob")
	a, b, pa, _ := talk(t, alice, bob)
	bob.mu.Lock()
	synced := bob.synced
	bob.mu.Unlock()
	bob.Cut()
	bob.await("back", func() bool { return bob.synced > synced })
	told := bob.slotsTold()
	again := bob.must(wire.MethodCallResume, refOf(b))
	if s := again.Call; s.State != call.Active || of(s, "bob").State != call.Joined {
		t.Errorf("resumed %+v", s)
	}
	pa.hears("bob, whose media never stopped")
	bob.await("slots again, for some may have been told while nobody listened", func() bool { return bob.slotsToldLocked() > told })
	alice.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
	bob.legEnd(b.Leg, call.Completed)
}

// silent is a page of bob that answers a call and then nothing any more, not even pings,
// as a page does whose network or process is gone without a word.
func (w *callWorld) silent(node int, ring call.Snapshot) (*plain, wire.CallLeg) {
	w.t.Helper()
	p := w.plain(node)
	p.hello(w.token("bob"))
	p.write(fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"call.answer","params":{"call":%q,"camera":false}}`, ring.ID))
	var leg wire.CallLeg
	p.frames(func(f wire.Frame) bool {
		if f.ID == nil || *f.ID != 2 {
			return false
		}
		if f.Error != nil {
			w.t.Fatalf("answer: %+v", f.Error)
		}
		if err := json.Unmarshal(f.Result, &leg); err != nil {
			w.t.Fatal(err)
		}
		return true
	})
	return p, leg
}

// TestAReloadedPageRegainsItsLeg reloads a page whose browser has not yet released its old
// tab id: the new page has another one.
func TestAReloadedPageRegainsItsLeg(t *testing.T) {
	w := newCallWorld(t)
	alice, bob := w.open(1, "alice"), w.open(1, "bob")
	a, b, pa, pb := talk(t, alice, bob)
	if err := bob.Notify(wire.NoteLegSuspend, refOf(b)); err != nil {
		t.Fatal(err)
	}
	alice.until("reconnecting", a.Call.ID, func(s call.Snapshot) bool { return of(s, "bob").State == call.Reconnecting })
	reloaded := w.open(1, "bob") // while the old page's connection is still open
	again := reloaded.must(wire.MethodCallResume, refOf(b))
	if again.Leg != b.Leg {
		t.Errorf("got leg %s, want %s", again.Leg, b.Leg)
	}
	bob.Close()
	pb.close()
	p := newPhone(t)
	p.connect(reloaded, again)
	alice.until("joined", a.Call.ID, func(s call.Snapshot) bool { return of(s, "bob").State == call.Joined })
	pa.hears("bob after the reload")
}

func TestAPageThatIsGoneWithoutAWordGivesWay(t *testing.T) {
	w := newCallWorld(t)
	second := w.addCallNode(join(t, w.world))
	for name, node := range map[string]int{"on the same node": 1, "on another node": second} {
		t.Run(name, func(t *testing.T) {
			alice, bob := w.open(1, "alice"), w.open(1, "bob")
			alice.start("bob")
			gone, leg := w.silent(node, bob.rung())
			again := bob.must(wire.MethodCallResume, refOf(leg))
			if again.Leg != leg.Leg || again.Secret == leg.Secret {
				t.Errorf("got %+v, want the leg with a new secret", again)
			}
			if code := gone.frames(func(wire.Frame) bool { return false }); code != wire.CloseNoPong {
				t.Errorf("the old page was closed with %d, want %d", code, wire.CloseNoPong)
			}
			alice.must(wire.MethodCallLeave, wire.CallRef{Call: leg.Call.ID})
			alice.untilState(leg.Call.ID, call.Ended)
			alice.Close()
			bob.Close()
		})
	}
}

func TestACopyOfALivingPageNeverGetsItsLeg(t *testing.T) {
	w := newCallWorld(t)
	second := w.addCallNode(join(t, w.world))
	alice := w.open(1, "alice")
	bob := w.open(1, "bob", func(o *client.Options) { o.Tab = "tab-of-the-original" })
	a, b, pa, _ := talk(t, alice, bob)
	for _, node := range []int{1, second} {
		copied := w.open(node, "bob")
		for range 3 {
			copied.refused(refusal.LegInUse, wire.MethodCallResume, refOf(b))
		}
	}
	if s := bob.now(a.Call.ID); of(s, "bob").Leg == nil || of(s, "bob").Leg.TabID != "tab-of-the-original" {
		t.Errorf("the leg is at %+v", of(s, "bob").Leg)
	}
	pa.hears("bob all the while")
	bob.mu.Lock()
	defer bob.mu.Unlock()
	if len(bob.lost) > 0 {
		t.Errorf("the original was disconnected: %v", bob.lost)
	}
}
