package call

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carillon/refusal"
)

// world is several users with several tabs each, all of whom may do anything at any
// time, over connections that break before and after a request is executed, with a server
// that restarts and messages that come twice or late. Whatever happens, the promises
// hold; and when everybody is gone for long enough the call ends.
type world struct {
	call   Call
	now    time.Time
	tabs   []*page
	legs   map[string]*issued // every leg ever made
	old    []Fact             // what has been sent, to be sent again
	closed map[string]bool    // legs that have ended
	epoch  int64
	n      int

	// model_lost_test.go
	flying []Fact // requests that the call has not seen yet
	ends   []Tab  // connections that have ended, which the call has not been told yet
	told   []Tab  // those that it has been told, newest last
}

// issued are the secrets of a leg.
type issued struct {
	all   []string // the newest last
	shown bool     // somebody has used the newest
}

type page struct {
	tab     Tab
	alive   bool
	secrets []Fact // legs that it was handed, newest last
	asked   *Fact  // what it has asked for and got no reply to
}

func newWorld(t *rapid.T) *world {
	w := &world{now: epoch0, legs: map[string]*issued{}, closed: map[string]bool{}, epoch: 1}
	users := []string{"alice", "bob"}
	if rapid.Bool().Draw(t, "group") {
		users = append(users, "carol")
	}
	in := Invitation{ID: "call", ClientCallID: "cc", Conversation: "conv", Direct: len(users) == 2, Media: Video}
	for _, u := range users {
		in.People = append(in.People, Person{User: u, Name: u})
		for i := range 2 {
			w.tabs = append(w.tabs, &page{tab: tabOf(u, fmt.Sprintf("%s%d", u, i)), alive: true})
		}
	}
	in.From, in.Fresh = w.tabs[0].tab, w.fresh()
	c, reply, err := New(in, Config{MaxMinutes: 5}, w.now)
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	w.call = c
	w.issue(reply)
	if rapid.Bool().Draw(t, "the first reply is lost") {
		w.tabs[0].alive, w.tabs[0].asked = false, &Fact{Kind: DoStart, ClientCallID: "cc", Camera: true}
		w.ends = append(w.ends, in.From)
	} else {
		w.tabs[0].handed(reply)
	}
	return w
}

func (w *world) fresh() Fresh {
	w.n++
	return Fresh{fmt.Sprintf("leg%d", w.n), fmt.Sprintf("secret%d", w.n)}
}

// issue notes the secret that a reply hands out, whether it arrives or not.
func (w *world) issue(r Reply) {
	if r.Secret == "" {
		return
	}
	l := w.legs[r.Leg]
	if l == nil {
		l = &issued{}
		w.legs[r.Leg] = l
	}
	l.all, l.shown = append(l.all, r.Secret), false
}

func (p *page) handed(r Reply) {
	if r.Secret != "" {
		p.secrets = append(p.secrets, Fact{From: p.tab, Leg: r.Leg, Secret: r.Secret})
	}
}

// happen makes one transition and checks everything about it.
func (w *world) happen(t *rapid.T, f Fact) (Reply, error) {
	f.Fresh = w.fresh()
	before := w.call
	after, effect, err := before.Next(f, w.now)
	mustHold(t, before, after, effect)
	w.conserve(t, before, after, effect)
	if err != nil {
		if _, known := refusal.Of(err); !known {
			t.Fatalf("%+v: %v is no refusal", f, err)
		}
		alone, _, _ := before.Next(Fact{Kind: Tick}, w.now)
		if string(alone.Encode()) != string(after.Encode()) {
			t.Fatalf("refused %+v (%v) changed the call\nfrom %s\nto   %s", f, err, alone.Encode(), after.Encode())
		}
	}
	if f.Kind == DoDecline && err == nil {
		if p := before.find(f.From.User); p.present() {
			t.Fatalf("a decline was taken from %s who is %s", f.From.User, p.State)
		}
	}
	if d := after.Deadline(); !d.IsZero() && !d.After(w.now) {
		t.Fatalf("the deadline %v is over at %v", d, w.now)
	}
	w.call = after
	w.issue(effect.Reply)
	w.boundToNoneThatEnded(t)
	return effect.Reply, err
}

// conserve: each leg that is gone was told to be, once, and never comes back.
func (w *world) conserve(t *rapid.T, before, after Call, effect Effect) {
	gone := map[string]bool{}
	for _, l := range before.Legs() {
		gone[l.Leg] = true
	}
	for _, l := range after.Legs() {
		delete(gone, l.Leg)
		if w.closed[l.Leg] {
			t.Fatalf("leg %s has ended and is back", l.Leg)
		}
	}
	for _, e := range effect.Ended {
		if !gone[e.Leg] || w.closed[e.Leg] {
			t.Fatalf("leg %s was told to end and did not, or twice", e.Leg)
		}
		if e.Reason == "" {
			t.Fatalf("leg %s ended for no reason", e.Leg)
		}
		delete(gone, e.Leg)
		w.closed[e.Leg] = true
	}
	if len(gone) > 0 {
		t.Fatalf("legs %v are gone and nobody was told", gone)
	}
}

func (w *world) anyTab(t *rapid.T) *page { return rapid.SampledFrom(w.tabs).Draw(t, "tab") }

func (w *world) anyLeg(t *rapid.T) string {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(w.legs))).Draw(t, "leg")
}

// anySecret is one that this tab was given at some time, or a sibling's.
func (w *world) anySecret(t *rapid.T, p *page) (Fact, bool) {
	var all []Fact
	for _, other := range w.tabs {
		if other.tab.User == p.tab.User {
			all = append(all, other.secrets...)
		}
	}
	if len(all) == 0 {
		return Fact{}, false
	}
	f := rapid.SampledFrom(all).Draw(t, "secret")
	f.From = p.tab
	return f, true
}

func (w *world) command(t *rapid.T) {
	p := w.anyTab(t)
	if !p.alive {
		return
	}
	f := Fact{From: p.tab, Camera: true}
	f.Kind = rapid.SampledFrom([]FactKind{
		DoStart, DoRinging, DoAnswer, DoAnswer, DoDecline, DoLeave, DoMove, DoMove, DoSet, DoResume, DoSuspend, DoOffer,
	}).Draw(t, "command")
	switch f.Kind {
	case DoStart:
		f.ClientCallID = rapid.SampledFrom([]string{"cc", "other"}).Draw(t, "client call id")
	case DoSet:
		v := rapid.Bool().Draw(t, "value")
		f.Set = Set{Held: &v, Microphone: &v}
	case DoResume, DoSuspend, DoOffer:
		with, ok := w.anySecret(t, p)
		if !ok {
			return
		}
		with.Kind = f.Kind
		f = with
	}
	w.send(t, p, f)
}

// send is a request whose reply arrives.
func (w *world) send(t *rapid.T, p *page, f Fact) {
	before, shown := w.call, false
	if l := w.legs[f.Leg]; l != nil {
		shown = l.shown
	}
	reply, err := w.happen(t, f)
	w.judge(t, p, f, before, shown, reply, err)
	if err == nil {
		p.handed(reply)
	}
	w.old = append(w.old, f)
}

// again sends something a second time: a client that got no answer, or a stale page.
func (w *world) again(t *rapid.T) {
	if len(w.old) == 0 {
		return
	}
	f := rapid.SampledFrom(w.old).Draw(t, "again")
	for _, p := range w.tabs {
		if p.tab.TabID == f.From.TabID && p.alive {
			f.From = p.tab
			w.send(t, p, f)
		}
	}
}

func (w *world) media(t *rapid.T) {
	kind := rapid.SampledFrom([]FactKind{MediaUp, MediaUp, MediaDown}).Draw(t, "media")
	_, _ = w.happen(t, Fact{Kind: kind, Leg: w.anyLeg(t)})
}

func (w *world) pass(t *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(1, 30_000).Draw(t, "ms")) * time.Millisecond)
	if rapid.Bool().Draw(t, "late") {
		return // the owner was busy: what ran out is noticed by the next fact
	}
	_, _ = w.happen(t, Fact{Kind: Tick})
	w.noOldRing(t)
}

func (w *world) noOldRing(t *rapid.T) {
	if w.now.Sub(epoch0) < ringTime {
		return
	}
	for _, p := range w.call.data.Participants {
		if p.pending() {
			t.Fatalf("%s is rung after %v", p.User, w.now.Sub(epoch0))
		}
	}
}

// restart reads what was stored into another process.
func (w *world) restart(t *rapid.T) {
	c, err := Decode(w.call.Encode(), Config{MaxMinutes: 5})
	if err != nil {
		t.Fatalf("restart: %v", err)
	}
	w.call = c
	w.epoch++
	for _, p := range w.tabs {
		p.alive = false
	}
	w.flying, w.ends, w.told = nil, nil, nil // with the process
	for _, l := range w.legs {
		l.shown = false // that is not stored
	}
	_, _ = w.happen(t, Fact{Kind: Claimed, Epoch: w.epoch})
}

func TestAnyInterleavingKeepsThePromises(t *testing.T) {
	reached := map[State]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"command":  w.command,
			"command2": w.command, // most of what happens is what users do
			"again":    w.again,
			"lose":     w.lose,
			"lose2":    w.lose,
			"ask":      func(t *rapid.T) { w.ask(t, w.anyTab(t)) },
			"execute":  w.execute,
			"cut":      func(t *rapid.T) { w.cut(w.anyTab(t)) },
			"tell":     w.tell,
			"back":     func(t *rapid.T) { w.back(t, w.anyTab(t)) },
			"media":    w.media,
			"media2":   w.media,
			"pass":     w.pass,
			"restart":  func(t *rapid.T) { oneIn(t, 8, w.restart) },
			"hold": func(t *rapid.T) {
				at := w.now.UnixMilli() - int64(rapid.IntRange(0, 5000).Draw(t, "ago"))
				_, _ = w.happen(t, Fact{Kind: Hold, From: Tab{User: w.anyTab(t).tab.User}, OtherCall: "other", Since: at})
			},
			"remove": func(t *rapid.T) {
				oneIn(t, 8, func(t *rapid.T) { _, _ = w.happen(t, Fact{Kind: Remove, From: Tab{User: w.anyTab(t).tab.User}}) })
			},
		})
		reached[w.call.data.State]++
		w.everybodyLeaves(t)
	})
	for _, s := range order {
		if reached[s] == 0 {
			t.Errorf("no run was %s at its end: the test looks at too little (%v)", s, reached)
		}
	}
}

func oneIn(t *rapid.T, n int, do func(*rapid.T)) {
	if rapid.IntRange(1, n).Draw(t, "chance") == 1 {
		do(t)
	}
}

// everybodyLeaves without a word: no ghost may remain.
func (w *world) everybodyLeaves(t *rapid.T) {
	for _, p := range w.tabs {
		if p.alive {
			w.end(p)
		}
	}
	w.settle(t)
	for leg := range w.legs {
		_, _ = w.happen(t, Fact{Kind: MediaDown, Leg: leg})
	}
	if d := w.call.Deadline(); w.call.data.State == Ringing && d.Sub(w.now) > 25*time.Second {
		t.Fatalf("it rings for %v without the caller", d.Sub(w.now))
	}
	for range 20 {
		d := w.call.Deadline()
		if d.IsZero() {
			break
		}
		w.now = d
		_, _ = w.happen(t, Fact{Kind: Tick})
	}
	if !w.call.Ended() {
		t.Fatalf("nobody is there and the call goes on: %s", w.call.Encode())
	}
	for kind := range map[FactKind]bool{DoAnswer: true, DoStart: true, DoMove: true} {
		if _, err := w.happen(t, Fact{Kind: kind, From: w.tabs[2].tab}); !refusal.Is(err, refusal.CallEnded) {
			t.Fatalf("%s after the end: %v", kind, err)
		}
	}
}
