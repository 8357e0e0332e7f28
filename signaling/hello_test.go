package signaling

import (
	"testing"

	"carillon/bus"
	"carillon/chat"
	"carillon/client"
	"carillon/wire"
)

func TestMessageReachesAllTabsOfBoth(t *testing.T) {
	w := newWorld(t, Config{})
	alice, alice2 := w.open(0, "alice"), w.open(0, "alice")
	bob, bob2 := w.open(0, "bob"), w.open(0, "bob")
	sent := alice.send("bob", "hello")
	if sent.Seq != 1 || sent.Sender != "alice" {
		t.Errorf("got seq %d of %s, want 1 of alice", sent.Seq, sent.Sender)
	}
	for _, tb := range []*tab{alice, alice2, bob, bob2} {
		tb.await("the message", func() bool { return len(tb.texts()) == 1 })
		if got := seen(&tb.observed, tb.texts); got[0] != "hello" {
			t.Errorf("got %q", got)
		}
	}
}

func TestResumeBringsWhatWasMissed(t *testing.T) {
	w := newWorld(t, Config{})
	alice, bob := w.open(0, "alice"), w.open(0, "bob")
	alice.send("bob", "one")
	bob.await("one", func() bool { return len(bob.texts()) == 1 })
	bob.Close()
	position := bob.Position()
	for range 250 { // more than a page
		alice.send("bob", "missed")
	}
	back := w.open(0, "bob", func(o *client.Options) { o.Resume = &position })
	if welcome := back.Welcome(); !welcome.Resumed || len(welcome.Diverged) > 0 {
		t.Errorf("not resumed: %+v", welcome)
	}
	back.await("what was missed", func() bool { return len(back.texts()) == 250 })
	back.ascending()
}

// interrupted is the real store. It calls a function when a hello, whose tab is among its
// user's already, asks for the opening.
type interrupted struct {
	chat.Store
	greeting func()
}

func (i interrupted) Opening() string { i.greeting(); return i.Store.Opening() }

// Others may tell the tab something while its hello is being answered.
func TestTheFirstFrameIsTheWelcome(t *testing.T) {
	w := newWorld(t, Config{})
	w.chat = chat.New(interrupted{w.store, func() {
		note := append([]byte("a node\n"+`{"t":"plain-tab"}`+"\n"), notification(wire.NoteSpeaker, wire.Speaker{Call: "c"}).data...)
		w.nodes[1].localUser("alice").receive(bus.Message{Data: note})
	}}, anyone)
	w.addNode(Config{}, w.bus)
	if f := w.plain(1).hello(w.token("alice")); f.ID == nil || f.Result == nil {
		t.Errorf("got %s %s, want the answer to hello", f.Method, f.Params)
	}
	w.open(1, "alice", func(o *client.Options) { o.Tab = "plain-tab" })
}
