package switchboard_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"carillon/call"
	"carillon/refusal"
	"carillon/switchboard"
)

// A machine that is busy answers late. What was asked in time counts all the same: these
// calls were cancelled, or not answered, although the callee had clicked Answer.

// busy is a ringing call, each write of which takes 6 s.
func busy(t *testing.T) (*world, *switchboard.Owners, call.Reply) {
	w := newWorld(t)
	x := w.node("one")
	a := w.start(x, "c")
	w.store.slow.Store(int64(6 * time.Second))
	return w, x, a
}

func TestACallerWhoIsBackInTimeIsNotGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, x, a := busy(t)
		back := tabOf("alice", 1)
		back.Session, back.Since = "alice-session-again", 1
		var wg sync.WaitGroup
		for _, f := range []call.Fact{
			{Kind: call.TabGone, From: tabOf("alice", 1)},
			{Kind: call.DoRinging, From: tabOf("bob", 1)},
			{Kind: call.DoResume, From: back, Leg: a.Leg, Secret: a.Secret}, // 2 s after she went
			{Kind: call.DoAnswer, From: tabOf("bob", 1)},
		} {
			wg.Go(func() { w.do(x, "c", f) })
			time.Sleep(time.Second)
		}
		wg.Wait()
		if s := w.snapshot("c"); s.State != call.Connecting {
			t.Errorf("the call is %s %s, want connecting: it was answered", s.State, s.Reason)
		}
	})
}

func TestAnAnswerInTimeIsNotTooLate(t *testing.T) {
	for _, left := range []time.Duration{time.Second, time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			_, x, a := busy(t)
			time.Sleep(ringTime - left)
			x.Media("c", a.Leg, true)
			synctest.Wait() // it is being stored
			time.Sleep(left / 2)
			if _, err := x.Do(t.Context(), "c", call.Fact{Kind: call.DoAnswer, From: tabOf("bob", 1)}); err != nil {
				t.Errorf("answered %v before the end of the ring: %v", left/2, err)
			}
		})
	}
}

func TestMediaThatCameInTimeCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, x, a := busy(t)
		b := w.do(x, "c", call.Fact{Kind: call.DoAnswer, From: tabOf("bob", 1)})
		x.Media("c", a.Leg, true)
		time.Sleep(11 * time.Second) // six of them to store it; 3 s are left to bob's media
		go func() {
			w.do(x, "c", call.Fact{Kind: call.DoSet, From: tabOf("alice", 1), Set: call.Set{Camera: new(bool)}})
		}()
		time.Sleep(2 * time.Second)
		x.Media("c", b.Leg, true)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if s := w.snapshot("c"); s.State != call.Active {
			t.Errorf("the call is %s %s, want active", s.State, s.Reason)
		}
	})
}

// Whoever waits too long is told to ask again: it may have been done, and asking again is
// harmless.
func TestWhoWaitsTooLongMayAskAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, x, _ := busy(t)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		answer := call.Fact{Kind: call.DoAnswer, From: tabOf("bob", 1)}
		_, err := x.Do(ctx, "c", answer)
		if refused, _ := errors.AsType[*refusal.Error](err); refused == nil || refused.Code != refusal.Busy || refused.Retry == 0 {
			t.Errorf("got %v, want busy, and when to ask again", err)
		}
		if r, err := x.Do(t.Context(), "c", answer); err != nil || r.Secret == "" {
			t.Errorf("asked again: %+v, %v", r, err)
		}
	})
}

// Many calls at once on a machine whose cores have more to do: each caller loses its
// connection while it rings and is back, each callee answers.
func TestManyAnswersUnderLoad(t *testing.T) {
	w := newWorld(t)
	x := w.node("one")
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			in := w.invitation(fmt.Sprint("c", i), "alice")
			in.Direct = false
			a, _, err := x.Start(t.Context(), in)
			if err != nil {
				t.Error(err)
				return
			}
			var both sync.WaitGroup
			back := tabOf("alice", 1)
			back.Session, back.Since = "again", 1
			both.Go(func() {
				w.do(x, in.ID, call.Fact{Kind: call.TabGone, From: tabOf("alice", 1)})
				w.do(x, in.ID, call.Fact{Kind: call.DoResume, From: back, Leg: a.Leg, Secret: a.Secret})
			})
			both.Go(func() { w.do(x, in.ID, call.Fact{Kind: call.DoAnswer, From: tabOf("bob", i)}) })
			both.Wait()
			if s := w.snapshot(in.ID); s.State != call.Connecting || s.Participants[0].State != call.Joining && s.Participants[0].State != call.Reconnecting {
				t.Errorf("call %s is %s %s", in.ID, s.State, s.Reason)
			}
		})
	}
	wg.Wait()
}
