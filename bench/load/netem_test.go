package load

import (
	"testing"
	"time"
)

func TestParseNetem(t *testing.T) {
	n, err := ParseNetem("loss=2%, delay=50ms,rate=2mbit")
	if err != nil || n.Loss != 0.02 || n.Delay != 50*time.Millisecond || n.Rate != 2e6 {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err := ParseNetem(""); n != nil || err != nil {
		t.Errorf("nothing gives %v, %v", n, err)
	}
	for _, bad := range []string{"loss", "loss=200%", "delay=-1s", "rate=fast", "jitter=3ms", "rate=-1m"} {
		if _, err := ParseNetem(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
