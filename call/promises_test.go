package call

import (
	"reflect"
	"slices"
	"time"
)

// failer is what *testing.T and *rapid.T have in common here.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// mustHold checks the promises of calls.md over one transition. Every test of this
// package that moves a call comes through here.
func mustHold(t failer, before, after Call, effect Effect) {
	t.Helper()
	if err := after.data.check(); err != nil {
		t.Fatalf("not a call any more: %v\n%s", err, after.Encode())
	}
	b, a := before.data, after.data
	switch {
	case effect.Changed && a.CSeq != b.CSeq+1:
		t.Fatalf("cseq went from %d to %d", b.CSeq, a.CSeq)
	case !effect.Changed && string(before.Encode()) != string(after.Encode()):
		t.Fatalf("changed without saying so\nfrom %s\nto   %s", before.Encode(), after.Encode())
	case b.State == Ended && effect.Changed:
		t.Fatalf("an ended call changed: %s", after.Encode())
	case slices.Index(order, a.State) < slices.Index(order, b.State):
		t.Fatalf("a call went from %s back to %s", b.State, a.State)
	case b.ActiveAt != 0 && a.ActiveAt != b.ActiveAt:
		t.Fatalf("the clock of the call was started twice")
	}
	for i, p := range a.Participants {
		was := b.Participants[i]
		// Who went and came back has acted again.
		stayed := was.present() && p.present() && !slices.ContainsFunc(effect.Ended, func(e LegEnd) bool {
			return e.Leg == was.Leg.ID && e.Reason != Replaced
		})
		if stayed && was.ActedAt != nil && *was.ActedAt != *p.ActedAt {
			t.Fatalf("%s was answered twice", p.User)
		}
		if p.Leg != nil && p.Leg.State == LegUp && !p.Leg.mediaUp {
			t.Fatalf("leg %s is up without media", p.Leg.ID)
		}
		// Nobody is waited for without end: whoever is neither up nor rung has a deadline.
		if p.Leg != nil && p.Leg.State != LegUp && p.Leg.giveUpAt == 0 && a.State != Ringing {
			t.Fatalf("nobody looks when leg %s is over", p.Leg.ID)
		}
	}
	mustBeConsistent(t, after)
}

var order = []State{Ringing, Connecting, Active, Ended}

// mustBeConsistent compares what is told of a call with what it is.
func mustBeConsistent(t failer, c Call) {
	t.Helper()
	now := time.UnixMilli(c.data.UpdatedAt)
	v, log := c.Snapshot(now), c.Log()
	if log.State != v.State || log.Reason != v.Reason || len(log.Outcomes) != len(v.Participants) {
		t.Fatalf("the log says %+v, the snapshot %+v", log, v)
	}
	for i, o := range log.Outcomes {
		p := v.Participants[i]
		if o.User != p.User || (p.State == Missed) != (o.State == Missed) || (p.State == Declined) != (o.State == Declined) {
			t.Fatalf("the log says %+v of %+v", o, p)
		}
	}
	if log.DurationMS != 0 && (v.State != Ended || c.data.ActiveAt == 0) {
		t.Fatalf("the log has a duration and the call %s never was", v.State)
	}
	rung := slices.ContainsFunc(v.Participants, func(p ParticipantView) bool { return p.State == Invited || p.State == Alerting })
	if rung != (v.RemainingMS > 0) {
		t.Fatalf("rings %v, with %d ms left", rung, v.RemainingMS)
	}
	// Each user has at most one leg that is heard or seen.
	heard := map[string]int{}
	for _, l := range c.Legs() {
		if l.Microphone || l.Camera || l.Active {
			heard[l.Tab.User]++
		}
		if heard[l.Tab.User] > 1 {
			t.Fatalf("two active legs of %s: %+v", l.Tab.User, c.Legs())
		}
	}
	// What was stored is the same call.
	again, err := Decode(c.Encode(), Config{})
	if err != nil {
		t.Fatalf("what was stored does not read: %v", err)
	}
	if !reflect.DeepEqual(again.Snapshot(now), v) {
		t.Fatalf("stored as %+v, was %+v", again.Snapshot(now), v)
	}
}
