package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/bus/natstest"
	"carillon/call"
	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// One server of the bus dies, then all, and they come back. The tabs of one node do not notice; those
// on others learn of everything when it is back.
func TestTheBusGoesAndComesBack(t *testing.T) {
	t.Parallel()
	s := startSite(t, 3)
	alice, bob, far := s.open(0, "alice"), s.open(0, "bob"), s.open(1, "alice")
	sent := 0
	talk := func(everywhere bool) (took time.Duration) {
		t.Helper()
		sent++
		begin := time.Now()
		bob.say("alice", "hello")
		alice.await("the message", func() bool { return len(alice.texts("")) == sent })
		if everywhere {
			far.await("the message", func() bool { return len(far.texts("")) == sent })
			took = time.Since(begin)
		}
		return took
	}
	talk(true)
	erin, elsewhere := s.open(0, "erin"), s.open(1, "erin")
	a := bob.rings(alice)
	atBob := bob.phone(a)
	b := alice.answer(a.Call.ID)
	atAlice := alice.phone(b)
	bob.hears(atBob)

	for i := range 3 { // one after the other, each to be back before the next
		s.servers.Kill(i)
		t.Logf("without server %d a message takes %v to the other node", i, talk(true))
		s.servers.Run(i)
	}

	s.servers.KillAll()
	for i := range s.nodes {
		until(t, "the node says that the bus is down", func() bool {
			c := s.nodes[i].condition(t)
			return c.Ready && c.Bus == "down"
		})
	}
	talk(false)
	marked := alice.say("bob", "I have read that")
	sent++
	alice.Mark(marked.Conversation, chat.Marks{Read: marked.Seq})
	bob.await("that alice has read it", func() bool {
		return slices.ContainsFunc(notesOf[chat.ConversationMarks](bob, wire.NoteMarks), func(c chat.ConversationMarks) bool {
			return slices.ContainsFunc(c.Members, func(one chat.MemberMarks) bool { return one.User == "alice" && one.Read == marked.Seq })
		})
	})
	dave, carol := s.open(2, "dave"), s.open(2, "carol") // a hello does not wait for the bus
	c := carol.rings(dave)
	dave.answer(c.Call.ID)
	carol.await("the answer", func() bool { return carol.of(c.Call.ID, "dave").State == call.Joining })
	// A call of another node is refused with a sentence, not left to hang.
	err := far.Request(t.Context(), wire.MethodCallMove, wire.CallMove{Call: a.Call.ID}, nil)
	if !refusal.Is(err, refusal.Busy) || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("a call of a node that cannot be asked: got %v", err)
	}
	erin.must(wire.MethodSessionSignOut, wire.SessionSignOut{Everywhere: true}, nil)
	wantSignedOut(t, erin)

	begin := time.Now()
	for i := range 3 {
		s.servers.Run(i)
	}
	wantSignedOut(t, elsewhere)
	far.await("what was sent meanwhile", func() bool { return len(far.texts("")) == sent })
	t.Logf("what was sent meanwhile was told %v after the bus began to start", time.Since(begin))
	talk(true)
	carol.say("alice", "hello")
	for _, tb := range []*siteTab{alice, far} {
		tb.await("a message from the third node", func() bool { return slices.Contains(tb.texts(""), "hello") })
	}

	// Nobody has lost a connection or a call by it.
	bob.hears(atBob)
	alice.hears(atAlice)
	for _, tb := range []*siteTab{alice, bob, far, carol, dave} {
		tb.note(func() {
			if len(tb.lost) > 0 {
				t.Errorf("%s has lost its connection: %v", tb.user, tb.lost)
			}
		})
	}
	alice.note(func() {
		if got := alice.calls[a.Call.ID]; got.Epoch != 1 || got.State != call.Active {
			t.Errorf("the call is %s in epoch %d, want active in the first", got.State, got.Epoch)
		}
	})
	if err := alice.Leave(t.Context(), a.Call.ID); err != nil {
		t.Fatal(err)
	}
	far.await("the end of the call", func() bool { return far.calls[a.Call.ID].State == call.Ended })
}

// A server starts without its bus, and serves its own tabs.
func TestStartsWithoutTheBus(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 3)
	servers.KillAll()
	data := t.TempDir()
	p := start(t, []string{"CARILLON_BUS_URL=" + servers.URL()}, append(anyPorts, "--data", data)...)
	if c := p.condition(t); !c.Ready || c.Bus != "down" {
		t.Errorf("without a bus: got %+v, want ready and the bus down", c)
	}
	alice := p.dial(t, data, "alice")
	if _, err := alice.Send(t.Context(), text("bob", "1")); err != nil {
		t.Fatal(err)
	}
	servers.Run(1)
	until(t, "it has found the bus", func() bool { return p.condition(t).Bus == "ok" })
}

// Two servers of which each has a database of its own would be two sites that seem to be one.
func TestServersOfTwoDatabasesRefuseEachOther(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 3)
	env := []string{"CARILLON_BUS_URL=" + servers.URL()}
	first := start(t, env, append(anyPorts, "--data", t.TempDir())...)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	second := exec.CommandContext(ctx, os.Args[0], append([]string{"serve", "--data", t.TempDir()}, anyPorts...)...)
	second.Env = command(env).Env
	out, err := second.CombinedOutput()
	if err == nil || ctx.Err() != nil {
		t.Fatalf("it serves: %s", out)
	}
	for _, want := range []string{"CARILLON_BUS_URL", "another database", "store.url"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("got %s, want it to say %q", out, want)
		}
	}
	if c := first.condition(t); !c.Ready || c.Bus != "ok" {
		t.Errorf("the first one: got %+v", c)
	}
}
