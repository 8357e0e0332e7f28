package consent

import (
	"errors"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

func TestPionSeesARequestWhenItsAddressHasAnswered(t *testing.T) {
	s := newServer(t)
	a := s.agent(t, "alice")
	c := s.client(t, a)
	request := c.ask(t, ice.UseCandidate())
	check := c.get(t, stun.BindingRequest)
	answer := c.get(t, stun.BindingSuccess)
	var where stun.XORMappedAddress
	if err := where.GetFrom(answer); err != nil || answer.TransactionID != request.TransactionID || where.Port != int(c.at().Port()) {
		t.Errorf("the answer is to %x from %v (%v)", answer.TransactionID, where, err)
	}
	for name, m := range map[string]*stun.Message{"check": check, "answer": answer} {
		password := a.theirs.Password
		if name == "answer" {
			password = a.ours.Password
		}
		if err := errors.Join(stun.NewShortTermIntegrity(password).Check(m), stun.Fingerprint.Check(m)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if asked, asking := names(check); asked != a.theirs.Ufrag || asking != a.ours.Ufrag || nominates(check) {
		t.Errorf("the check is from %q to %q, and nominates: %v", asking, asked, nominates(check))
	}
	c.settle(t)
	if len(a.shown) > 0 {
		t.Error("pion was shown the request before the answer")
	}
	if c.gets(t) {
		t.Error("media left before the answer")
	}
	c.answer(t, check)
	if m := a.see(t); m.TransactionID != request.TransactionID || !nominates(m) {
		t.Error("pion was shown another request")
	}
	if !c.gets(t) {
		t.Error("no media leaves after the answer")
	}
	later := c.ask(t)
	if m := a.see(t); m.TransactionID != later.TransactionID {
		t.Error("a later request was not shown at once")
	}
}

func TestAnUnprovenAddressGetsAtMostThreeTimesWhatItSent(t *testing.T) {
	s := newServer(t)
	a := s.agent(t, "alice")
	c := s.client(t, a)
	sent := 0
	for range 3 {
		sent += len(c.ask(t, ice.UseCandidate()).Raw)
		c.settle(t)
		s.pass(9 * time.Second)
		c.drain(t)
		if c.got > 3*sent {
			t.Errorf("%d bytes were sent and %d came back", sent, c.got)
		}
	}
	before := c.got
	sent += c.write(t, append([]byte{22}, make([]byte, 300)...)) // a DTLS hello, whose sender waits for us
	c.settle(t)
	s.pass(5 * time.Second)
	if c.drain(t); c.got == before || c.got > 3*sent {
		t.Errorf("%d bytes were sent and %d came back, %d of them since the hello", sent, c.got, c.got-before)
	}
}

func TestOnlyTheAnswerToOurCheckProves(t *testing.T) {
	s := newServer(t)
	a := s.agent(t, "alice")
	c, elsewhere := s.client(t, a), s.client(t, a)
	c.ask(t, ice.UseCandidate())
	check := c.get(t, stun.BindingRequest)
	for name, m := range map[string]*stun.Message{
		"of nobody's":   stun.MustBuild(stun.BindingSuccess, stun.TransactionID, stun.NewShortTermIntegrity(a.theirs.Password), stun.Fingerprint),
		"our password":  stun.MustBuild(stun.BindingSuccess, stun.NewTransactionIDSetter(check.TransactionID), stun.NewShortTermIntegrity(a.ours.Password)),
		"no password":   stun.MustBuild(stun.BindingSuccess, stun.NewTransactionIDSetter(check.TransactionID)),
		"an error":      stun.MustBuild(stun.BindingError, stun.NewTransactionIDSetter(check.TransactionID), stun.NewShortTermIntegrity(a.theirs.Password)),
		"an indication": stun.MustBuild(stun.NewType(stun.MethodBinding, stun.ClassIndication), stun.NewTransactionIDSetter(check.TransactionID), stun.NewShortTermIntegrity(a.theirs.Password)),
	} {
		c.write(t, m.Raw)
		c.settle(t)
		if len(a.shown) > 0 || c.gets(t) {
			t.Errorf("proved by an answer with %s", name)
		}
	}
	elsewhere.answer(t, check)
	elsewhere.settle(t)
	if len(a.shown) > 0 || c.gets(t) || elsewhere.gets(t) {
		t.Error("proved by an answer from another address")
	}
	c.answer(t, check)
	a.see(t)
}

func TestRequestsThatPionMayNotSee(t *testing.T) {
	s := newServer(t)
	a := s.agent(t, "alice")
	c := s.client(t, a)
	c.prove(t, ice.UseCandidate())
	build := func(name, password string, more ...stun.Setter) []byte {
		setters := append([]stun.Setter{stun.BindingRequest, stun.TransactionID, stun.NewUsername(name)}, more...)
		return stun.MustBuild(append(setters, stun.NewShortTermIntegrity(password), stun.Fingerprint)...).Raw
	}
	good := a.ours.Ufrag + ":" + a.theirs.Ufrag
	odd := build(good, a.ours.Password)
	odd[0] |= 0x40
	for name, b := range map[string][]byte{
		"wrong password":     build(good, "guessed"),
		"no such leg":        build("x:"+a.theirs.Ufrag, a.ours.Password),
		"of another client":  build(a.ours.Ufrag+":x", a.ours.Password),
		"of a controlled":    build(good, a.ours.Password, ice.AttrControlled(1<<63)),
		"odd bits":           odd,
		"cut off":            build(good, a.ours.Password)[:30],
		"of another method":  stun.MustBuild(stun.NewType(stun.MethodAllocate, stun.ClassRequest), stun.TransactionID).Raw,
		"an answer to ours?": stun.MustBuild(stun.BindingSuccess, stun.TransactionID, stun.NewShortTermIntegrity(a.theirs.Password)).Raw,
	} {
		c.write(t, b)
		c.settle(t)
		if len(a.shown) > 0 {
			t.Errorf("%s: pion was shown it", name)
			<-a.shown
		}
	}
}

func TestConsentIsAskedForAgainAndEnds(t *testing.T) {
	s := newServer(t)
	a := s.agent(t, "alice")
	c := s.client(t, a)
	c.prove(t, ice.UseCandidate())
	for range 10 {
		if !c.gets(t) {
			t.Fatal("consent ended though each check was answered")
		}
		s.pass(renewAfter + 2*time.Second)
		c.answer(t, c.get(t, stun.BindingRequest))
		c.settle(t)
	}
	checks := s.gate.Counts().Checks
	for range 14 { // seconds
		if !c.gets(t) {
			t.Fatal("consent ended too early")
		}
		s.pass(2 * time.Second)
		c.ask(t) // one who asks and never answers
		c.settle(t)
	}
	if n := s.gate.Counts().Checks - checks; n < 10 || n > 40 {
		t.Errorf("%d checks were sent in 28 seconds without an answer", n)
	}
	s.pass(4 * time.Second)
	if c.gets(t) || !a.leg.Withheld() || s.gate.Counts().Lapsed != 1 {
		t.Errorf("media leaves 32 seconds after the last answer, or nobody is told; %+v", s.gate.Counts())
	}
	c.prove(t)
	if !c.gets(t) || a.leg.Withheld() {
		t.Error("no media leaves when the client is back")
	}
}

// Some clients check nothing once they are connected, and hear nothing while nobody publishes.
func TestAClientThatOnlyAnswersGetsMediaHoweverLongThereWasNone(t *testing.T) {
	s := newServer(t)
	a := s.agent(t, "alice")
	c := s.client(t, a)
	c.prove(t, ice.UseCandidate())
	for range 10 {
		s.pass(renewAfter + 2*time.Second)
		c.answer(t, c.newest(t))
		c.settle(t)
	}
	if !c.gets(t) {
		t.Error("no media leaves though each check was answered")
	}
}

func TestAnAddressThatNothingIsSentToIsNotAskedButForgotten(t *testing.T) {
	s := newServer(t)
	a := s.agent(t, "alice")
	c := s.client(t, a)
	c.prove(t)
	checks := s.gate.Counts().Checks
	s.pass(5 * time.Minute)
	if n := s.gate.Counts().Checks - checks; n > 0 {
		t.Errorf("%d checks were sent", n)
	}
	if n := s.gate.Counts().Lapsed; n > 0 {
		t.Errorf("consent counts as ended %d times, though nobody missed it", n)
	}
	if c.gets(t) {
		t.Error("media leaves to an address that has not answered for minutes")
	}
}

// As a NAT does with the port of a client that has gone.
func TestAnAddressBelongsToWhoProvedItLast(t *testing.T) {
	s := newServer(t)
	before, after := s.agent(t, "before"), s.agent(t, "after")
	c := s.client(t, before)
	c.prove(t, ice.UseCandidate())
	if !c.gets(t) {
		t.Fatal("no media of the first leg")
	}
	c.agent = after
	c.prove(t, ice.UseCandidate())
	if !c.gets(t) {
		t.Error("no media of the second leg")
	}
	c.agent = before
	if c.gets(t) {
		t.Error("media of the first leg, which has gone")
	}
	c.write(t, media)
	c.settle(t)
	select {
	case <-after.shown:
	case <-before.shown:
		t.Error("the first leg got a packet of the second")
	}
}

func TestAForgerTakesNoAddressOfAnothersLeg(t *testing.T) {
	s := newServer(t)
	alice, eve := s.agent(t, "alice"), s.agent(t, "eve")
	c := s.client(t, alice)
	c.prove(t, ice.UseCandidate())
	c.agent = eve // the request comes from alice's address, but she knows nothing of eve's leg
	c.ask(t, ice.UseCandidate())
	c.settle(t)
	c.agent = alice
	c.write(t, media)
	select {
	case <-alice.shown:
	case <-time.After(10 * time.Second):
		t.Fatal("alice's packets are not hers any more")
	}
	if !c.gets(t) {
		t.Error("alice gets nothing any more")
	}
	c.agent = eve
	if c.gets(t) {
		t.Error("alice gets media of eve's leg")
	}
}

// As after a NAT has given the client another port and the client, like Firefox, believes
// that it has nominated the pair already.
func TestAProvenAddressTakesThePlaceOfOneThatIsSilent(t *testing.T) {
	for name, again := range map[string]bool{"asked twice": true, "answered twice": false} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			a := s.agent(t, "alice")
			old, c := s.client(t, a), s.client(t, a)
			old.prove(t, ice.UseCandidate())
			c.prove(t)
			var request *stun.Message
			if again {
				s.now.Add(int64(overtakeAfter + 100*time.Millisecond))
				request = c.ask(t)
			} else {
				s.pass(overtakeAfter + 100*time.Millisecond)
				c.answer(t, c.get(t, stun.BindingRequest))
			}
			m := a.see(t)
			if !nominates(m) || stun.NewShortTermIntegrity(a.ours.Password).Check(m) != nil {
				t.Errorf("pion was shown %v", m)
			}
			if request != nil && m.TransactionID != request.TransactionID {
				t.Error("the nomination is not the client's request, which pion is to answer")
			}
			if n := s.gate.Counts().Moved; n != 1 {
				t.Errorf("%d moves were counted", n)
			}
		})
	}
}

func TestAnAddressThatSaysSomethingKeepsItsPlace(t *testing.T) {
	for name, says := range map[string]func(t *testing.T, c *client){
		"media":     func(t *testing.T, c *client) { c.write(t, media); <-c.agent.shown },
		"a request": func(t *testing.T, c *client) { c.ask(t); c.agent.see(t) },
		"an answer": func(t *testing.T, c *client) { c.answer(t, c.newest(t)); c.settle(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			a := s.agent(t, "alice")
			old, c := s.client(t, a), s.client(t, a)
			old.prove(t, ice.UseCandidate())
			c.prove(t)
			for range 5 {
				s.pass(overtakeAfter / 2)
				says(t, old)
				s.pass(overtakeAfter / 2)
				c.ask(t)
				if nominates(a.see(t)) {
					t.Fatal("the media moved")
				}
			}
		})
	}
}

func TestTheNewestNominationCounts(t *testing.T) {
	s := newServer(t)
	a := s.agent(t, "alice")
	first, second := s.client(t, a), s.client(t, a)
	first.ask(t, ice.UseCandidate())
	check := first.get(t, stun.BindingRequest)
	s.pass(100 * time.Millisecond)
	second.prove(t, ice.UseCandidate())
	first.answer(t, check)
	first.settle(t)
	if len(a.shown) > 0 {
		t.Error("an older nomination was shown after a newer one")
	}
}

func TestMemoryIsBoundedAndGivenBack(t *testing.T) {
	s := newServer(t)
	a := s.agent(t, "alice")
	c := s.client(t, a)
	c.prove(t, ice.UseCandidate())
	for range 5 * legAddresses {
		other := s.client(t, a)
		other.ask(t, ice.UseCandidate())
		other.settle(t)
	}
	sizes := func() (addresses, checks, unproven, owners int) {
		s.gate.mu.Lock()
		defer s.gate.mu.Unlock()
		return len(a.leg.addresses), len(s.gate.checks), len(s.gate.unproven), len(s.gate.owners)
	}
	if n, checks, unproven, owners := sizes(); n != legAddresses || checks > n || unproven > n || owners != 1 {
		t.Errorf("%d addresses, %d checks, %d unproven, %d owners", n, checks, unproven, owners)
	}
	if !c.gets(t) {
		t.Error("the client's own address was forgotten")
	}
	s.pass(forgetAfter + 2*time.Second)
	if n, _, unproven, _ := sizes(); n != 1 || unproven != 0 {
		t.Errorf("%d addresses are remembered, %d of them unproven", n, unproven)
	}
	s.mux.RemoveConnByUfrag(a.ours.Ufrag)
	if n, checks, unproven, owners := sizes(); n+checks+unproven+owners+len(s.gate.legs)+len(s.gate.contested) > 0 {
		t.Errorf("a leg that ended left %d addresses, %d checks, %d unproven, %d owners, %d legs, %d contests", n, checks, unproven, owners, len(s.gate.legs), len(s.gate.contested))
	}
	if s.gate.Expect(a.ours, a.theirs) != nil {
		t.Error("a leg that ended is made again")
	}
	if c.gets(t) {
		t.Error("media of a leg that ended leaves")
	}
}

// A client with many networks proves each address it has, and pion has answered on all.
func TestANewAddressIsTakenHoweverManyThereAre(t *testing.T) {
	s := newServer(t)
	a := s.agent(t, "alice")
	first := s.client(t, a)
	first.prove(t, ice.UseCandidate())
	for range 2 * legAddresses {
		s.pass(50 * time.Millisecond)
		c := s.client(t, a)
		c.prove(t)
		if _, err := a.WriteToAddrPort(media, c.at().AddrPort); err != nil { // as pion's answer
			t.Fatal(err)
		}
	}
	if !first.gets(t) {
		t.Error("where the media goes was forgotten")
	}
	last := s.client(t, a)
	last.prove(t, ice.UseCandidate())
	if !last.gets(t) {
		t.Error("the address that the client chose gets nothing")
	}
}

func FuzzGate(f *testing.F) {
	s := newServer(f)
	a := s.agent(f, "alice")
	from := source{place: s.client(f, a).at()}
	for _, m := range []*stun.Message{
		stun.MustBuild(stun.BindingRequest, stun.TransactionID, stun.NewUsername(a.ours.Ufrag+":"+a.theirs.Ufrag), ice.UseCandidate(),
			ice.PriorityAttr(1), ice.AttrControlling(2), stun.NewShortTermIntegrity(a.ours.Password), stun.Fingerprint),
		stun.MustBuild(stun.BindingSuccess, stun.TransactionID, stun.NewShortTermIntegrity(a.theirs.Password)),
		stun.MustBuild(stun.BindingRequest, stun.TransactionID, stun.NewUsername(":"), ice.AttrControlled(1)),
	} {
		f.Add(m.Raw)
	}
	f.Add(media)
	f.Fuzz(func(t *testing.T, packet []byte) {
		b := make([]byte, 2048)
		n, shown := s.gate.receive(b, copy(b, packet), from)
		if shown && stun.IsMessage(b[:n]) {
			t.Errorf("pion is shown %x of an address that answered nothing", b[:n])
		}
	})
}
