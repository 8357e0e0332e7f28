package call

import (
	"testing"
	"time"

	"carillon/refusal"
)

// The tests of this file are the rows of the table in calls.md, in its order.

func TestStartAgainIsTheSameCall(t *testing.T) {
	s := ring(t, "bob")
	first := s.legs["a1"]
	s.must(Fact{Kind: DoStart, From: alice1, ClientCallID: "cc"}).is(Ringing)
	if again := s.legs["a1"]; again.Leg != first.Leg || again.Secret == first.Secret {
		t.Errorf("got %+v after %+v, want the same leg with a new secret", again, first)
	}
	s.refused(refusal.AlreadyAnswered, Fact{Kind: DoStart, From: alice2, ClientCallID: "cc"})
}

func TestGlareIsAnAnswer(t *testing.T) {
	s := ring(t, "bob").must(Fact{Kind: DoStart, From: bob1, ClientCallID: "bobs"}).is(Connecting).user("bob", Joining).hosts(bob1)
	if !s.effect.Reply.Merged {
		t.Error("bob was not told that his call was merged")
	}
	s.up("a1").up("b1").is(Active)
}

func TestStartInAnotherTabIsAMove(t *testing.T) {
	s := answered(t).must(Fact{Kind: DoStart, From: alice2, ClientCallID: "other"})
	if !s.effect.Reply.Moved {
		t.Error("alice was not told that her call moves")
	}
	s.hosts(alice1).up("a2").hosts(alice2).told("a1", Replaced)
}

func TestFirstRingingChangesTheCallersText(t *testing.T) {
	s := ring(t, "bob").user("bob", Invited).must(Fact{Kind: DoRinging, From: bob1}).user("bob", Alerting)
	s.must(Fact{Kind: DoRinging, From: bob2}).quiet()
}

func TestFirstAnswerWins(t *testing.T) {
	s := ring(t, "bob").must(Fact{Kind: DoRinging, From: bob2}).must(Fact{Kind: DoAnswer, From: bob1}).hosts(bob1)
	if got := s.call.Snapshot(epoch0).Participants[1].ActedAt; got == nil || got.TabID != "b1" {
		t.Errorf("acted at %+v, want b1, for its siblings to know", got)
	}
	s.refused(refusal.AlreadyAnswered, Fact{Kind: DoAnswer, From: bob2}).hosts(bob1)
	// The same tab again has only lost its reply.
	s.must(Fact{Kind: DoAnswer, From: bob1}).hosts(bob1)
	if s.effect.Reply.Secret == "" {
		t.Error("the repeated answer got no leg")
	}
}

func TestDeclineIsTheWholeUsers(t *testing.T) {
	s := ring(t, "bob").must(Fact{Kind: DoDecline, From: bob1}).ended(DeclinedReason).user("bob", Declined).told("a1", DeclinedReason)
	s.must(Fact{Kind: DoDecline, From: bob1}).refused(refusal.CallEnded, Fact{Kind: DoAnswer, From: bob2})
	s.refused(refusal.AlreadyAnswered, Fact{Kind: DoDecline, From: bob2})
}

func TestDeclineOfOneInAGroupLetsItGoOn(t *testing.T) {
	s := ring(t, "bob", "carol").must(Fact{Kind: DoDecline, From: bob1}).is(Ringing)
	s.must(Fact{Kind: DoAnswer, From: carol1}).up("a1").up("c1").is(Active)
	// Nobody else is rung, so hanging up is the end.
	s.must(Fact{Kind: DoLeave, From: carol1}).ended(Completed)
}

func TestGroupThatAllDeclineEnds(t *testing.T) {
	ring(t, "bob", "carol").must(Fact{Kind: DoDecline, From: bob1}).must(Fact{Kind: DoDecline, From: carol1}).ended(DeclinedReason)
}

func TestGroupOfWhichOneMissedIsNoAnswer(t *testing.T) {
	ring(t, "bob", "carol").must(Fact{Kind: DoDecline, From: bob1}).after(ringTime).tick().ended(NoAnswer).
		user("bob", Declined).user("carol", Missed)
}

func TestOneUsersAnswerLetsOthersRingOn(t *testing.T) {
	s := ring(t, "bob", "carol").up("a1").must(Fact{Kind: DoAnswer, From: bob1}).up("b1").is(Active).user("carol", Invited)
	s.after(ringTime).tick().is(Active).user("carol", Missed)
	s.must(Fact{Kind: DoStart, From: carol1, ClientCallID: "x"}).up("c1").user("carol", Joined) // joins a running call
	s.must(Fact{Kind: DoLeave, From: alice1}).is(Active).must(Fact{Kind: DoLeave, From: bob1}).ended(Completed)
}

func TestDeclineAfterTheAnswerHasNoEffect(t *testing.T) {
	s := ring(t, "bob").up("a1").must(Fact{Kind: DoAnswer, From: bob1}) // no media yet
	s.refused(refusal.AlreadyAnswered, Fact{Kind: DoDecline, From: bob2}).is(Connecting)
	s.refused(refusal.AlreadyAnswered, Fact{Kind: DoDecline, From: bob1}).is(Connecting)
	s.up("b1").is(Active).refused(refusal.AlreadyAnswered, Fact{Kind: DoDecline, From: bob2}).is(Active)
	s.refused(refusal.AlreadyAnswered, Fact{Kind: DoDecline, From: alice2}).is(Active)
}

func TestBusyOnlyByPolicy(t *testing.T) {
	ring(t, "bob").must(Fact{Kind: UserBusy, From: Tab{User: "bob"}}).ended(Busy).user("bob", BusyState)
}

func TestCancelBeforeAnAnswer(t *testing.T) {
	ring(t, "bob").must(Fact{Kind: DoRinging, From: bob1}).must(Fact{Kind: DoLeave, From: alice2}).ended(Cancelled).
		user("bob", Missed).told("a1", Cancelled)
	ring(t, "bob").must(Fact{Kind: DoAnswer, From: bob1}).must(Fact{Kind: DoLeave, From: alice1}).ended(Completed)
}

func TestCallerWithoutATabCancels(t *testing.T) {
	s := ring(t, "bob").gone(alice1).after(9 * time.Second).tick().is(Ringing)
	s.after(time.Second).tick().ended(Cancelled).user("bob", Missed)

	// Media shows that the tab lives, whatever its socket does.
	s = ring(t, "bob").up("a1").gone(alice1).after(30 * time.Second).tick().is(Ringing)
	s.down("a1").after(10 * time.Second).tick().ended(Cancelled)

	// A socket does too.
	ring(t, "bob").up("a1").down("a1").after(44*time.Second).tick().is(Ringing).user("alice", Joining)

	// And it may come back in time.
	s = ring(t, "bob").gone(alice1).after(5 * time.Second)
	s.must(s.held(DoResume, again(alice1))).after(20 * time.Second).tick().is(Ringing)
}

func TestRingTimesOut(t *testing.T) {
	s := ring(t, "bob").up("a1").after(ringTime - time.Millisecond).tick().is(Ringing)
	if got := s.call.Snapshot(epoch0.Add(s.at)).RemainingMS; got != 1 {
		t.Errorf("remaining %d ms, want 1", got)
	}
	s.after(time.Millisecond).late(refusal.CallEnded, Fact{Kind: DoAnswer, From: bob1}).ended(NoAnswer).user("bob", Missed)
}

// late is refused for a fact that comes when something has run out: that counts.
func (s *script) late(code refusal.Code, f Fact) *script {
	s.t.Helper()
	if err := s.do(f); !refusal.Is(err, code) {
		s.t.Fatalf("%s after %v: got %v, want %s", f.Kind, s.at, err, code)
	}
	return s
}

func TestCallersMediaIsNoAnswer(t *testing.T) {
	s := ring(t, "bob").up("a1").is(Ringing).user("alice", Joined).after(3 * time.Second)
	s.must(Fact{Kind: DoAnswer, From: bob1}).is(Connecting).after(time.Second).up("b1").is(Active)
	if got := s.after(10 * time.Second).call.Snapshot(epoch0.Add(s.at)).ActiveMS; got != 10_000 {
		t.Errorf("active for %d ms, want 10000: the clock starts when two have joined", got)
	}
}

func TestConnectTimer(t *testing.T) {
	s := ring(t, "bob").up("a1").must(Fact{Kind: DoAnswer, From: bob1})
	s.must(s.held(DoOffer, bob1)).after(20 * time.Second).tick()
	s.ended(FailedICE).user("bob", Failed).told("b1", FailedICE)

	// Whoever never offered has not failed for want of a path.
	s = ring(t, "bob").up("a1").must(Fact{Kind: DoAnswer, From: bob1}).after(20 * time.Second).tick()
	s.ended(FailedMedia).user("bob", Failed).told("b1", FailedMedia)

	// The caller's clock starts with the answer too, and the others are not rung again.
	s = ring(t, "bob", "carol").after(30 * time.Second).must(Fact{Kind: DoAnswer, From: bob1}).up("b1").must(Fact{Kind: DoAnswer, From: carol1}).up("c1")
	s.is(Active).after(20*time.Second).tick().is(Active).user("alice", Failed)
}

func TestTabOrMediaLost(t *testing.T) {
	// Media up and socket down: the call goes on.
	s := answered(t).gone(bob1).quiet().after(time.Hour).tick().is(Active).user("bob", Joined)
	// Both down: grace.
	s.down("b1").user("bob", Reconnecting).after(25*time.Second - 1).tick().is(Active)
	s.after(1).tick().ended(ConnectionLost).user("bob", Left)

	// Media lost and back.
	s = answered(t).down("b1").user("bob", Reconnecting).after(10*time.Second).up("b1").user("bob", Joined)
	s.after(time.Hour).tick().is(Active)

	// After suspend, six seconds.
	s = answered(t)
	s.must(s.held(DoSuspend, bob1)).user("bob", Reconnecting).up("b1").user("bob", Reconnecting) // a last packet
	s.after(6 * time.Second).tick().ended(ConnectionLost)
}

func TestSuspendNeedsTheConnectionThatHoldsTheLeg(t *testing.T) {
	s := answered(t)
	copied := s.held(DoSuspend, bob1)
	copied.From.Session = "s-copy"
	s.refused(refusal.LegUnknown, copied).user("bob", Joined)
	s.gone(bob1).must(s.held(DoSuspend, bob1)).user("bob", Reconnecting) // told in the other order
}

func TestResume(t *testing.T) {
	s := answered(t)
	old := s.held(DoResume, bob1)
	reloaded := bob1
	reloaded.Session = "s-b1-again"

	thief := old
	thief.From = tabOf("bob", "copy")
	s.refused(refusal.LegInUse, thief)

	if got := s.effect.Reply.BoundTo; got.Session != bob1.Session || got.User != "bob" {
		t.Errorf("held by %+v, want bob1's connection", got)
	}

	s.must(s.held(DoSuspend, bob1)).after(5 * time.Second)
	wrong := old
	wrong.Secret = "guess"
	s.refused(refusal.LegUnknown, wrong)
	ofAlice := old
	ofAlice.From = alice2
	s.refused(refusal.LegUnknown, ofAlice)

	s.must(s.held(DoResume, reloaded)).hosts(bob1)
	if s.effect.Reply.Leg != old.Leg || s.effect.Reply.Secret == old.Secret {
		t.Errorf("got %+v, want the same leg with a new secret", s.effect.Reply)
	}
	s.refused(refusal.LegInUse, old) // as long as the page may not have the new secret
	s.must(s.held(DoOffer, reloaded)).refused(refusal.LegUnknown, old)
	s.after(15*time.Second).up("b1").user("bob", Joined).is(Active)
	s.gone(bob1).quiet() // the old connection ends late: it holds nothing any more
	s.after(time.Hour).tick().is(Active)

	s.must(s.held(DoSuspend, reloaded)).after(6 * time.Second)
	s.late(refusal.CallEnded, s.held(DoResume, reloaded))
}

func TestResumeOfALiveMediaOnlyBindsTheSocket(t *testing.T) {
	s := answered(t).gone(bob1)
	reconnected := bob1
	reconnected.Session = "s-new"
	s.must(s.held(DoResume, reconnected)).user("bob", Joined).after(time.Hour).tick().is(Active)
}

// TestACopyDoesNotTakeTheLegOfAPageThatReconnects: the page has lost its connection and
// still has its media, so it lives.
func TestACopyDoesNotTakeTheLegOfAPageThatReconnects(t *testing.T) {
	s := answered(t).gone(bob1)
	copied := s.held(DoResume, bob1)
	copied.From = tabOf("bob", "copy")
	s.refused(refusal.LegInUse, copied)
	if got := s.effect.Reply.BoundTo; got.Session != "" {
		t.Errorf("held by %+v, want by no connection", got)
	}

	// A page that was loaded again and has another tab id gets it when the media has ended.
	s.down("b1").must(copied).hosts(copied.From)
}

func TestANewConnectionOfATabEndsItsOldOne(t *testing.T) {
	s := answered(t)
	again := bob1
	again.Session = "s-new"
	s.must(Fact{Kind: TabBack, From: bob2}).refused(refusal.LegInUse, s.held(DoResume, again))
	s.must(Fact{Kind: TabBack, From: again}).user("bob", Joined).must(s.held(DoResume, again))
	s.gone(bob1).must(Fact{Kind: TabBack, From: again}).down("b1").after(time.Second).up("b1").is(Active)
}

func TestMove(t *testing.T) {
	s := answered(t).must(Fact{Kind: DoMove, From: bob2}).hosts(bob1)
	passes := s.call.Legs()
	if n := len(passes); n != 3 || passes[2].Active || passes[2].Microphone {
		t.Fatalf("got %+v, want a third leg that is not heard", passes)
	}
	s.after(5*time.Second).up("b2").hosts(bob2).told("b1", Replaced).user("bob", Joined)
	s.must(Fact{Kind: MediaDown, Leg: "leg-b1-2"}).user("bob", Joined) // the old one is nobody's
	s.after(time.Hour).tick().is(Active)
}

func TestMoveThatFailsChangesNothing(t *testing.T) {
	s := answered(t).must(Fact{Kind: DoMove, From: bob2}).after(15*time.Second).tick().told("b2", FailedMedia)
	s.hosts(bob1).user("bob", Joined).up("b2").hosts(bob1).is(Active)
}

func TestMoveAwayFromADeadTab(t *testing.T) {
	s := answered(t).gone(bob1).down("b1").after(20 * time.Second).must(Fact{Kind: DoMove, From: bob2})
	s.after(6*time.Second).tick().is(Active).user("bob", Reconnecting).up("b2").user("bob", Joined).hosts(bob2)

	s = answered(t).gone(bob1).down("b1").after(20 * time.Second).must(Fact{Kind: DoMove, From: bob2})
	s.after(15 * time.Second).tick().ended(ConnectionLost)
}

func TestTheLastMoveWins(t *testing.T) {
	s := answered(t).must(Fact{Kind: DoMove, From: bob2}).must(Fact{Kind: DoMove, From: tabOf("bob", "b3")}).told("b2", Replaced)
	s.up("b2").hosts(bob1).up("b3").hosts(tabOf("bob", "b3"))
}

// The caller's first tab is gone for good, and the second has not got its media up in the
// time of a move. It is there all the same, and the ring goes on.
func TestMoveAwayFromADeadTabWhileRinging(t *testing.T) {
	s := ring(t, "bob").gone(alice1).after(5 * time.Second).must(Fact{Kind: DoMove, From: alice2})
	s.after(10 * time.Second).tick().is(Ringing).hosts(alice2).after(20 * time.Second).tick().is(Ringing)
	s.must(Fact{Kind: DoAnswer, From: bob1}).up("a2").up("b1").is(Active)
}

func TestMoveWhileRinging(t *testing.T) {
	s := ring(t, "bob").up("a1").must(Fact{Kind: DoMove, From: alice2}).up("a2").hosts(alice2).is(Ringing)
	s.must(Fact{Kind: DoAnswer, From: bob1}).up("b1").is(Active)
}

func TestStateOfAParticipantIsSeenByAll(t *testing.T) {
	yes, no := true, false
	s := answered(t).must(Fact{Kind: DoSet, From: bob2, Set: Set{Microphone: &no, HandRaised: &yes}}) // any tab of bob's
	p := s.call.Snapshot(epoch0).Participants[1]
	if p.Microphone || !p.HandRaised || !p.Camera {
		t.Errorf("got %+v", p)
	}
	s.must(Fact{Kind: DoSet, From: bob2, Set: Set{Microphone: &no}}).quiet()
	s.must(Fact{Kind: DoSet, From: bob1, Set: Set{Held: &yes, Microphone: &yes}})
	for _, l := range s.call.Legs() {
		if l.Tab.User == "bob" && (l.Active || l.Microphone || l.Camera) {
			t.Errorf("held, and yet %+v", l)
		}
	}
	s.must(Fact{Kind: DoSet, From: bob1, Set: Set{Held: &no}})
	if l := s.call.Legs()[1]; !l.Microphone || !l.Camera || !l.Active {
		t.Errorf("back from hold: %+v", l)
	}
	ring(t, "bob").refused(refusal.NotAllowed, Fact{Kind: DoSet, From: bob1, Set: Set{Held: &no}})
}

func TestVoiceCallsShowNoPictureUnasked(t *testing.T) {
	c, _, err := New(Invitation{
		ID: "c", Conversation: "v", Media: Audio, Camera: true, From: alice1,
		People: []Person{{User: "alice"}, {User: "bob"}}, Fresh: NewFresh(),
	}, Config{}, epoch0)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err = c.Next(Fact{Kind: DoAnswer, From: bob1, Camera: true, Fresh: NewFresh()}, epoch0)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Snapshot(epoch0).Participants {
		if p.Camera {
			t.Errorf("the camera of %s is on", p.User)
		}
	}
}

// Two calls answered at the same instant in two tabs: each server asks the other call to
// hold, in any order.
func TestOfTwoAnswersAtOnceOneIsNotHeld(t *testing.T) {
	for _, later := range []time.Duration{0, time.Millisecond} {
		s := answered(t)
		other := s.call
		other.data = s.call.clone().data
		other.data.ID = "other"
		other.find("bob").Since += later.Milliseconds()
		hold := func(by Call) Fact {
			return Fact{Kind: Hold, From: Tab{User: "bob"}, OtherCall: by.ID(), Since: by.find("bob").Since}
		}
		first, _, err := s.call.Next(hold(other), epoch0)
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := other.Next(hold(s.call), epoch0)
		if err != nil {
			t.Fatal(err)
		}
		if !first.find("bob").Held || second.find("bob").Held {
			t.Errorf("answered %v later: held %v and %v, want only the first", later, first.find("bob").Held, second.find("bob").Held)
		}
	}
}

func TestBackFromHoldIsTheLatestCall(t *testing.T) {
	no := false
	s := answered(t)
	other := s.at + time.Second
	hold := Fact{Kind: Hold, From: Tab{User: "bob"}, OtherCall: "other", Since: epoch0.Add(other).UnixMilli()}
	s.after(2 * time.Second).must(hold)
	if !s.call.find("bob").Held || s.effect.Reply.Since != 0 {
		t.Fatalf("held %v since %d, want held", s.call.find("bob").Held, s.effect.Reply.Since)
	}
	s.must(Fact{Kind: DoSet, From: bob1, Set: Set{Held: &no}}).must(hold)
	if s.call.find("bob").Held || s.effect.Reply.Since <= hold.Since {
		t.Fatalf("back from hold, then held %v since %d", s.call.find("bob").Held, s.effect.Reply.Since)
	}
}

func TestPhaseNeedsTheSecret(t *testing.T) {
	s := answered(t)
	s.must(s.held(DoPhase, bob1)).quiet()
	wrong := s.held(DoPhase, bob1)
	wrong.Secret = "guess"
	s.refused(refusal.LegUnknown, wrong)
}

func TestLeave(t *testing.T) {
	s := answered(t).after(time.Minute).must(Fact{Kind: DoLeave, From: bob2}) // from any tab
	s.ended(Completed).told("a1", Completed).told("b1", Completed)
	if log := s.call.Log(); log.DurationMS != 60_000 || log.Outcomes[0].State != Left {
		t.Errorf("log %+v", log)
	}
	s.must(Fact{Kind: DoLeave, From: alice1}).quiet()
	s.refused(refusal.CallEnded, Fact{Kind: DoMove, From: alice1})
}

func TestRemoved(t *testing.T) {
	answered(t).must(Fact{Kind: Remove, From: Tab{User: "bob"}}).ended(RemovedReason).user("bob", Removed).told("b1", RemovedReason)
	ring(t, "bob").must(Fact{Kind: Remove, From: Tab{User: "alice"}}).ended(RemovedReason).user("bob", Missed)
	// One session signed out: only the call it hosts.
	answered(t).must(Fact{Kind: Remove, From: bob2}).quiet().must(Fact{Kind: Remove, From: bob1}).ended(RemovedReason)
}

func TestRestart(t *testing.T) {
	s := answered(t)
	restarted, err := Decode(s.call.Encode(), s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.call = restarted
	s.after(10*time.Minute).must(Fact{Kind: Claimed, Epoch: 2}).is(Active).user("alice", Reconnecting).user("bob", Reconnecting)
	if got := s.call.Snapshot(epoch0).Epoch; got != 2 {
		t.Errorf("epoch %d, want 2: clients need a new PeerConnection", got)
	}
	back := bob1
	back.Session = "s-b1-2"
	s.after(3*time.Second).must(s.held(DoResume, back)).up("b1").user("bob", Joined)
	s.after(22*time.Second).tick().ended(ServerError).user("alice", Left)

	// An offer with the secret is enough for a tab whose own connection has lived on.
	s = answered(t).must(Fact{Kind: Claimed, Epoch: 2})
	s.must(s.held(DoOffer, bob1)).must(s.held(DoOffer, alice1)).up("b1").up("a1").after(time.Hour).tick().is(Active)
}

func TestRestartWhileRinging(t *testing.T) {
	s := ring(t, "bob").up("a1").after(10 * time.Second).must(Fact{Kind: Claimed, Epoch: 2}).is(Ringing)
	back := alice1
	back.Session = "s-a1-2"
	s.must(s.held(DoResume, back)).user("alice", Joining).must(Fact{Kind: DoAnswer, From: bob1}).up("a1").up("b1").is(Active)

	ring(t, "bob").must(Fact{Kind: Claimed, Epoch: 2}).after(25*time.Second).tick().ended(ServerError).user("bob", Missed)
	ring(t, "bob").after(time.Minute).must(Fact{Kind: Claimed, Epoch: 2}).ended(NoAnswer) // nobody rings an hour later

	// A clock that was ahead does not ring for hours.
	s = ring(t, "bob").up("a1").after(-3 * time.Hour).must(Fact{Kind: Claimed, Epoch: 2})
	if left := s.call.Snapshot(epoch0.Add(s.at)).RemainingMS; left > ringTime.Milliseconds() {
		t.Errorf("rings for %d ms", left)
	}
}

func TestMaxDuration(t *testing.T) {
	s := answered(t)
	s.call.durations.max = time.Minute.Milliseconds()
	s.after(time.Minute).tick().ended(MaxDuration)
}

func TestStrangersSeeNoCall(t *testing.T) {
	for _, kind := range []FactKind{DoStart, DoRinging, DoAnswer, DoDecline, DoLeave, DoMove, DoResume, DoSet, DoOffer, DoSuspend} {
		answered(t).refused(refusal.NotFound, Fact{Kind: kind, From: carol1})
	}
	answered(t).refused(refusal.BadRequest, Fact{Kind: "dance", From: bob1})
}

func TestCallsThatCannotBe(t *testing.T) {
	for name, in := range map[string]Invitation{
		"alone":          {ID: "c", Conversation: "v", Media: Audio, From: alice1, People: []Person{{User: "alice"}}},
		"without caller": {ID: "c", Conversation: "v", Media: Audio, From: alice1, People: []Person{{User: "bob"}, {User: "carol"}}},
		"twice":          {ID: "c", Conversation: "v", Media: Audio, From: alice1, People: []Person{{User: "alice"}, {User: "bob"}, {User: "bob"}}},
		"smell":          {ID: "c", Conversation: "v", Media: "smell", From: alice1, People: []Person{{User: "alice"}, {User: "bob"}}},
	} {
		in.Fresh = NewFresh()
		if _, _, err := New(in, Config{}, epoch0); err == nil {
			t.Errorf("%s: want a refusal", name)
		}
	}
}

func TestWhatRunsOutAfterAFactArrivedDoesNotCount(t *testing.T) {
	s := ring(t, "bob").gone(alice1).after(10 * time.Second)
	late := Fact{Kind: DoAnswer, From: bob1, Arrived: epoch0.Add(10*time.Second - time.Millisecond)}
	s.must(late).is(Connecting)

	s = ring(t, "bob").gone(alice1).after(10 * time.Second)
	late.Arrived = epoch0.Add(10 * time.Second)
	s.late(refusal.CallEnded, late).ended(Cancelled)

	// Its own time counts from when it is looked at.
	s = ring(t, "bob").up("a1").after(30 * time.Second)
	s.must(Fact{Kind: DoAnswer, From: bob1, Arrived: epoch0}).after(20*time.Second - time.Millisecond).tick().is(Connecting)
}
