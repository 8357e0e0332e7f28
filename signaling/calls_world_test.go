package signaling

import (
	"encoding/json"
	"slices"
	"testing"

	"carillon/bus"
	"carillon/call"
	"carillon/refusal"
	"carillon/sfu"
	"carillon/switchboard"
	"carillon/wire"
)

// callWorld is a world whose nodes have calls: each has an SFU of its own.
type callWorld struct {
	*world
	cfg       call.Config
	media     sfu.Config
	callStore switchboard.Store // nil: the world's
	sfus      []*sfu.SFU
}

func newCallWorld(t *testing.T) *callWorld {
	t.Helper()
	return newCallWorldWith(t, sfu.Config{})
}

func newCallWorldWith(t *testing.T, media sfu.Config) *callWorld {
	t.Helper()
	w := &callWorld{world: newWorld(t, Config{}), media: media}
	w.addCallNode(join(t, w.world)) // a node of its own, which hears of the first one's commits
	return w
}

// addCallNode returns the index of a node with calls.
func (w *callWorld) addCallNode(b *bus.Bus) int {
	w.t.Helper()
	b = w.own(b)
	media, err := sfu.New(w.media, w.logger(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := media.Close(); err != nil {
			w.t.Error(err)
		}
	})
	w.sfus = append(w.sfus, media)
	calls := w.callStore
	if calls == nil {
		calls = w.store
	}
	board := switchboard.New(switchboard.Deps{
		Store: calls, Chat: w.chat, Bus: b, Door: switchboard.NewDoor(media, switchboard.Members(w.chat)), Config: w.cfg, Log: w.logger(), Metrics: w.registerer(),
	})
	w.addNodeWith(Config{}, b, board)
	return len(w.nodes) - 1
}

// now is the newest that the tab has heard of a call.
func (tb *tab) now(id string) call.Snapshot {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.snapshot(id)
}

// snapshot is now, under the tab's lock.
func (tb *tab) snapshot(id string) (newest call.Snapshot) {
	for _, s := range tb.snapshots() {
		if s.ID == id && s.CSeq > newest.CSeq {
			newest = s
		}
	}
	return newest
}

func (tb *tab) snapshots() (all []call.Snapshot) {
	for _, c := range tb.calls {
		all = append(all, c.Call)
	}
	return all
}

// rung waits for a ring and returns the call.
func (tb *tab) rung() (s call.Snapshot) {
	tb.t.Helper()
	tb.await("ring", func() bool {
		for _, s = range tb.snapshots() {
			if s.State == call.Ringing && s.Caller != tb.Welcome().User.ID {
				return true
			}
		}
		return false
	})
	return s
}

// until waits for a claim about a call and returns the call.
func (tb *tab) until(what, id string, claim func(call.Snapshot) bool) (s call.Snapshot) {
	tb.t.Helper()
	tb.await(what, func() bool { s = tb.snapshot(id); return s.ID != "" && claim(s) })
	return s
}

func (tb *tab) untilState(id string, state call.State) call.Snapshot {
	tb.t.Helper()
	return tb.until(string(state), id, func(s call.Snapshot) bool { return s.State == state })
}

func (tb *tab) ended(id string, reason call.Reason) call.Snapshot {
	tb.t.Helper()
	s := tb.untilState(id, call.Ended)
	if s.Reason != reason {
		tb.t.Fatalf("ended %s, want %s", s.Reason, reason)
	}
	return s
}

// legEnd waits until this tab is told that its leg is over.
func (tb *tab) legEnd(leg string, reason call.Reason) {
	tb.t.Helper()
	tb.await("leg end", func() bool {
		return slices.ContainsFunc(tb.notes, func(f wire.Frame) bool {
			var e wire.LegEnd
			return f.Method == wire.NoteLegEnd && json.Unmarshal(f.Params, &e) == nil && e.Leg == leg && e.Reason == reason
		})
	})
}

func (tb *tab) leg(method string, params any) (leg wire.CallLeg, err error) {
	err = tb.Request(tb.t.Context(), method, params, &leg)
	return leg, err
}

func (tb *tab) must(method string, params any) wire.CallLeg {
	tb.t.Helper()
	leg, err := tb.leg(method, params)
	if err != nil {
		tb.t.Fatalf("%s: %v", method, err)
	}
	return leg
}

func (tb *tab) refused(code refusal.Code, method string, params any) {
	tb.t.Helper()
	if _, err := tb.leg(method, params); !refusal.Is(err, code) {
		tb.t.Fatalf("%s: got %v, want %s", method, err, code)
	}
}

func (tb *tab) start(to string) wire.CallLeg {
	tb.t.Helper()
	leg, err := tb.StartCall(tb.t.Context(), to, call.Video)
	if err != nil {
		tb.t.Fatalf("start: %v", err)
	}
	return leg
}

func refOf(leg wire.CallLeg) wire.LegRef {
	return wire.LegRef{Call: leg.Call.ID, Leg: leg.Leg, Secret: leg.Secret}
}

func of(s call.Snapshot, user string) call.ParticipantView {
	for _, p := range s.Participants {
		if p.User == user {
			return p
		}
	}
	return call.ParticipantView{}
}

// talk is a call between two tabs with media both ways.
func talk(t *testing.T, from, to *tab) (a, b wire.CallLeg, pa, pb *phone) {
	t.Helper()
	a = from.start(to.Welcome().User.ID)
	pa = newPhone(t)
	pa.connect(from, a)
	to.until("ring", a.Call.ID, func(s call.Snapshot) bool { return s.State == call.Ringing })
	b = to.must(wire.MethodCallAnswer, wire.CallAnswer{Call: a.Call.ID})
	pb = newPhone(t)
	pb.connect(to, b)
	from.untilState(a.Call.ID, call.Active)
	to.untilState(a.Call.ID, call.Active)
	pa.hears("b at a")
	pb.hears("a at b")
	return a, b, pa, pb
}
