package sfu

import (
	"testing"
	"time"
)

func TestHighLossStepsDownForAWhile(t *testing.T) {
	var d stepDown
	d.report(0.9, 2, time.Second)
	if got := d.highest(time.Second); got != 1 {
		t.Errorf("got %d", got)
	}
	if got := d.highest(7 * time.Second); got < 2 {
		t.Errorf("still limited to %d", got)
	}
}
