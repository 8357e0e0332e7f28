package signaling

import (
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/gorilla/websocket"

	"carillon/call"
	"carillon/client"
	"carillon/refusal"
	"carillon/wire"
)

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
	position := bob.Position()
	w.open(n, "bob", func(o *client.Options) { o.Resume = &position }).
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

// A node that is cut off from the others and cannot say that it lives has lost its calls: another one
// takes them over, and it gives them up, so that its tabs go where the calls are.
func TestANodeThatWasTakenForDeadGivesItsCallsUp(t *testing.T) {
	w := newLostWorld(t, call.Config{})
	there, elsewhere := w.https[w.nodes[1]].Listener.Addr().String(), w.https[w.nodes[0]].Listener.Addr().String()
	bob := w.open(w.nodes[0], "bob")
	alice := w.open(w.nodes[1], "alice", func(o *client.Options) { // her node owns the call; the balancer sends her elsewhere when she comes back
		to := there
		o.Dialer = &websocket.Dialer{NetDial: func(network, _ string) (net.Conn, error) {
			conn, err := net.Dial(network, to)
			to = elsewhere
			return conn, err
		}}
	})
	a, b, pa, pb := talk(t, alice, bob)
	w.slow.dead.Store(true)
	w.second.Close()
	no := false
	if _, err := bob.insist(wire.MethodCallState, wire.CallStateSet{Call: a.Call.ID, Microphone: &no}); err != nil {
		t.Fatal(err)
	}
	bob.until("taken over", a.Call.ID, func(s call.Snapshot) bool { return s.Epoch == 2 })
	w.boards[w.nodes[1]].SweepSoon()
	alice.await("sent away", func() bool {
		return slices.ContainsFunc(alice.lost, func(err error) bool {
			closed, ok := errors.AsType[*websocket.CloseError](err)
			return ok && closed.Code == wire.CloseShutdown
		})
	})
	pa.close()
	pb.close()
	a2 := alice.must(wire.MethodCallResume, refOf(a))
	if a2.Call.Epoch != 2 || a2.Call.State != call.Active {
		t.Errorf("resumed %+v, want the call in its second epoch", a2.Call)
	}
	qa, qb := newPhone(t), newPhone(t)
	qa.connect(alice, a2)
	qb.connect(bob, b)
	qb.hears("alice through the other node")
}
