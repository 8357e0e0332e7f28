package api

import (
	"testing"

	"carillon/sfu"
)

func TestASessionEndsWhenItsMediaIsLost(t *testing.T) {
	s := newRoomSession("stage", nil)
	for _, state := range []sfu.MediaState{sfu.MediaUp, sfu.MediaSilent, sfu.MediaUp} {
		s.Media(state)
		select {
		case <-s.Done():
			t.Fatalf("it ended when its media was %s", state)
		default:
		}
	}
	s.Media(sfu.MediaDown)
	select {
	case <-s.Done():
	default:
		t.Error("it lives on without media")
	}
}
