package call

import (
	"strings"
	"testing"
	"time"
)

// Whatever lies in the database, reading it ends in a call that keeps its promises or in
// an error, and the call can be taken over and ended.
func FuzzDecode(f *testing.F) {
	t := &testing.T{}
	f.Add(answered(t).call.Encode())
	f.Add(ring(t, "bob", "carol").call.Encode())
	f.Add(answered(t).must(Fact{Kind: DoMove, From: bob2}).call.Encode())
	f.Add(answered(t).must(Fact{Kind: DoLeave, From: bob2}).call.Encode())
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Decode(data, Config{})
		if err != nil {
			return
		}
		at := time.UnixMilli(c.data.UpdatedAt)
		if at.UnixMilli() < 0 || at.UnixMilli() > 1<<50 {
			return
		}
		live := !c.Ended()
		c, effect, _ := c.Next(Fact{Kind: Claimed, Epoch: c.data.Epoch + 1}, at)
		if live && !effect.Changed {
			t.Fatal("taken over without a trace")
		}
		for range 100 {
			if c.Ended() {
				return
			}
			d := c.Deadline()
			if d.IsZero() {
				t.Fatalf("nobody looks when this is over: %s", c.Encode())
			}
			c, _, _ = c.Next(Fact{Kind: Tick}, d)
		}
		t.Fatalf("never ends: %s", c.Encode())
	})
}

func TestStoredSecretsAreHashes(t *testing.T) {
	s := answered(t)
	stored := string(s.call.Encode())
	for tab, l := range s.legs {
		if strings.Contains(stored, l.Secret) {
			t.Errorf("the secret of %s is stored in the clear", tab)
		}
	}
}
