package signaling

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"carillon/bus"
	"carillon/call"
	"carillon/client"
	"carillon/refusal"
	"carillon/switchboard"
	"carillon/wire"
)

// A tab asks for a leg and its socket dies before the reply. These tests cut real sockets
// while the server is at a certain step, which the store makes it wait at.

// slowStore is the real store. It waits before or after a write of calls.
type slowStore struct {
	switchboard.Store
	dead atomic.Bool // no node can say any more that it lives

	mu   sync.Mutex
	stop *stop
}

// stop is where the next write waits.
type stop struct {
	after   bool          // it is stored
	reached chan struct{} // closed by the write
	goOn    chan struct{} // closed by the test
	release func()        // closes it
}

// stopNext makes the next write wait until release.
func (s *slowStore) stopNext(t *testing.T, after bool) *stop {
	s.mu.Lock()
	defer s.mu.Unlock()
	goOn := make(chan struct{})
	s.stop = &stop{after: after, reached: make(chan struct{}), goOn: goOn, release: sync.OnceFunc(func() { close(goOn) })}
	t.Cleanup(s.stop.release)
	return s.stop
}

// at returns what a write has to do before or after the real one.
func (s *slowStore) at() (before, after func()) {
	s.mu.Lock()
	stop := s.stop
	s.stop = nil
	s.mu.Unlock()
	wait, nothing := func() { close(stop.reached); <-stop.goOn }, func() {}
	switch {
	case stop == nil:
		return nothing, nothing
	case stop.after:
		return nothing, wait
	}
	return wait, nothing
}

func (s *slowStore) CreateCall(ctx context.Context, r call.Record) (call.Record, bool, error) {
	before, after := s.at()
	before()
	defer after()
	return s.Store.CreateCall(ctx, r)
}

func (s *slowStore) SaveCall(ctx context.Context, r call.Record) error {
	before, after := s.at()
	before()
	defer after()
	return s.Store.SaveCall(ctx, r)
}

func (s *slowStore) KeepNode(ctx context.Context, node string, lasts time.Duration) error {
	if s.dead.Load() {
		return errors.New("the node is dead")
	}
	return s.Store.KeepNode(ctx, node, lasts)
}

// lostWorld has a call node on which alice and bob are, and another one for bob's second tab.
type lostWorld struct {
	*callWorld
	slow   *slowStore
	nodes  []int
	second *bus.Bus // of the second node
}

func newLostWorld(t *testing.T, cfg call.Config) *lostWorld {
	t.Helper()
	w := &lostWorld{callWorld: &callWorld{world: newWorld(t, Config{}), cfg: cfg}}
	w.slow = &slowStore{Store: w.store}
	w.callStore = w.slow
	w.second = join(t, w.world)
	w.nodes = []int{w.addCallNode(w.bus), w.addCallNode(w.second)}
	return w
}

// gate keeps a tab from coming back while it is closed.
type gate struct{ closed atomic.Bool }

func (g *gate) dial(network, address string) (net.Conn, error) {
	if g.closed.Load() {
		return nil, errors.New("no network")
	}
	return net.Dial(network, address)
}

func (w *lostWorld) gatedTab(node int, user string, edit ...func(*client.Options)) (*tab, *gate) {
	g := &gate{}
	edit = append(edit, func(o *client.Options) { o.Dialer = &websocket.Dialer{NetDial: g.dial} })
	return w.open(node, user, edit...), g
}

// gone waits until the node has seen the end of the user's last connection.
func (w *lostWorld) gone(node int, user string) {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); w.world.nodes[node].localUser(user) != nil; {
		if time.Now().After(deadline) {
			w.t.Fatalf("node %d does not see that %s has gone", node, user)
		}
		time.Sleep(time.Millisecond)
	}
}

// lostRequest is a request for a leg, with what is before it.
type lostRequest struct {
	name string
	// begin returns the call, the request and who asks; a start has no call yet.
	begin func(w *lostWorld, node int) (asker *tab, g *gate, ask func() (wire.CallLeg, error))
}

var lostRequests = []lostRequest{
	{"start", func(w *lostWorld, node int) (*tab, *gate, func() (wire.CallLeg, error)) {
		alice, gate := w.gatedTab(node, "alice")
		return alice, gate, func() (wire.CallLeg, error) { return alice.StartCall(w.t.Context(), "bob", call.Video) }
	}},
	{"answer", func(w *lostWorld, node int) (*tab, *gate, func() (wire.CallLeg, error)) {
		bob, gate := w.gatedTab(node, "bob")
		id := w.open(w.nodes[0], "alice").start("bob").Call.ID
		bob.rung()
		return bob, gate, func() (wire.CallLeg, error) { return bob.Answer(w.t.Context(), id, true) }
	}},
	{"move", func(w *lostWorld, node int) (*tab, *gate, func() (wire.CallLeg, error)) {
		a := w.open(w.nodes[0], "alice").start("bob")
		alice2, gate := w.gatedTab(node, "alice")
		return alice2, gate, func() (wire.CallLeg, error) { return alice2.Move(w.t.Context(), a.Call.ID) }
	}},
	{"resume", func(w *lostWorld, node int) (*tab, *gate, func() (wire.CallLeg, error)) {
		alice, bob := w.open(w.nodes[0], "alice"), w.open(w.nodes[0], "bob")
		a := alice.start("bob")
		alice.Close()
		bob.until("alice has gone", a.Call.ID, func(s call.Snapshot) bool { return of(s, "alice").State == call.Reconnecting })
		back, gate := w.gatedTab(node, "alice", func(o *client.Options) { o.Tab = alice.Tab() })
		return back, gate, func() (wire.CallLeg, error) { return back.Resume(w.t.Context(), a) }
	}},
}

func TestALostReplyIsAskedForAgain(t *testing.T) {
	for _, r := range lostRequests {
		w := newLostWorld(t, call.Config{RingsPerMinute: 1000, RingsPerPair: 1000}) // a user may say hello only so often
		for _, node := range w.nodes {
			for _, stored := range []bool{false, true} {
				for _, when := range []string{"at once", "when the end is known", "when the tab is back"} {
					name := r.name + " on " + map[bool]string{true: "the owner's node", false: "another node"}[node == w.nodes[0]] +
						map[bool]string{true: ", stored", false: ", not stored"}[stored] + ", goes on " + when
					t.Run(name, func(t *testing.T) { w.t = t; r.lose(w, node, stored, when) })
				}
			}
		}
	}
}

// lose cuts the asker's socket while its request is being stored, lets the store go on
// when it is said, and looks at what the asker has in the end.
func (r lostRequest) lose(w *lostWorld, node int, stored bool, when string) {
	t := w.t.(*testing.T)
	asker, g, ask := r.begin(w, node)
	user := asker.Welcome().User.ID
	asker.mu.Lock()
	synced := asker.synced
	asker.mu.Unlock()
	at := w.slow.stopNext(t, stored)
	type result struct {
		leg wire.CallLeg
		err error
	}
	answered := make(chan result, 1)
	go func() {
		leg, err := ask()
		answered <- result{leg, err}
	}()
	<-at.reached
	g.closed.Store(true)
	asker.Cut()
	switch when {
	case "at once":
		at.release()
		g.closed.Store(false)
	case "when the end is known":
		if user == "bob" || r.name == "start" || r.name == "resume" { // the user's only tab
			w.gone(node, user)
		}
		at.release()
		g.closed.Store(false)
	case "when the tab is back":
		g.closed.Store(false)
		asker.await("back", func() bool { return asker.synced > synced })
		at.release()
	}
	got := <-answered
	if got.err != nil {
		t.Fatalf("asked again: %v", got.err)
	}
	// It holds the leg, and may use it.
	asker.must(wire.MethodLegPhase, wire.LegPhase{LegRef: refOf(got.leg), Phase: "first_frame", MS: 100})
	again := asker.must(wire.MethodCallResume, refOf(got.leg))
	var now wire.CallChange
	if err := asker.ask(wire.MethodCallGet, wire.CallRef{Call: got.leg.Call.ID}, &now); err != nil {
		t.Fatal(err)
	}
	p := of(now.Call, user)
	if r.name != "move" && (p.Leg == nil || p.Leg.ID != again.Leg || p.Leg.TabID != asker.Tab()) {
		t.Errorf("the user's leg is %+v, want %s in the tab that asked again", p.Leg, again.Leg)
	}
	live, err := w.store.LiveCalls(t.Context(), user)
	if err != nil || len(live) != 1 {
		t.Errorf("%d live calls of %s (%v), want one", len(live), user, err)
	}
	asker.must(wire.MethodCallLeave, wire.CallRef{Call: got.leg.Call.ID})
	asker.await("end", func() bool { return asker.snapshot(got.leg.Call.ID).State == call.Ended })
	asker.Close()
}

// The node of the tab dies with the reply, so nobody tells the end of the connection. The
// page connects to another node.
func TestAReplyLostWithANode(t *testing.T) {
	answer := func(id string) func(*tab) (wire.CallLeg, error) {
		return func(tb *tab) (wire.CallLeg, error) { return tb.Answer(t.Context(), id, true) }
	}
	for name, begin := range map[string]func(w *lostWorld) (user string, ask func(*tab) (wire.CallLeg, error)){
		"start": func(*lostWorld) (string, func(*tab) (wire.CallLeg, error)) {
			p := wire.CallStart{ClientCallID: "once", To: "bob", Media: call.Video}
			return "alice", func(tb *tab) (wire.CallLeg, error) { return tb.insist(wire.MethodCallStart, p) }
		},
		"answer": func(w *lostWorld) (string, func(*tab) (wire.CallLeg, error)) {
			return "bob", answer(w.open(w.nodes[0], "alice").start("bob").Call.ID)
		},
		"move": func(w *lostWorld) (string, func(*tab) (wire.CallLeg, error)) {
			id := w.open(w.nodes[0], "alice").start("bob").Call.ID
			return "alice", func(tb *tab) (wire.CallLeg, error) { return tb.Move(t.Context(), id) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newLostWorld(t, call.Config{})
			user, ask := begin(w)
			tb := w.open(w.nodes[1], user)
			at := w.slow.stopNext(t, true)
			lost := make(chan struct{})
			go func() { defer close(lost); _, _ = ask(tb) }()
			<-at.reached
			w.slow.dead.Store(true)
			w.second.Close()
			at.release()
			back := w.open(w.nodes[0], user, func(o *client.Options) { o.Tab = tb.Tab() })
			leg, err := ask(back)
			if err != nil {
				t.Fatalf("asked again on another node: %v", err)
			}
			back.must(wire.MethodLegPhase, wire.LegPhase{LegRef: refOf(leg), Phase: "first_frame", MS: 100})
			tb.Close()
			<-lost
		})
	}
}

// insist is leg for a tab that asks again when it is told to.
func (tb *tab) insist(method string, params any) (leg wire.CallLeg, err error) {
	for {
		leg, err = tb.leg(method, params)
		refused, ok := refusal.Of(err)
		if err == nil || !ok || refused.Code != refusal.Busy {
			return leg, err
		}
		time.Sleep(refused.Retry)
	}
}

// The page is gone for good: whatever its request has begun comes to an end soon, not
// after the full time of a ring.
func TestACallerWhoLostTheReplyAndStaysAwayRingsNobody(t *testing.T) {
	w := newLostWorld(t, call.Config{CallerGoneSeconds: 1})
	for _, stored := range []bool{false, true} {
		for _, known := range []bool{false, true} {
			bob := w.open(w.nodes[0], "bob")
			alice, g := w.gatedTab(w.nodes[0], "alice")
			at := w.slow.stopNext(t, stored)
			failed := make(chan error, 1)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { _, err := alice.StartCall(ctx, "bob", call.Video); failed <- err }()
			<-at.reached
			g.closed.Store(true)
			alice.Cut()
			if known {
				w.gone(w.nodes[0], "alice")
			}
			at.release()
			id := bob.rung().ID
			s := bob.untilState(id, call.Ended)
			if s.Reason != call.Cancelled || of(s, "bob").State != call.Missed {
				t.Errorf("stored %v, end known %v: ended %s, want cancelled, and missed by bob", stored, known, s.Reason)
			}
			cancel()
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("start without a connection: %v", err)
			}
			alice.Close()
			bob.Close()
			w.gone(w.nodes[0], "alice")
			w.gone(w.nodes[0], "bob")
		}
	}
}

// What a connection asked for and what was not begun when it ended is not done: nobody
// would have the leg.
func TestARequestThatWaitsForAnEndedConnectionRingsNobody(t *testing.T) {
	w := newLostWorld(t, call.Config{})
	bob, carol := w.open(w.nodes[0], "bob"), w.open(w.nodes[0], "carol")
	alice, g := w.gatedTab(w.nodes[0], "alice")
	at := w.slow.stopNext(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = alice.StartCall(ctx, "bob", call.Video) })
	<-at.reached
	wg.Go(func() { _, _ = alice.StartCall(ctx, "carol", call.Video) }) // waits behind the first
	server := w.world.nodes[w.nodes[0]]
	requests := &server.localUser("alice").all()[0].lanes[callLane]
	requests.await(t, "a second request waits", func() bool { return len(requests.waiting) == 1 })
	g.closed.Store(true)
	alice.Cut()
	w.gone(w.nodes[0], "alice")
	at.release()
	bob.rung()
	requests.await(t, "all requests are done", func() bool { return !requests.running })
	cancel()
	wg.Wait()
	alice.Close()
	bob.send("carol", "so that carol has a change after the ring that does not come")
	carol.await("message", func() bool { return len(carol.texts()) > 0 })
	carol.mu.Lock()
	defer carol.mu.Unlock()
	if slices.ContainsFunc(carol.snapshots(), func(s call.Snapshot) bool { return s.State == call.Ringing }) {
		t.Error("carol is rung by a tab that has gone")
	}
}

func (q *lane) await(t *testing.T, what string, claim func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		q.mu.Lock()
		ok := claim()
		q.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not in 30 s: %s", what)
		}
	}
}
