package udp

import (
	"testing"
	"time"
)

func TestOnlyABusySocketWaitsForMorePackets(t *testing.T) {
	d := delay{longest: time.Millisecond}
	if d.next() != 0 {
		t.Error("an idle socket waits")
	}
	for range 100 {
		d.sent(100)
	}
	if d.next() != time.Millisecond {
		t.Error("a busy socket does not wait for longer runs")
	}
	for range 100 {
		d.sent(1)
	}
	if d.next() != 0 {
		t.Error("a socket that was busy still waits")
	}
}
