package call

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"carillon/refusal"
)

// What happens when a reply is lost: the server did what a tab asked for, the tab's
// connection ended before the reply, and the tab asks again over a new one.

// again is the same tab with its next connection.
func again(tab Tab) Tab {
	tab.Session += "'"
	tab.Since++
	return tab
}

// asked is one request that hands out a leg, and the call as it is before.
type asked struct {
	name   string
	before func(t *testing.T) *script // nil: the request makes the call
	fact   func(s *script) Fact
}

var allAsked = []asked{
	{"start", nil, func(*script) Fact {
		return Fact{Kind: DoStart, From: alice1, ClientCallID: "cc"}
	}},
	{"start in glare", func(t *testing.T) *script { return ring(t, "bob") }, func(*script) Fact {
		return Fact{Kind: DoStart, From: bob1, ClientCallID: "bobs"}
	}},
	{"start as a move", answered, func(*script) Fact {
		return Fact{Kind: DoStart, From: bob2, ClientCallID: "bobs"}
	}},
	{"answer", func(t *testing.T) *script { return ring(t, "bob") }, func(*script) Fact {
		return Fact{Kind: DoAnswer, From: bob1}
	}},
	{"answer in a group", func(t *testing.T) *script { return ring(t, "carol", "bob") }, func(*script) Fact {
		return Fact{Kind: DoAnswer, From: bob1}
	}},
	{"move", answered, func(*script) Fact {
		return Fact{Kind: DoMove, From: bob2}
	}},
	{"move while ringing", func(t *testing.T) *script { return ring(t, "bob").up("a1") }, func(*script) Fact {
		return Fact{Kind: DoMove, From: alice2}
	}},
	{"resume", func(t *testing.T) *script { return answered(t).gone(bob1) }, func(s *script) Fact {
		return s.held(DoResume, again(bob1))
	}},
	{"resume while ringing", func(t *testing.T) *script { return ring(t, "bob").gone(alice1) }, func(s *script) Fact {
		return s.held(DoResume, again(alice1))
	}},
}

// cuts are the orders of what follows when a connection ends: the request is executed (E),
// the end of the connection is told (G), the tab says hello again (B) and repeats the
// request (R). The last ones lose the second reply too.
var cuts = []string{
	"EGBR", "EBGR", "EBRG", "GEBR", "GBER", "GBRE", "BEGR", "BERG", "BGER", "BGRE", "BREG", "BRGE",
	"EBRBRG", "EBBRG", "BBERG", "BRBERG", "BRBREG", "GBRBRE",
}

func TestALostReplyCostsNothing(t *testing.T) {
	for _, a := range allAsked {
		for _, order := range cuts {
			t.Run(a.name+" "+order, func(t *testing.T) { a.lose(t, order) })
		}
	}
}

// lose plays one order and looks at what is left.
func (a asked) lose(t *testing.T, order string) {
	s := &script{t: t}
	if a.before != nil {
		s = a.before(t)
	}
	request := a.fact(s)
	first, tab := request.From, request.From
	repeated := false
	for _, c := range order {
		switch c {
		case 'E':
			switch err := s.ask(request); {
			case err == nil && repeated:
				t.Fatal("a request of the ended connection was granted after its repeat")
			case err != nil && !refusal.Is(err, refusal.LegInUse) && !refusal.Is(err, refusal.LegUnknown):
				t.Fatalf("executed late: %v", err)
			}
		case 'G':
			s.tell(Fact{Kind: TabGone, From: first})
		case 'B':
			tab, repeated = again(tab), false // until it repeats the request, nobody holds the leg
			s.tell(Fact{Kind: TabBack, From: tab})
		case 'R':
			if err := s.ask(at(request, tab)); err != nil {
				t.Fatalf("the repeat: %v", err)
			}
			repeated = true
		}
	}
	// The server looks, after it has executed a request, whether the connection is there.
	s.gone(first)

	for _, l := range s.call.Legs() {
		if l.Tab.Session == first.Session {
			t.Errorf("leg %s is bound to a connection that has ended", l.Leg)
		}
	}
	granted := s.legs[tab.TabID]
	s.must(s.held(DoOffer, tab)).up(tab.TabID).hosts(tab)
	s.worthless(granted, tab)
	s.gone(tab).worthless(granted, again(tab))
}

// worthless: no secret of the leg is good for anything but the granted one.
func (s *script) worthless(granted Fresh, tab Tab) {
	s.t.Helper()
	for _, old := range s.secrets {
		if old.Leg == granted.Leg && old != granted {
			s.refused(refusal.LegUnknown, Fact{Kind: DoResume, From: tab, Leg: old.Leg, Secret: old.Secret})
		}
	}
}

// ask lets a request happen. It makes the call if there is none.
func (s *script) ask(f Fact) error {
	s.t.Helper()
	if s.call.ID() != "" {
		return s.do(f)
	}
	*s = *ringFrom(s.t, f.From, "bob")
	return nil
}

// tell is for what reaches only calls that are there.
func (s *script) tell(f Fact) {
	s.t.Helper()
	if s.call.ID() != "" {
		s.must(f)
	}
}

func at(f Fact, from Tab) Fact { f.From = from; return f }

func TestTheCallerOfALostReplyDoesNotRingOn(t *testing.T) {
	ring(t, "bob").gone(alice1).after(10*time.Second).tick().ended(Cancelled).user("bob", Missed)
	// After a repeat, whose reply is lost as well, the ten seconds begin anew.
	s := ring(t, "bob").gone(alice1).after(9 * time.Second).must(Fact{Kind: DoStart, From: again(alice1), ClientCallID: "cc"})
	s.gone(again(alice1)).after(10*time.Second).tick().ended(Cancelled).user("bob", Missed)
}

func TestAnotherTabCannotRepeatForTheFirst(t *testing.T) {
	// A start belongs to the tab that made it, whether its connection lives or not.
	s := ring(t, "bob").refused(refusal.AlreadyAnswered, Fact{Kind: DoStart, From: alice2, ClientCallID: "cc"})
	s.gone(alice1).refused(refusal.AlreadyAnswered, Fact{Kind: DoStart, From: alice2, ClientCallID: "cc"})
	s.must(Fact{Kind: DoStart, From: again(alice1), ClientCallID: "cc"}).hosts(alice1)

	s = ring(t, "bob").must(Fact{Kind: DoAnswer, From: bob1}).gone(bob1)
	s.refused(refusal.AlreadyAnswered, Fact{Kind: DoAnswer, From: bob2}).hosts(bob1)

	// The secret that was lost is no use to it either, nor one before it.
	s = answered(t).gone(bob1)
	before := s.held(DoResume, bob1)
	s.must(at(before, again(bob1)))
	s.gone(again(bob1)).refused(refusal.LegUnknown, at(before, bob2))
	s.must(at(before, again(again(bob1)))).hosts(bob1)
}

func TestARequestOfAnEndedConnectionBindsNothing(t *testing.T) {
	s := ring(t, "bob").gone(bob1)
	s.refused(refusal.LegInUse, Fact{Kind: DoAnswer, From: bob1}).user("bob", Invited)
	s.must(Fact{Kind: DoAnswer, From: bob2}).hosts(bob2)

	// What needs no connection is done all the same.
	ring(t, "bob").gone(bob1).must(Fact{Kind: DoDecline, From: bob1}).ended(DeclinedReason)
	answered(t).gone(bob1).must(Fact{Kind: DoLeave, From: bob1}).ended(Completed)
}

func TestTheOlderConnectionOfATabBindsNothing(t *testing.T) {
	// Both ask, the newer one first: the older one is not told of yet, and may not take
	// the leg from the page that is there.
	s := ring(t, "bob").must(Fact{Kind: DoAnswer, From: again(bob1)})
	s.refused(refusal.LegInUse, Fact{Kind: DoAnswer, From: bob1})
	s.refused(refusal.LegInUse, Fact{Kind: DoMove, From: bob1})
	s.must(Fact{Kind: TabBack, From: bob1}).quiet() // its hello was slow
	if got := s.call.Legs()[1].Tab.Session; got != again(bob1).Session {
		t.Errorf("the leg is bound to %q, want the newer connection", got)
	}
	s.must(s.held(DoOffer, again(bob1)))
}

func TestARepeatGetsTheTimeOfAnAnswer(t *testing.T) {
	s := ring(t, "bob").up("a1").must(Fact{Kind: DoAnswer, From: bob1}).gone(bob1).after(19 * time.Second)
	s.must(Fact{Kind: DoAnswer, From: again(bob1)}).after(19 * time.Second).up("b1").is(Active)
}

func TestARepeatSaysAgainWhatTheStartBecame(t *testing.T) {
	glare := Fact{Kind: DoStart, From: bob1, ClientCallID: "bobs"}
	s := ring(t, "bob").must(glare).must(at(glare, again(bob1)))
	if !s.effect.Reply.Merged {
		t.Error("bob, who asks again, is not told that his call was merged")
	}
	s = ring(t, "bob").must(Fact{Kind: DoStart, From: alice1, ClientCallID: "cc"})
	if s.effect.Reply.Merged {
		t.Error("the caller is told that her call was merged")
	}
}

// A server that dies between a resume and its reply has stored the new secret, and the
// page has the one before.
func TestAReplyLostWithTheServer(t *testing.T) {
	s := answered(t).gone(bob1)
	before := s.held(DoResume, again(bob1))
	s.must(before)
	restarted, err := Decode(s.call.Encode(), s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.call = restarted
	back := again(again(bob1))
	s.must(Fact{Kind: Claimed, Epoch: 2}).must(at(before, back)).hosts(bob1)
	s.must(s.held(DoOffer, back)).refused(refusal.LegUnknown, at(before, back))
}

func TestTheEndsOfManyConnections(t *testing.T) {
	s := ring(t, "bob")
	for i := range 1000 {
		tab := bob1
		tab.Session = fmt.Sprintf("s-%d", i)
		s.gone(tab)
	}
	if n := len(s.call.find("bob").endedSessions); n > 32 {
		t.Errorf("a call remembers the ends of %d connections of a user", n)
	}
	if !slices.Contains(s.call.find("bob").endedSessions, "s-999") {
		t.Error("it has forgotten the last one")
	}
}
