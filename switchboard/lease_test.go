package switchboard

import (
	"testing"
	"time"
)

// A node gives its calls up when it has reached neither the bus nor the database for a while.
func TestALeaseEndsWithoutBusAndDatabase(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	l := lease{contact: at(0)}
	for _, step := range []struct {
		second         int
		renewed, onBus bool
		over           bool
	}{
		{1, true, true, false},
		{60, true, false, false},
		{120, false, true, false},
		{121, false, false, false},
		{130, false, false, false},
		{131, false, false, true},
		{132, false, true, false}, // what others have taken over meanwhile the next sweep finds
		{142, false, false, false},
		{143, false, false, true},
	} {
		l.touch(at(step.second), step.renewed, step.onBus)
		if got := l.over(at(step.second)); got != step.over {
			t.Errorf("after %d s it is over: %v, want %v", step.second, got, step.over)
		}
	}
}
