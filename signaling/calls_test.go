package signaling

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"carillon/call"
	"carillon/chat"
	"carillon/client"
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
	for _, b := range bobs {
		if s := b.rung(); s.ID != a.Call.ID || s.RemainingMS < 30_000 || s.RemainingMS > 45_000 {
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
		if at := of(s, "bob").ActedAt; at == nil || at.Tab != bobs[2].Tab() || at.Device != "bobs-device-1" {
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
	messages, _, err := w.chat.Page(t.Context(), "bob", a.Call.Conversation, 0, 0, 10)
	if err != nil || len(messages) != 1 || messages[0].Kind != chat.Call {
		t.Fatalf("history %+v, %v: want one message of the call", messages, err)
	}
	var log call.Log
	if err := json.Unmarshal(messages[0].Data, &log); err != nil || log.Reason != call.Completed || log.DurationMS <= 0 {
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
	if s := bob2.ended(a.Call.ID, call.DeclinedReason); of(s, "bob").ActedAt.Tab != bob.Tab() {
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
	if c, err := w.chat.Conversation(t.Context(), "bob", a.Call.Conversation); err != nil || c.Unread != 1 {
		t.Errorf("bob has %d unread (%v), want the missed call", c.Unread, err)
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
			c, err := w.store.Call(t.Context(), r.Call.ID)
			if err != nil {
				t.Fatal(err)
			}
			if of(c.Snapshot, "bob").Held {
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

func TestPhasesAreToldByWhoHasTheLeg(t *testing.T) {
	w := newCallWorld(t)
	alice, bob := w.open(1, "alice"), w.open(1, "bob")
	a := alice.start("bob")
	phase := wire.LegPhase{LegRef: refOf(a), Phase: "first_frame", MS: 400}
	alice.must(wire.MethodLegPhase, phase)
	bob.refused(refusal.LegUnknown, wire.MethodLegPhase, phase)
	phase.Secret = "guess"
	alice.refused(refusal.LegUnknown, wire.MethodLegPhase, phase)
}

func TestMoveToAnotherTab(t *testing.T) {
	w := newCallWorld(t)
	alice, bob, bob2 := w.open(1, "alice"), w.open(1, "bob"), w.open(1, "bob")
	a, b, pa, pb := talk(t, alice, bob)
	moved := bob2.must(wire.MethodCallMove, wire.CallMove{Call: a.Call.ID})
	pb2 := newPhone(t)
	pb2.connect(bob2, moved)
	bob.legEnd(b.Leg, call.Replaced)
	s := alice.until("moved", a.Call.ID, func(s call.Snapshot) bool { return of(s, "bob").Leg.Tab == bob2.Tab() })
	if of(s, "bob").State != call.Joined || s.State != call.Active {
		t.Errorf("moved to %+v", s)
	}
	pb.close()
	pa.hears("bob from his new tab")
	pb2.hears("alice in the new tab")
	alice.mu.Lock()
	defer alice.mu.Unlock()
	for _, s := range alice.snapshots() {
		if s.State == call.Active && of(s, "bob").State != call.Joined {
			t.Errorf("alice saw bob %s", of(s, "bob").State)
		}
	}
}

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
	if calls := reloaded.Welcome().Calls; len(calls) != 1 || calls[0].ID != a.Call.ID || calls[0].State != call.Active {
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

func TestOffersThatAreNone(t *testing.T) {
	w := newCallWorld(t)
	alice, bob := w.open(1, "alice"), w.open(1, "bob")
	a := alice.start("bob")
	for _, sdp := range []string{"", "nonsense", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"} {
		alice.refused(refusal.BadSDP, wire.MethodLegOffer, wire.LegOffer{LegRef: refOf(a), SDP: sdp})
	}
	bob.refused(refusal.LegUnknown, wire.MethodLegOffer, wire.LegOffer{LegRef: refOf(a), SDP: "v=0"})
	alice.refused(refusal.BadRequest, wire.MethodLegPhase, wire.LegPhase{LegRef: refOf(a), Phase: "coffee", MS: 1})
	alice.must(wire.MethodLegPhase, wire.LegPhase{LegRef: refOf(a), Phase: "first_frame", MS: 300})
	p := newPhone(t)
	p.connect(alice, a) // none of it has hurt the leg
}

func TestRestartInTheMiddleOfACall(t *testing.T) {
	w := newCallWorld(t)
	alice, bob := w.open(1, "alice"), w.open(1, "bob")
	a, b, pa, pb := talk(t, alice, bob)

	w.stop(1)
	if err := w.sfus[0].Close(); err != nil {
		t.Fatal(err)
	}
	pa.close()
	pb.close()
	n := w.addCallNode(w.bus)
	back := func(tb *tab) *tab {
		return w.open(n, tb.Welcome().User.ID, func(o *client.Options) { o.Tab = tb.Tab() })
	}
	alice2, bob2 := back(alice), back(bob)
	a2, b2 := alice2.must(wire.MethodCallResume, refOf(a)), bob2.must(wire.MethodCallResume, refOf(b))
	if a2.Call.Epoch != 2 || a2.Call.State != call.Active {
		t.Errorf("resumed %+v, want the call in its second epoch", a2.Call)
	}
	qa, qb := newPhone(t), newPhone(t)
	qa.connect(alice2, a2)
	qb.connect(bob2, b2)
	qa.hears("bob after the restart")
	qb.hears("alice after the restart")
	bob2.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
	alice2.ended(a.Call.ID, call.Completed)
}

func TestNobodyComesBackAfterARestart(t *testing.T) {
	w := newCallWorld(t)
	w.cfg = call.Config{GraceSeconds: 1}
	alice, bob := w.open(1, "alice"), w.open(1, "bob")
	a, _, pa, pb := talk(t, alice, bob)
	w.stop(1)
	pa.close()
	pb.close()
	n := w.addCallNode(w.bus)
	w.open(n, "bob", func(o *client.Options) {
		o.Resume = &wire.Resume{Epoch: bob.Position().Epoch, Offset: bob.Position().Offset}
	}).
		ended(a.Call.ID, call.ServerError)
}

func TestACallBetweenTwoNodes(t *testing.T) {
	w := newCallWorld(t)
	second := w.addCallNode(join(t, w.world))
	alice, bob, bob2 := w.open(1, "alice"), w.open(second, "bob"), w.open(1, "bob")
	a, b, _, _ := talk(t, alice, bob)
	bob2.until("answered elsewhere", a.Call.ID, func(s call.Snapshot) bool { return of(s, "bob").ActedAt != nil })
	no := false
	bob.must(wire.MethodCallState, wire.CallStateSet{Call: a.Call.ID, Microphone: &no})
	alice.until("muted", a.Call.ID, func(s call.Snapshot) bool { return !of(s, "bob").Microphone })
	bob.refused(refusal.AlreadyAnswered, wire.MethodCallDecline, wire.CallRef{Call: a.Call.ID})
	bob.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
	alice.ended(a.Call.ID, call.Completed)
	bob.legEnd(b.Leg, call.Completed)
	bob.refused(refusal.CallEnded, wire.MethodCallMove, wire.CallMove{Call: a.Call.ID})
}

func TestTheOtherNodeTakesACallOver(t *testing.T) {
	w := newCallWorld(t)
	second := w.addCallNode(join(t, w.world))
	alice, bob := w.open(1, "alice"), w.open(second, "bob")
	a, b, pa, pb := talk(t, alice, bob) // owned by alice's node
	w.stop(1)
	pa.close()
	pb.close()
	s := bob.until("taken over", a.Call.ID, func(s call.Snapshot) bool { return s.Epoch == 2 })
	if s.State != call.Active {
		t.Fatalf("taken over as %+v", s)
	}
	alice2 := w.open(second, "alice", func(o *client.Options) { o.Tab = alice.Tab() })
	a2 := alice2.must(wire.MethodCallResume, refOf(a))
	qa, qb := newPhone(t), newPhone(t)
	qa.connect(alice2, a2)
	qb.connect(bob, b) // bob's connection has lived on: his secret is good as it is
	qa.hears("bob through the other node")
	qb.hears("alice through the other node")
}

func TestChatOverTheDataChannel(t *testing.T) {
	w := newCallWorld(t)
	gate := make(chan bool, 1)
	alice, alice2, bob2 := w.open(1, "alice"), w.open(1, "alice"), w.open(1, "bob")
	gate <- true
	bob := w.open(1, "bob", func(o *client.Options) { o.Dialer = &websocket.Dialer{NetDial: gated(gate)} })
	a, _, _, pb := talk(t, alice, bob)
	pb.say(a.Call.Conversation, "with socket")
	bob.Cut() // and the gate lets it not come back
	alice.must(wire.MethodCallState, wire.CallStateSet{Call: a.Call.ID})
	m := pb.say(a.Call.Conversation, "without socket")
	if m.Seq == 0 {
		t.Errorf("sent as %+v", m)
	}
	for _, tb := range []*tab{alice, alice2, bob2} {
		tb.await("the message", func() bool { return slices.Contains(tb.texts(), "without socket") })
	}
	// What is said to bob reaches him the same way.
	if _, err := alice.Send(t.Context(), wire.MessageSend{Conversation: a.Call.Conversation, Text: "hello bob"}); err != nil {
		t.Fatal(err)
	}
	pb.await("an event on the data channel", func() bool {
		return slices.ContainsFunc(pb.frames, func(f wire.Frame) bool {
			var e chat.Event
			var m chat.Message
			return f.Method == wire.NoteEvent && json.Unmarshal(f.Params, &e) == nil && e.Offset > 0 &&
				e.Type == chat.EventMessage && json.Unmarshal(e.Data, &m) == nil && m.Text == "hello bob"
		})
	})
	history, _, err := w.chat.Page(t.Context(), "alice", a.Call.Conversation, 0, 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, m := range history {
		if m.Text == "without socket" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d times in the history, want once", n)
	}
	if s := alice.now(a.Call.ID); s.State != call.Active {
		t.Errorf("the call is %s without bob's socket", s.State)
	}
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

func TestSignedOutLegsEnd(t *testing.T) {
	w := newCallWorld(t)
	alice, bob, bob2 := w.open(1, "alice"), w.open(1, "bob"), w.open(1, "bob")
	a, _, _, _ := talk(t, alice, bob)
	var list wire.SessionList
	if err := bob2.Request(t.Context(), wire.MethodSessionList, wire.Empty{}, &list); err != nil {
		t.Fatal(err)
	}
	for _, s := range list.Sessions {
		if s.Tab == bob.Tab() {
			if err := bob2.Request(t.Context(), wire.MethodSessionSignOut, wire.SessionSignOut{ID: s.ID}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	alice.ended(a.Call.ID, call.RemovedReason)
}
