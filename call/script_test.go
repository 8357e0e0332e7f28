package call

import (
	"fmt"
	"testing"
	"time"

	"carillon/refusal"
)

// ringTime is how long a call of these tests rings.
var ringTime = time.Duration(Defaults().RingSeconds) * time.Second

// epoch0 is when every script starts.
var epoch0 = time.UnixMilli(1_800_000_000_000)

// script plays a call step by step, as a person would tell it.
type script struct {
	t       *testing.T
	cfg     Config
	call    Call
	at      time.Duration    // since the start
	legs    map[string]Fresh // that each tab was handed last
	secrets []Fresh          // all that were handed out
	effect  Effect
	n       int
}

func tabOf(user, name string) Tab {
	return Tab{User: user, Session: "s-" + name, Where: Where{TabID: name, Device: "d-" + user, DeviceName: "Chrome on Linux"}}
}

var (
	alice1, alice2 = tabOf("alice", "a1"), tabOf("alice", "a2")
	bob1, bob2     = tabOf("bob", "b1"), tabOf("bob", "b2")
	carol1         = tabOf("carol", "c1")
)

// ring starts a call of alice to the others.
func ring(t *testing.T, others ...string) *script {
	t.Helper()
	return ringFrom(t, alice1, others...)
}

func ringFrom(t *testing.T, from Tab, others ...string) *script {
	t.Helper()
	s := &script{t: t, legs: map[string]Fresh{}}
	in := Invitation{
		ID: "call", ClientCallID: "cc", Conversation: "conv", Direct: len(others) == 1, Media: Video, Camera: true,
		From: from, People: []Person{{User: "alice", Name: "Alice"}}, Fresh: Fresh{"leg-a1-0", "secret-a1-0"},
	}
	for _, o := range others {
		in.People = append(in.People, Person{User: o, Name: o})
	}
	c, reply, err := New(in, s.cfg, epoch0)
	if err != nil {
		t.Fatal(err)
	}
	s.call = c
	s.handed(from, reply)
	return s
}

func (s *script) handed(to Tab, r Reply) {
	if r.Secret != "" {
		s.legs[to.TabID] = Fresh{r.Leg, r.Secret}
		s.secrets = append(s.secrets, s.legs[to.TabID])
	}
}

func (s *script) after(d time.Duration) *script { s.at += d; return s }

// do lets a fact happen and remembers the leg it hands out.
func (s *script) do(f Fact) error {
	s.t.Helper()
	s.n++
	f.Fresh = Fresh{fmt.Sprintf("leg-%s-%d", f.From.TabID, s.n), fmt.Sprintf("secret-%s-%d", f.From.TabID, s.n)}
	before := s.call
	next, effect, err := s.call.Next(f, epoch0.Add(s.at))
	s.call, s.effect = next, effect
	s.handed(f.From, effect.Reply)
	mustHold(s.t, before, next, effect)
	return err
}

func (s *script) must(f Fact) *script {
	s.t.Helper()
	if err := s.do(f); err != nil {
		s.t.Fatalf("%s of %s after %v: %v", f.Kind, f.From.TabID, s.at, err)
	}
	return s
}

func (s *script) refused(code refusal.Code, f Fact) *script {
	s.t.Helper()
	before := string(s.call.Encode())
	if err := s.do(f); !refusal.Is(err, code) {
		s.t.Fatalf("%s of %s after %v: got %v, want %s", f.Kind, f.From.TabID, s.at, err, code)
	}
	if after := string(s.call.Encode()); after != before {
		s.t.Fatalf("refused %s changed the call\nfrom %s\nto   %s", f.Kind, before, after)
	}
	return s
}

func (s *script) tick() *script { s.t.Helper(); return s.must(Fact{Kind: Tick}) }

func (s *script) up(tab string) *script {
	s.t.Helper()
	return s.must(Fact{Kind: MediaUp, Leg: s.legs[tab].Leg})
}

func (s *script) down(tab string) *script {
	s.t.Helper()
	return s.must(Fact{Kind: MediaDown, Leg: s.legs[tab].Leg})
}

func (s *script) gone(tab Tab) *script {
	s.t.Helper()
	return s.must(Fact{Kind: TabGone, From: tab})
}

// held is a fact about the leg of the tab, with its secret.
func (s *script) held(kind FactKind, tab Tab) Fact {
	l := s.legs[tab.TabID]
	return Fact{Kind: kind, From: tab, Leg: l.Leg, Secret: l.Secret}
}

// answered is a call of alice and bob with media on both sides.
func answered(t *testing.T) *script {
	t.Helper()
	return ring(t, "bob").up("a1").must(Fact{Kind: DoAnswer, From: bob1, Camera: true}).up("b1").is(Active)
}

func (s *script) is(want State) *script {
	s.t.Helper()
	if s.call.data.State != want {
		s.t.Fatalf("after %v the call is %s (%s), want %s", s.at, s.call.data.State, s.call.data.Reason, want)
	}
	return s
}

func (s *script) ended(want Reason) *script {
	s.t.Helper()
	s.is(Ended)
	if s.call.data.Reason != want {
		s.t.Fatalf("ended %s, want %s", s.call.data.Reason, want)
	}
	return s
}

func (s *script) user(user string, want ParticipantState) *script {
	s.t.Helper()
	if got := s.call.find(user).State; got != want {
		s.t.Fatalf("after %v %s is %s, want %s", s.at, user, got, want)
	}
	return s
}

// hosts: the active leg of user is in that tab.
func (s *script) hosts(tab Tab) *script {
	s.t.Helper()
	if l := s.call.find(tab.User).Leg; l == nil || l.Where.TabID != tab.TabID {
		s.t.Fatalf("the leg of %s is %+v, want it in %s", tab.User, l, tab.TabID)
	}
	return s
}

// told: the last step ended the leg of that tab for that reason.
func (s *script) told(tab string, want Reason) *script {
	s.t.Helper()
	for _, e := range s.effect.Ended {
		if e.Tab.TabID == tab && e.Reason == want {
			return s
		}
	}
	s.t.Fatalf("leg ends %+v, want one of %s with %s", s.effect.Ended, tab, want)
	return s
}

// quiet: the last step was nobody's business.
func (s *script) quiet() *script {
	s.t.Helper()
	if s.effect.Changed {
		s.t.Fatal("the last step changed the call")
	}
	return s
}
