package api

import (
	"testing"
	"testing/synctest"
	"time"

	"carillon/sfu"
)

func ended(s *roomSession) bool {
	synctest.Wait()
	select {
	case <-s.Done():
		return true
	default:
		return false
	}
}

func TestASessionThatNeverConnectsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idle, live := newRoomSession("stage", nil), newRoomSession("stage", nil)
		live.Media(sfu.MediaUp)
		time.Sleep(connectTime - time.Nanosecond)
		if ended(idle) {
			t.Error("ended before its time to connect was over")
		}
		time.Sleep(time.Hour)
		if !ended(idle) {
			t.Error("a session without media lives for ever")
		}
		if ended(live) {
			t.Error("a session with media ended")
		}
		live.Media(sfu.MediaSilent)
		if ended(live) {
			t.Error("ended by a silence")
		}
		live.Media(sfu.MediaDown)
		if !ended(live) {
			t.Error("lives on without media")
		}
	})
}
