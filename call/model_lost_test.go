package call

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"
)

// This part of the model is what lies between a tab and the call: a request takes its
// time, its connection may end before or after it is executed, then its reply is lost; the
// call is told of the end sooner or later; and the page, if it is there, asks again over
// its next connection.

// mostFlying requests are under way at once. The server gives up each after 15 s, so that
// more cannot gather unless a page connects every second or so.
const mostFlying = 6

// lose is the story of this file for one page: it asks, its connection ends, and what
// follows comes in any order.
func (w *world) lose(t *rapid.T) {
	p := w.anyTab(t)
	if !p.alive {
		return
	}
	w.ask(t, p)
	w.end(p)
	of := func(s Tab) bool { return s.TabID == p.tab.TabID }
	for range rapid.IntRange(2, 8).Draw(t, "steps") {
		switch rapid.SampledFrom([]string{"execute", "tell", "back", "cut"}).Draw(t, "step") {
		case "execute":
			if i := slices.IndexFunc(w.flying, func(f Fact) bool { return of(f.From) }); i >= 0 {
				w.executeThe(t, i)
			}
		case "tell":
			if i := slices.IndexFunc(w.ends, of); i >= 0 {
				w.tellThe(t, i)
			}
		case "back":
			w.back(t, p)
		case "cut":
			w.cut(p)
		}
	}
}

// ask sends a request for a leg, which is executed later.
func (w *world) ask(t *rapid.T, p *page) {
	if !p.alive || p.asked != nil || len(w.flying) >= mostFlying {
		return
	}
	f := Fact{Camera: true}
	f.Kind = rapid.SampledFrom([]FactKind{DoStart, DoAnswer, DoMove, DoResume}).Draw(t, "request")
	switch f.Kind {
	case DoStart:
		f.ClientCallID = rapid.SampledFrom([]string{"cc", "other"}).Draw(t, "client call id")
	case DoResume:
		if len(p.secrets) == 0 {
			return
		}
		newest := p.secrets[len(p.secrets)-1]
		f.Leg, f.Secret = newest.Leg, newest.Secret
	}
	p.asked = &f
	w.repeat(p)
}

// repeat sends what the page has asked for over the connection that it has now.
func (w *world) repeat(p *page) {
	f := *p.asked
	f.From = p.tab
	w.flying = append(w.flying, f)
}

// execute lets one of the requests happen that are under way: those of a connection in
// their order.
func (w *world) execute(t *rapid.T) {
	if len(w.flying) == 0 {
		return
	}
	any := rapid.SampledFrom(w.flying).Draw(t, "under way")
	i := slices.IndexFunc(w.flying, func(f Fact) bool { return f.From.Session == any.From.Session })
	w.executeThe(t, i)
}

func (w *world) executeThe(t *rapid.T, i int) {
	f := w.flying[i]
	w.flying = slices.Delete(w.flying, i, i+1)
	p := w.pageOf(f.From)
	if p.alive && p.tab.Session == f.From.Session {
		p.asked = nil
		w.send(t, p, f)
		return
	}
	if _, err := w.happen(t, f); err == nil {
		w.ends = append(w.ends, f.From) // the server looks whether the connection is still there
	}
}

func (w *world) pageOf(tab Tab) *page {
	i := slices.IndexFunc(w.tabs, func(p *page) bool { return p.tab.TabID == tab.TabID })
	return w.tabs[i]
}

// cut ends a connection, with whatever is under way on it. The call is told later.
func (w *world) cut(p *page) {
	if p.alive {
		w.end(p)
	}
}

func (w *world) end(p *page) {
	p.alive = false
	w.ends = append(w.ends, p.tab)
}

// tell the call of an end, in any order.
func (w *world) tell(t *rapid.T) {
	if len(w.ends) > 0 {
		w.tellThe(t, rapid.IntRange(0, len(w.ends)-1).Draw(t, "end"))
	}
}

func (w *world) tellThe(t *rapid.T, i int) {
	over := w.ends[i]
	w.ends = slices.Delete(w.ends, i, i+1)
	if _, err := w.happen(t, Fact{Kind: TabGone, From: over}); err != nil {
		t.Fatalf("tab gone: %v", err)
	}
	w.told = append(w.told, over)
}

// back is a page with a new connection. It repeats what it got no reply to.
func (w *world) back(t *rapid.T, p *page) {
	if p.alive || len(w.flying) >= mostFlying {
		return
	}
	p.alive = true
	w.n++
	p.tab.Session, p.tab.Since = fmt.Sprintf("s%d", w.n), int64(w.n)
	_, _ = w.happen(t, Fact{Kind: TabBack, From: p.tab})
	if p.asked != nil {
		w.repeat(p)
	}
}

// settle lets all happen that is under way.
func (w *world) settle(t *rapid.T) {
	for len(w.flying) > 0 {
		w.executeThe(t, 0)
	}
	for len(w.ends) > 0 {
		w.tellThe(t, 0)
	}
	for _, l := range w.call.Legs() {
		if p := w.pageOf(l.Tab); l.Tab.Session != "" && (!p.alive || p.tab.Session != l.Tab.Session) {
			t.Fatalf("leg %s is bound to %s, which has ended", l.Leg, l.Tab.Session)
		}
	}
}

// boundToNoneThatEnded: a connection whose end was told holds nothing, in whatever order
// its requests and its end came.
func (w *world) boundToNoneThatEnded(t *rapid.T) {
	recent := w.told[max(0, len(w.told)-rememberedEnds):]
	for _, l := range w.call.Legs() {
		if slices.ContainsFunc(recent, func(s Tab) bool { return s.Session == l.Tab.Session }) {
			t.Fatalf("leg %s is bound to %s, of whose end the call was told", l.Leg, l.Tab.Session)
		}
	}
}

// judge looks at the reply to a request of a page that is there, over its newest
// connection. Before is the call, and shown whether the newest secret of f's leg had been
// used, when the request came.
func (w *world) judge(t *rapid.T, p *page, f Fact, before Call, shown bool, reply Reply, err error) {
	before, _, _ = before.Next(Fact{Kind: Tick}, w.now)
	switch {
	case err != nil && before.mustGrant(p, f):
		t.Fatalf("%+v was refused (%v)\nby %s", f, err, before.Encode())
	case err != nil:
		return
	case f.Kind == DoResume && !before.mayResume(f, w.legs[f.Leg], shown):
		t.Fatalf("%+v was resumed", f)
	case f.Kind == DoOffer || f.Kind == DoSuspend:
		w.legs[f.Leg].shown = true
	}
	if f.binds() && !slices.ContainsFunc(w.call.Legs(), func(l LegPass) bool {
		return l.Leg == reply.Leg && l.Tab.Session == f.From.Session && l.Tab.TabID == f.From.TabID
	}) {
		t.Fatalf("%+v was granted leg %s, which is not bound to its connection", f, reply.Leg)
	}
}

// mayResume: only who has the newest secret of a leg, or an older one in the leg's own tab
// as long as the newer ones may be lost, and only if no other tab's connection holds it.
func (c Call) mayResume(f Fact, secrets *issued, shown bool) bool {
	for _, l := range c.Legs() {
		if l.Leg == f.Leg && l.Tab.User == f.From.User {
			own := l.Tab.TabID == f.From.TabID
			newest := f.Secret == secrets.all[len(secrets.all)-2] // the last one is what this request was given
			return (newest || own && !shown) && (own || l.Tab.Session == "")
		}
	}
	return false
}

// mustGrant: this was granted before, and the reply lost, or nothing is against it.
func (c Call) mustGrant(p *page, f Fact) bool {
	me := c.find(f.From.User)
	if c.Ended() {
		return false
	}
	here := me.present() && me.Leg.isIn(f.From)
	switch f.Kind {
	case DoStart:
		mine := f.From.User == c.data.Caller && f.ClientCallID == c.data.ClientCallID
		return here || me.State != Removed && !mine
	case DoAnswer:
		return me.pending() || here && f.From.User != c.data.Caller
	case DoMove:
		return me.present()
	case DoResume:
		if len(p.secrets) == 0 {
			return false
		}
		got := p.secrets[len(p.secrets)-1]
		return f.Leg == got.Leg && f.Secret == got.Secret &&
			slices.ContainsFunc(c.Legs(), func(l LegPass) bool { return l.Leg == f.Leg && l.Tab.TabID == f.From.TabID })
	}
	return false
}
