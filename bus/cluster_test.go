package bus

import (
	"log/slog"
	"testing"
	"time"

	"carillon/bus/natstest"
)

func openAt(t *testing.T, url string) *Bus {
	t.Helper()
	b, err := Open(Config{URL: url}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestMessagesCrossARealCluster(t *testing.T) {
	servers := natstest.Start(t, 3)
	a, b := openAt(t, servers.URL()), openAt(t, servers.URL())
	got := make(chan string, 100)
	subscribe(t, b, "user.alice", func(m Message) { got <- string(m.Data) })
	gaps := make(chan string, 100)
	b.OnGap(func(subject string) { gaps <- subject })

	// The servers tell each other of a subscription in their own time.
	until(t, func() bool {
		a.Publish("user.alice", []byte("hello"))
		select {
		case <-got:
			return true
		case <-time.After(20 * time.Millisecond):
			return false
		}
	})

	servers.Kill(servers.Index(b.conn.ConnectedUrl()))
	if subject := <-gaps; subject != "" {
		t.Errorf("told of a gap of %q, want of all", subject)
	}
	until(t, func() bool {
		a.Publish("user.alice", []byte("again"))
		select {
		case m := <-got:
			return m == "again"
		case <-time.After(20 * time.Millisecond):
			return false
		}
	})
}

// until waits until claim holds.
func until(t *testing.T, claim func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !claim(); {
		if time.Now().After(deadline) {
			t.Fatal("it never came")
		}
	}
}
