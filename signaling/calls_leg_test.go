package signaling

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"

	"carillon/call"
	"carillon/chat"
	"carillon/client"
	"carillon/refusal"
	"carillon/sfu"
	"carillon/wire"
)

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
	s := bob2.until("moved", a.Call.ID, func(s call.Snapshot) bool { return of(s, "bob").Leg.TabID == bob2.Tab() })
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

// An offer that comes with the answer to a ring is answered with the leg. The same again,
// because the reply was lost, is the same leg with the same peer.
func TestAnAnswerWithAnOffer(t *testing.T) {
	w := newCallWorld(t)
	w.addCallNode(w.bus)
	for _, node := range []int{1, 2} { // of the callee: the call's, and another
		alice, bob := w.open(1, "alice"), w.open(node, "bob")
		a := alice.start("bob")
		pa, pb := newPhone(t), newPhone(t)
		pa.connect(alice, a)
		bob.until("ring", a.Call.ID, func(s call.Snapshot) bool { return s.State == call.Ringing })
		params := wire.CallAnswer{Call: a.Call.ID, SDP: pb.offer()}
		lost := bob.must(wire.MethodCallAnswer, params)
		b := bob.must(wire.MethodCallAnswer, params)
		if b.SDP == "" || b.Leg != lost.Leg {
			t.Fatalf("leg %s with the answer %q, before it was %s", b.Leg, b.SDP, lost.Leg)
		}
		pb.accept(b.SDP)
		pb.await("connected", func() bool { return pb.state == webrtc.PeerConnectionStateConnected })
		pb.wg.Go(pb.speak)
		pa.hears("bob at alice")
		pb.hears("alice at bob")
		bob.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
		alice.ended(a.Call.ID, call.Completed)
	}
}

// A page that took too long to connect, so that its peer was closed, gets another when it
// offers again, and its leg goes on.
func TestALegOffersAgainAfterItsPeerWasClosed(t *testing.T) {
	w := newCallWorldWith(t, sfu.Config{ConnectSeconds: 1})
	alice := w.open(1, "alice")
	a := alice.start("bob")
	p := newPhone(t)
	offer := p.offer()
	ask := func() string {
		answer, err := alice.Offer(t.Context(), a, offer)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	first := ask()
	var answer string
	for answer = first; fingerprint(answer) == fingerprint(first); { // the same peer answers
		time.Sleep(100 * time.Millisecond)
		answer = ask()
	}
	p.accept(answer)
	p.await("connected", func() bool { return p.state == webrtc.PeerConnectionStateConnected })
}

// fingerprint is that of the certificate of a PeerConnection, by its SDP.
func fingerprint(sdp string) string {
	_, after, _ := strings.Cut(sdp, "a=fingerprint:")
	line, _, _ := strings.Cut(after, "\r\n")
	return line
}

func TestAnAnswerWithAnOfferThatIsNone(t *testing.T) {
	w := newCallWorld(t)
	alice, bob := w.open(1, "alice"), w.open(1, "bob")
	a := alice.start("bob")
	bob.until("ring", a.Call.ID, func(s call.Snapshot) bool { return s.State == call.Ringing })
	b := bob.must(wire.MethodCallAnswer, wire.CallAnswer{Call: a.Call.ID, SDP: "nonsense"})
	if b.Leg == "" || b.SDP != "" {
		t.Fatalf("leg %q with the answer %q", b.Leg, b.SDP)
	}
	newPhone(t).connect(bob, b)
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
	pb.await("a change on the data channel", func() bool {
		return slices.ContainsFunc(pb.frames, func(f wire.Frame) bool {
			var c wire.Change
			var m chat.Message
			return f.Method == wire.NoteChange && json.Unmarshal(f.Params, &c) == nil && c.Pos > 0 &&
				c.Type == chat.ItemMessage && json.Unmarshal(c.Data, &m) == nil && m.Text == "hello bob"
		})
	})
	history, err := w.chat.Page(t.Context(), "alice", a.Call.Conversation, 0, 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, item := range history.Items {
		if decoded[chat.Message](t, item.Data).Text == "without socket" {
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
