package switchboard_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"carillon/call"
	"carillon/chat"
	"carillon/refusal"
	"carillon/store"
	"carillon/switchboard"
	"carillon/wire"
)

// ringTime is how long a call of these tests rings.
var ringTime = time.Duration(call.Defaults().RingSeconds) * time.Second

// world is one database and the nodes on it.
type world struct {
	t            *testing.T
	store        *failingStore
	conversation string

	mu    sync.Mutex
	rooms map[string]*room         // the newest of each call
	told  map[string]call.Snapshot // by user and call: what a tab knows that was told every change
}

// failingStore is the real store, which can be made slow, or to fail.
type failingStore struct {
	*store.Store
	slow   atomic.Int64 // ns that each write takes
	broken atomic.Bool
	saves  atomic.Int64
}

var errDisk = errors.New("no space left on device")

func (b *failingStore) SaveCall(ctx context.Context, r call.Record) error {
	b.saves.Add(1)
	time.Sleep(time.Duration(b.slow.Load()))
	if b.broken.Load() {
		return errDisk
	}
	return b.Store.SaveCall(ctx, r)
}

// room notes what a call tells it.
type room struct {
	mu     sync.Mutex
	legs   []call.LegPass
	ended  []call.LegEnd
	closed bool
}

func (r *room) Follow(legs []call.LegPass, ended []call.LegEnd) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.legs, r.ended = legs, append(r.ended, ended...)
}

func (r *room) Close() { r.mu.Lock(); r.closed = true; r.mu.Unlock() }

func newWorld(t *testing.T) *world {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	s, err := store.Open(t.Context(), store.Config{Folder: t.TempDir()}, log, func([]chat.Told) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	people := chat.New(s, chat.Config{})
	alice := chat.User{ID: "alice", Name: "Alice"}
	for _, u := range []chat.User{alice, {ID: "bob", Name: "Bob"}} {
		if _, _, err := people.Seen(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	conv, err := people.DirectWith(t.Context(), alice, "bob")
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, store: &failingStore{Store: s}, conversation: conv.ID, rooms: map[string]*room{}, told: map[string]call.Snapshot{}}
}

func (w *world) node(name string) *switchboard.Owners {
	w.t.Helper()
	x := switchboard.NewOwners(w.store, call.Config{}, name, func(id string) (switchboard.Follower, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.rooms[id] = &room{}
		return w.rooms[id], nil
	}, w.tell, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	w.t.Cleanup(x.Close)
	return x
}

// tell does what a tab does with a change of a call.
func (w *world) tell(user string, c wire.CallChange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := user + " " + c.Call.ID
	known, now := w.told[key], c.Call
	switch {
	case c.From == 0:
	case c.From != known.CSeq || now.Epoch != known.Epoch:
		w.t.Errorf("%s knows change %d of epoch %d and is told what changed since %d of %d", user, known.CSeq, known.Epoch, c.From, now.Epoch)
		return
	default:
		participants := slices.Clone(known.Participants)
		for _, p := range now.Participants {
			i := slices.IndexFunc(participants, func(old call.ParticipantView) bool { return old.User == p.User })
			participants[i] = p
		}
		now.Participants = participants
	}
	w.told[key] = now
}

func (w *world) toldOf(user, id string) call.Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told[user+" "+id]
}

// snapshot is the stored call as of its last change.
func (w *world) snapshot(id string) call.Snapshot {
	w.t.Helper()
	r := w.stored(id)
	c, err := call.Decode(r.State, call.Config{})
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Snapshot(time.UnixMilli(r.UpdatedAt))
}

func (w *world) room(id string) *room {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rooms[id]
}

func tabOf(user string, n int) call.Tab {
	return call.Tab{
		User: user, Session: fmt.Sprintf("%s-session-%d", user, n),
		Where: call.Where{TabID: fmt.Sprintf("%s-tab-%d", user, n), Device: user + "-device", DeviceName: "Chrome"},
	}
}

func (w *world) invitation(id, from string) call.Invitation {
	return call.Invitation{
		ID: id, ClientCallID: "cc-" + id, Conversation: w.conversation, Direct: true, Media: call.Video,
		From: tabOf(from, 1), People: []call.Person{{User: "alice", Name: "Alice"}, {User: "bob", Name: "Bob"}},
	}
}

// start is a call of alice to bob that rings.
func (w *world) start(x *switchboard.Owners, id string) call.Reply {
	w.t.Helper()
	r, other, err := x.Start(w.t.Context(), w.invitation(id, "alice"))
	if err != nil || other != "" {
		w.t.Fatalf("start: %v, other call %q", err, other)
	}
	return r
}

func (w *world) stored(id string) call.Record {
	w.t.Helper()
	r, err := w.store.Call(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) do(x *switchboard.Owners, id string, f call.Fact) call.Reply {
	w.t.Helper()
	r, err := x.Do(w.t.Context(), id, f)
	if err != nil {
		w.t.Fatalf("%s: %v", f.Kind, err)
	}
	return r
}

// talk is a call that alice and bob have joined. It is for tests with fake time.
func (w *world) talk(x *switchboard.Owners, id string) (alice, bob call.Reply) {
	w.t.Helper()
	alice = w.start(x, id)
	bob = w.do(x, id, call.Fact{Kind: call.DoAnswer, From: tabOf("bob", 1)})
	x.Media(id, alice.Leg, true)
	x.Media(id, bob.Leg, true)
	synctest.Wait()
	if s := w.snapshot(id); s.State != call.Active {
		w.t.Fatalf("%s, want active", s.State)
	}
	return alice, bob
}

func TestRingEndsWithoutAnybodysHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		x := w.node("one")
		r := w.start(x, "ring")
		if r.Snapshot.RemainingMS != ringTime.Milliseconds() || r.Secret == "" {
			t.Errorf("got %+v", r)
		}
		time.Sleep(ringTime - time.Millisecond)
		synctest.Wait()
		if got := w.snapshot("ring").State; got != call.Ringing {
			t.Fatalf("%s before its time", got)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		s := w.snapshot("ring")
		if s.State != call.Ended || s.Reason != call.NoAnswer {
			t.Errorf("%s %s, want ended no_answer", s.State, s.Reason)
		}
		if room := w.room("ring"); !room.closed || len(room.ended) != 1 {
			t.Errorf("the room is %+v, want it closed and one leg ended", room)
		}
		if _, err := x.Do(t.Context(), "ring", call.Fact{Kind: call.Tick}); !errors.Is(err, switchboard.ErrNotHere) {
			t.Errorf("got %v, want no owner any more", err)
		}
		if _, err := x.Adopt(t.Context(), w.stored("ring"), call.Fact{Kind: call.DoAnswer, From: tabOf("bob", 1)}); !refusal.Is(err, refusal.CallEnded) {
			t.Errorf("late answer: got %v, want call_ended", err)
		}
	})
}

func TestGraceTimeOfALostLeg(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		x := w.node("one")
		_, b := w.talk(x, "c")
		time.Sleep(time.Hour)
		x.Media("c", b.Leg, false)
		time.Sleep(25*time.Second - time.Millisecond)
		synctest.Wait()
		if s := w.snapshot("c"); s.State != call.Active || s.Participants[1].State != call.Reconnecting {
			t.Fatalf("%+v, want bob reconnecting", s)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if s := w.snapshot("c"); s.Reason != call.ConnectionLost {
			t.Errorf("ended %s, want connection_lost", s.Reason)
		}
		if log := w.stored("c").Log; log.DurationMS < time.Hour.Milliseconds() {
			t.Errorf("log %+v", log)
		}
	})
}

func TestTwoStartsAreOneCall(t *testing.T) {
	w := newWorld(t)
	servers := []*switchboard.Owners{w.node("one"), w.node("two")}
	type result struct {
		reply call.Reply
		other string
		err   error
	}
	results := make([]result, 2)
	var wg sync.WaitGroup
	for i, from := range []string{"alice", "bob"} {
		wg.Go(func() {
			r := &results[i]
			r.reply, r.other, r.err = servers[i].Start(t.Context(), w.invitation(from+"s", from))
		})
	}
	wg.Wait()
	live, err := w.store.AllLive(t.Context())
	if err != nil || len(live) != 1 {
		t.Fatalf("%d live calls (%v), want 1", len(live), err)
	}
	lost := 0
	for i, r := range results {
		switch {
		case r.err != nil:
			t.Fatal(r.err)
		case r.other != "":
			lost++
			if r.other != live[0].ID {
				t.Errorf("sent to %q, want %q", r.other, live[0].ID)
			}
			if _, err := servers[i].Do(t.Context(), r.other, call.Fact{Kind: call.Tick}); !errors.Is(err, switchboard.ErrNotHere) {
				t.Errorf("the loser owns the call too: %v", err)
			}
		}
	}
	if lost != 1 {
		t.Errorf("%d lost, want 1", lost)
	}
}

func TestAServerThatStartsTakesCallsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.node("first")
		a := w.start(first, "c")
		b := w.do(first, "c", call.Fact{Kind: call.DoAnswer, From: tabOf("bob", 1)})
		first.Media("c", a.Leg, true)
		first.Media("c", b.Leg, true)
		synctest.Wait()
		first.Close()

		second := w.node("second")
		if _, err := second.Do(t.Context(), "c", call.Fact{Kind: call.Tick}); !errors.Is(err, switchboard.ErrNotHere) {
			t.Fatalf("got %v before it was claimed", err)
		}
		resume := call.Fact{Kind: call.DoResume, From: tabOf("bob", 2), Leg: b.Leg, Secret: b.Secret}
		r, err := second.Adopt(t.Context(), w.stored("c"), resume)
		if err != nil {
			t.Fatalf("resume after the restart: %v", err)
		}
		if r.Snapshot.Epoch != 2 || r.Snapshot.State != call.Active || r.Leg != b.Leg || r.Secret == b.Secret {
			t.Errorf("got %+v", r)
		}
		second.Media("c", b.Leg, true)
		time.Sleep(26 * time.Second)
		synctest.Wait()
		if s := w.snapshot("c"); s.Reason != call.ServerError || s.Participants[0].State != call.Left {
			t.Errorf("alice did not come back: %+v, want server_error", s)
		}
	})
}

func TestWhoIsFencedStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first, second := w.node("first"), w.node("second")
		w.start(first, "c")
		old := w.room("c")
		// The second believes that the first is dead.
		if _, err := second.Adopt(t.Context(), w.stored("c"), call.Fact{Kind: call.Tick}); err != nil {
			t.Fatal(err)
		}
		answer := call.Fact{Kind: call.DoAnswer, From: tabOf("bob", 1)}
		if _, err := first.Do(t.Context(), "c", answer); !errors.Is(err, switchboard.ErrNotHere) {
			t.Fatalf("got %v, want the fenced owner to give up", err)
		}
		synctest.Wait()
		if !old.closed {
			t.Error("its room is open")
		}
		w.do(second, "c", answer)
	})
}

func TestOneServerClaims(t *testing.T) {
	w := newWorld(t)
	first := w.node("first")
	w.start(first, "c")
	first.Close()
	var wg sync.WaitGroup
	var owners atomic.Int64
	seen := w.stored("c")
	for i := range 4 {
		x := w.node(fmt.Sprint(i))
		wg.Go(func() {
			if _, err := x.Adopt(t.Context(), seen, call.Fact{Kind: call.Tick}); err == nil {
				owners.Add(1)
			} else if !errors.Is(err, switchboard.ErrNotHere) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := owners.Load(); n != 1 {
		t.Errorf("%d claimed it", n)
	}
	if r := w.stored("c"); !r.Live() || r.Epoch != 2 {
		t.Errorf("stored %+v", r)
	}
}

func TestAFullDiskDelaysButLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		x := w.node("one")
		a := w.start(x, "c")
		w.store.broken.Store(true)
		answer := call.Fact{Kind: call.DoAnswer, From: tabOf("bob", 1)}
		_, err := x.Do(t.Context(), "c", answer)
		if !refusal.Is(err, refusal.Busy) {
			t.Fatalf("got %v, want busy", err)
		}
		x.Media("c", a.Leg, true) // the room's news waits
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := w.store.saves.Load(); n < 5 || n > 15 {
			t.Errorf("tried to store %d times in 10 s", n)
		}
		w.store.broken.Store(false)
		time.Sleep(time.Second)
		synctest.Wait()
		s := w.snapshot("c")
		if s.State != call.Ringing || s.Participants[0].State != call.Joined {
			t.Errorf("got %+v, want a ringing call with alice's media up", s)
		}
		if r := w.do(x, "c", answer); r.Snapshot.CSeq <= s.CSeq {
			t.Errorf("cseq %d after %d", r.Snapshot.CSeq, s.CSeq)
		}
	})
}

// What nobody waits for is tried again once a second, however much of it gathers.
func TestAFullDiskIsTriedOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		x := w.node("one")
		a := w.start(x, "c")
		w.store.broken.Store(true)
		for i := range 10 {
			x.Media("c", a.Leg, i%2 == 0)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(ringTime) // its end cannot be stored either
		before := w.store.saves.Load()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := w.store.saves.Load() - before; n > 2*60 {
			t.Errorf("tried to store %d times in a minute", n)
		}
		w.store.broken.Store(false)
		time.Sleep(time.Second)
		synctest.Wait()
		if s := w.snapshot("c"); s.Reason != call.NoAnswer {
			t.Errorf("%s %s, want ended no_answer", s.State, s.Reason)
		}
	})
}

func TestACallThatCannotBeReadIsEnded(t *testing.T) {
	w := newWorld(t)
	first := w.node("first")
	w.start(first, "c")
	first.Close()
	r := w.stored("c")
	r.State = []byte(`{"version":99}`)
	if err := w.store.Store.SaveCall(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	second := w.node("second")
	for range 2 {
		if _, err := second.Adopt(t.Context(), w.stored("c"), call.Fact{Kind: call.DoAnswer, From: tabOf("bob", 1)}); !refusal.Is(err, refusal.CallEnded) {
			t.Fatalf("got %v, want call_ended", err)
		}
	}
	if log := w.stored("c").Log; log.State != call.Ended || log.Reason != call.ServerError || log.Outcomes[1] != (call.Outcome{User: "bob", State: call.Missed}) {
		t.Errorf("stored %+v", log)
	}
	told := w.toldOf("bob", "c")
	if told.State != call.Ended || told.Reason != call.ServerError || told.Epoch != 2 {
		t.Errorf("bob was told %+v", told)
	}
}

func TestManyAnswersOneWinner(t *testing.T) {
	w := newWorld(t)
	x := w.node("one")
	w.start(x, "c")
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			switch _, err := x.Do(t.Context(), "c", call.Fact{Kind: call.DoAnswer, From: tabOf("bob", i)}); {
			case err == nil:
				won.Add(1)
			case !refusal.Is(err, refusal.AlreadyAnswered):
				t.Errorf("tab %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d tabs won", won.Load())
	}
}

// What changes of a participant is told, and what does not is left out; each change follows the
// one before, and all of them together are the call.
func TestChangesOfACallAddUpToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		x := w.node("one")
		w.talk(x, "c")
		off, on := false, true
		for i, set := range []call.Set{{Microphone: &off}, {HandRaised: &on}, {Held: &on}, {Held: &off, Microphone: &on}} {
			w.do(x, "c", call.Fact{Kind: call.DoSet, From: tabOf([]string{"alice", "bob"}[i%2], 1), Set: set})
			for _, user := range []string{"alice", "bob"} {
				got, want := w.toldOf(user, "c"), w.snapshot("c").For(user)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("after change %d %s knows, against what is stored:\n%s", i, user, diff)
				}
			}
		}
		x.Close()
		second := w.node("two")
		if _, err := second.Adopt(t.Context(), w.stored("c"), call.Fact{Kind: call.Tick}); err != nil {
			t.Fatal(err)
		}
		if got, want := w.toldOf("bob", "c"), w.snapshot("c").For("bob"); got.Epoch != 2 || !cmp.Equal(got, want) {
			t.Errorf("after the call was taken over bob knows %+v, want %+v", got, want)
		}
	})
}

func TestCloseTwice(t *testing.T) {
	w := newWorld(t)
	x := w.node("one")
	w.start(x, "c")
	x.Close()
	x.Close()
	if _, _, err := x.Start(t.Context(), w.invitation("d", "alice")); !refusal.Is(err, refusal.Busy) {
		t.Errorf("start on a closed node: %v", err)
	}
	if r := w.stored("c"); !r.Live() {
		t.Error("closing the server ended the call")
	}
}
