package signaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"carillon/auth"
	"carillon/chat"
	"carillon/client"
	"carillon/refusal"
	"carillon/wire"
)

func constant(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

// closedWith waits until the connection was lost and returns its close code.
func (tb *tab) closedWith() (code int, reason string) {
	tb.t.Helper()
	tb.await("the end of the connection", func() bool { return len(tb.lost) > 0 })
	tb.mu.Lock()
	defer tb.mu.Unlock()
	closed, ok := errors.AsType[*websocket.CloseError](tb.lost[0])
	if !ok {
		tb.t.Fatalf("ended with %v", tb.lost[0])
	}
	return closed.Code, closed.Text
}

func TestTokenIsRenewedInBandOrTheTabComesBack(t *testing.T) {
	w := newWorld(t, Config{})
	alice := w.open(0, "alice", func(o *client.Options) {
		o.Token = func(context.Context) (string, error) { return w.verifier.Mint("alice", "Alice", time.Hour) }
	})
	var renewed wire.TokenRenewed
	long, err := w.verifier.Mint("alice", "Alice", 3*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := alice.ask(wire.MethodTokenRenew, wire.TokenRenew{Token: long}, &renewed); err != nil {
		t.Fatal(err)
	}
	if got := renewed.TokenMS; got < 2*3600_000 {
		t.Errorf("renewed for %d ms, want nearly 3 h", got)
	}
	short, err := w.verifier.Mint("alice", "Alice", time.Millisecond) // good for minTokenTime
	if err != nil {
		t.Fatal(err)
	}
	if err := alice.ask(wire.MethodTokenRenew, wire.TokenRenew{Token: short}, &renewed); err != nil {
		t.Fatal(err)
	}
	if code, _ := alice.closedWith(); code != wire.CloseTokenExpired {
		t.Errorf("token over: closed with %d, want %d", code, wire.CloseTokenExpired)
	}
	alice.await("coming back with a new token", func() bool { return alice.synced == 2 })
}

func TestNewestConnectionOfATabWins(t *testing.T) {
	w := newWorld(t, Config{})
	same := func(o *client.Options) { o.Tab = "one-and-the-same" }
	first := w.open(0, "alice", same)
	second := w.open(0, "alice", same)
	if code, _ := first.closedWith(); code != wire.CloseReplaced {
		t.Errorf("closed with %d, want %d", code, wire.CloseReplaced)
	}
	<-first.Done() // and does not come back to close the second
	stranger := w.open(0, "bob", same)
	for _, tb := range []*tab{second, stranger} {
		if err := tb.ask(wire.MethodSessionList, wire.Empty{}, nil); err != nil {
			t.Errorf("the newest, or somebody else's tab of that name: %v", err)
		}
	}
}

func TestSessionsAndSignOut(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{}, join(t, w))
	here, there, third := w.open(0, "alice"), w.open(1, "alice"), w.open(0, "alice")
	var sessions wire.SessionList
	here.eventually("all three in the list", func() bool {
		if err := here.ask(wire.MethodSessionList, wire.Empty{}, &sessions); err != nil {
			t.Fatal(err)
		}
		return len(sessions.Sessions) == 3
	})
	ids := map[string]string{}
	for _, s := range sessions.Sessions {
		ids[s.Tab] = s.ID
		if s.This != (s.Tab == here.Tab()) {
			t.Errorf("session of %s: this is %v", s.Tab, s.This)
		}
	}
	if err := here.ask(wire.MethodSessionSignOut, wire.SessionSignOut{ID: ids[there.Tab()]}, nil); err != nil {
		t.Fatal(err)
	}
	if code, _ := there.closedWith(); code != wire.CloseSignedOut {
		t.Errorf("signed out on the other node: closed with %d, want %d", code, wire.CloseSignedOut)
	}
	here.await("the change of the list", func() bool { return len(noted[wire.Empty](here, wire.NoteSessions)) > 0 })
	here.eventually("the two that are left", func() bool {
		if err := here.ask(wire.MethodSessionList, wire.Empty{}, &sessions); err != nil {
			t.Fatal(err)
		}
		return len(sessions.Sessions) == 2
	})
	if err := third.ask(wire.MethodSessionSignOut, wire.SessionSignOut{}, nil); err != nil {
		t.Errorf("the answer to signing out here: %v", err)
	}
	if code, _ := third.closedWith(); code != wire.CloseSignedOut {
		t.Errorf("closed with %d, want %d", code, wire.CloseSignedOut)
	}
	bob := w.open(1, "bob")
	again := w.open(1, "alice")
	if err := here.ask(wire.MethodSessionSignOut, wire.SessionSignOut{Everywhere: true}, nil); err != nil {
		t.Errorf("the answer to signing out everywhere: %v", err)
	}
	for _, tb := range []*tab{here, again} {
		if code, _ := tb.closedWith(); code != wire.CloseSignedOut {
			t.Errorf("closed with %d, want %d", code, wire.CloseSignedOut)
		}
	}
	if err := bob.ask(wire.MethodSessionList, wire.Empty{}, nil); err != nil {
		t.Errorf("bob is concerned too: %v", err)
	}
}

// A session that is signed out takes its token with it: nobody comes back by that, on any node.
// Sessions with another token of the user go on.
func TestTheTokenOfASignedOutSessionIsRefused(t *testing.T) {
	w := newWorld(t, Config{})
	w.addNode(Config{}, join(t, w))
	shared := w.token("alice")
	with := func(o *client.Options) { o.Token = constant(shared) }
	lost, err := w.dial(0, "alice", with)
	if err != nil {
		t.Fatal(err)
	}
	twin, err := w.dial(1, "alice", with)
	if err != nil {
		t.Fatal(err)
	}
	here := w.open(0, "alice")
	var sessions wire.SessionList
	here.eventually("all three in the list", func() bool {
		if err := here.ask(wire.MethodSessionList, wire.Empty{}, &sessions); err != nil {
			t.Fatal(err)
		}
		return len(sessions.Sessions) == 3
	})
	for _, s := range sessions.Sessions {
		if s.Tab == lost.Tab() {
			if err := here.ask(wire.MethodSessionSignOut, wire.SessionSignOut{ID: s.ID}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tb := range []*tab{lost, twin} {
		if code, _ := tb.closedWith(); code != wire.CloseSignedOut {
			t.Errorf("a session with the token: closed with %d, want %d", code, wire.CloseSignedOut)
		}
	}
	for node := range w.nodes {
		if _, err := w.dial(node, "alice", with); !refusal.Is(err, refusal.TokenRevoked) {
			t.Errorf("the token on node %d: %v, want %s", node, err, refusal.TokenRevoked)
		}
	}
	if err := here.ask(wire.MethodSessionList, wire.Empty{}, nil); err != nil {
		t.Errorf("the session with another token: %v", err)
	}
}

// A backend's tokens bear whole seconds: who signs out everywhere has one from the same second,
// and gets another one from that second when they sign in again at once.
func TestWhoSignsOutEverywhereSignsInAgainAtOnce(t *testing.T) {
	w := newWorld(t, Config{})
	minted := func(name string) func(*client.Options) {
		token := fmt.Sprintf("%d %s", time.Now().Unix(), name)
		return func(o *client.Options) { o.Token = constant(token) }
	}
	w.verify = func(_ context.Context, token string) (auth.Identity, error) {
		seconds, _, _ := strings.Cut(token, " ")
		n, err := strconv.ParseInt(seconds, 10, 64)
		if err != nil {
			return auth.Identity{}, err
		}
		at := time.Unix(n, 0)
		id := auth.Identity{User: "alice", Name: "Alice", Token: auth.TokenID(token), IssuedAt: at, Expires: at.Add(time.Hour)}
		revoked, err := w.store.Revoked(t.Context(), []string{"alice"})
		if err == nil && revoked["alice"].Voids(id) {
			err = refusal.New(refusal.TokenRevoked, "It is void.")
		}
		return id, err
	}
	n := w.addNode(Config{}, w.bus)
	node := slices.Index(w.nodes, n)
	inUse := minted("in use")
	old, err := w.dial(node, "alice", inUse)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.ask(wire.MethodSessionSignOut, wire.SessionSignOut{Everywhere: true}, nil); err != nil {
		t.Fatal(err)
	}
	if code, _ := old.closedWith(); code != wire.CloseSignedOut {
		t.Errorf("closed with %d, want %d", code, wire.CloseSignedOut)
	}
	if _, err := w.dial(node, "alice", inUse); !refusal.Is(err, refusal.TokenRevoked) {
		t.Errorf("the token that was in use: %v, want %s", err, refusal.TokenRevoked)
	}
	if _, err := w.dial(node, "alice", minted("new")); err != nil {
		t.Errorf("a token minted after it: %v", err)
	}
}

// A sign-out that was made while a node heard nothing reaches its tabs when it looks for what it
// missed.
func TestASignOutReachesANodeThatWasNotTold(t *testing.T) {
	w := newWorld(t, Config{})
	alice, bob := w.open(0, "alice"), w.open(0, "bob")
	if err := w.store.RevokeAll(t.Context(), "alice", time.Now().Add(time.Second)); err != nil { // as another node does
		t.Fatal(err)
	}
	w.nodes[0].sweepSoon()
	if code, _ := alice.closedWith(); code != wire.CloseSignedOut {
		t.Errorf("closed with %d, want %d", code, wire.CloseSignedOut)
	}
	if err := bob.ask(wire.MethodSessionList, wire.Empty{}, nil); err != nil {
		t.Errorf("bob is concerned too: %v", err)
	}
}

// Whose clock is wrong is asked to come back: a tab that is told to stop would stay so when the
// clock is right.
func TestATokenFromTheFutureAsksToComeBack(t *testing.T) {
	if code := closeCode(refusal.TokenNotYet); code < 4000 || code > 4499 {
		t.Errorf("a token that is not good yet is closed with %d, which says stop", code)
	}
}

// eventually repeats a question until its answer is as it should be.
func (tb *tab) eventually(what string, claim func() bool) {
	tb.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !claim() {
		select {
		case <-tick.C:
		case <-deadline:
			tb.t.Fatalf("not in 30 s: %s", what)
		}
	}
}

func TestUserObjectsAreSharedByAllTabs(t *testing.T) {
	w := newWorld(t, Config{})
	one, two := w.open(0, "alice"), w.open(0, "alice")
	if err := one.ask(wire.MethodUserObjectSet, wire.UserObjectSet{Key: "filter", Value: []byte(`{"open":true}`)}, nil); err != nil {
		t.Fatal(err)
	}
	two.await("the object", func() bool {
		return slices.ContainsFunc(two.changes, func(c wire.Change) bool { return c.Feed == chat.OwnFeed && c.Type == chat.ItemObject })
	})
	var got wire.UserObjects
	if err := two.ask(wire.MethodUserObjectGet, wire.UserObjectGet{Key: "filter"}, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Objects) != 1 || string(got.Objects[0].Value) != `{"open":true}` || got.Objects[0].Tab != one.Tab() {
		t.Errorf("got %+v", got.Objects)
	}
	late := w.open(0, "alice")
	greeted := seen(&late.observed, func() []wire.Change { return slices.Clone(late.changes) })
	if len(greeted) != 1 || decoded[chat.UserObject](t, greeted[0].Data).Key != "filter" {
		t.Errorf("greeted with %d items, want the object", len(greeted))
	}
}

func TestTypingReachesTheOthersOnly(t *testing.T) {
	w := newWorld(t, Config{})
	alice, bob, carol := w.open(0, "alice"), w.open(0, "bob"), w.open(0, "carol")
	c := alice.send("bob", "hi").Conversation
	carol.send("bob", "hi")
	if err := alice.Notify(wire.NoteTyping, wire.Typing{Conversation: c, User: "carol", On: true}); err != nil {
		t.Fatal(err)
	}
	bob.await("typing", func() bool { return len(noted[wire.Typing](bob, wire.NoteTyping)) == 1 })
	if got := noted[wire.Typing](bob, wire.NoteTyping)[0]; got.User != "alice" || !got.On || got.Conversation != c {
		t.Errorf("got %+v, want alice's, whoever the client names", got)
	}
	bob.send("carol", "done")
	carol.await("the next message", func() bool { return len(carol.texts()) == 2 })
	if n := len(noted[wire.Typing](carol, wire.NoteTyping)); n != 0 {
		t.Errorf("carol heard of %d typings in a conversation that is not hers", n)
	}
}

func TestPresenceAcrossNodes(t *testing.T) {
	cfg := Config{OfflineMS: 50, HeartbeatMS: 50}
	w := newWorld(t, cfg)
	second := join(t, w)
	w.addNode(cfg, second)
	alice, bob := w.open(0, "alice"), w.open(1, "bob")
	var list wire.PresenceList
	alice.eventually("bob online in the first answer", func() bool {
		if err := alice.ask(wire.MethodPresenceWatch, wire.PresenceWatch{Users: []string{"bob", "nobody"}}, &list); err != nil {
			t.Fatal(err)
		}
		return len(list.Users) == 1 && list.Users[0].State == wire.Online
	})
	last := func(state wire.PresenceState) func() bool {
		return func() bool {
			all := noted[wire.Presence](alice, wire.NotePresence)
			return len(all) > 0 && all[len(all)-1].State == state
		}
	}
	if err := bob.Notify(wire.NoteActivity, wire.Activity{Away: true}); err != nil {
		t.Fatal(err)
	}
	alice.await("bob away", last(wire.Away))
	another := w.open(0, "bob")
	alice.await("bob online in another tab", last(wire.Online))
	another.Close()
	alice.await("bob away again", last(wire.Away))
	bob.Close()
	alice.await("bob offline", last(wire.Offline))
	all := noted[wire.Presence](alice, wire.NotePresence)
	if all[len(all)-1].LastSeen == 0 {
		t.Error("offline without last_seen")
	}
	w.open(1, "bob")
	alice.await("bob back", last(wire.Online))

	// The node of bob dies without a word: its users go with it.
	second.Close()
	alice.await("bob offline with the node", last(wire.Offline))
}

func TestShutdownTellsTabsToComeBackWithASpread(t *testing.T) {
	w := newWorld(t, Config{SpreadMS: 5000})
	alice := w.open(0, "alice", func(o *client.Options) { o.Backoff = func(int) (time.Duration, bool) { return 0, false } })
	w.nodes[0].Close(t.Context())
	code, reason := alice.closedWith()
	if ms, err := strconv.Atoi(reason); code != wire.CloseShutdown || err != nil || ms < 0 || ms > 5000 {
		t.Errorf("closed with %d %q, want %d and 0 to 5000", code, reason, wire.CloseShutdown)
	}
	if _, err := w.dial(0, "alice"); err == nil {
		t.Error("a server that shuts down takes a new tab")
	}
	w.nodes[0].Close(t.Context())
}

func TestMessageOfATabThatLeavesAtOnceIsKept(t *testing.T) {
	w := newWorld(t, Config{})
	bob := w.open(0, "bob")
	p := w.plain(0)
	p.hello(w.token("alice"))
	p.write(`{"jsonrpc":"2.0","id":2,"method":"message.send","params":{"to":"bob","client_id":"c0ffee00-0001","kind":"text","text":"bye"}}`)
	_ = p.Conn.Close()
	bob.await("the last words", func() bool { return len(bob.texts()) == 1 })
}

func TestSecondHelloChangesNothing(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.plain(0)
	p.hello(w.token("alice"))
	f := p.hello(w.token("bob"))
	if f.Error == nil { // synced came first
		p.frames(func(g wire.Frame) bool { f = g; return f.Error != nil })
	}
	if f.Error.Data.Code != refusal.HelloAgain {
		t.Errorf("got %s, want hello_again", f.Error.Data.Code)
	}
	p.write(`{"jsonrpc":"2.0","id":9,"method":"user.get","params":{"user":"bob"}}`)
	p.frames(func(g wire.Frame) bool {
		if g.ID == nil || *g.ID != 9 {
			return false
		}
		if g.Error == nil {
			t.Error("bob exists: the second hello was looked at")
		}
		return true
	})
}
