package sfu

import (
	"fmt"
	"testing"
	"time"
)

func TestLossesAreAskedForUntilTheyCome(t *testing.T) {
	var l losses
	l.got(100, 0)
	if gap, _ := l.got(103, 10*ms); !gap {
		t.Error("a gap was not seen")
	}
	ask, _ := l.due(10*ms, nil)
	if fmt.Sprint(ask) != "[101 102]" {
		t.Errorf("asked for %v", ask)
	}
	if ask, _ := l.due(50*ms, nil); len(ask) > 0 {
		t.Errorf("asked for %v again at once", ask)
	}
	l.got(101, 60*ms)
	if ask, _ := l.due(120*ms, nil); fmt.Sprint(ask) != "[102]" {
		t.Errorf("asked for %v", ask)
	}
	gaveUp := false
	for now := 200 * ms; now < 3*time.Second; now += 100 * ms {
		_, g := l.due(now, nil)
		gaveUp = gaveUp || g
	}
	if !gaveUp || len(l.missing) > 0 {
		t.Error("never gave up")
	}
	if _, hopeless := l.got(103+mostGap+2, 4*time.Second); !hopeless {
		t.Error("a huge gap is to be repaired packet by packet")
	}
}
