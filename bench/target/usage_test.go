package target

import (
	"testing"
	"time"
)

func TestStatFindsTheFieldsBehindAnyName(t *testing.T) {
	user, system, err := parseStat([]byte("12 (a) b (c) S 1 1 1 0 -1 4 5 6 7 8 150 75 0 0 20 0\n"))
	if err != nil || user != 1500*time.Millisecond || system != 750*time.Millisecond {
		t.Errorf("%v %v %v", user, system, err)
	}
	if _, _, err := parseStat([]byte("12 (x")); err == nil {
		t.Error("half a line is accepted")
	}
}
