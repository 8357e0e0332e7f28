package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// twoNodes on one embedded server.
func twoNodes(t *testing.T, cfg Config) (*Bus, *Bus) {
	t.Helper()
	a, err := Open(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	b, err := a.Join()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return a, b
}

func subscribe(t *testing.T, b *Bus, subject string, handle func(Message)) *Subscription {
	t.Helper()
	sub, err := b.Subscribe(subject, handle)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sub
}

func TestMessagesCrossNodesInOrder(t *testing.T) {
	a, b := twoNodes(t, Config{})
	const n = 5000
	got := make(chan string, n)
	subscribe(t, b, "user.alice", func(m Message) { got <- string(m.Data) })
	for i := range n {
		a.Publish("user.alice", fmt.Append(nil, i))
	}
	for i := range n {
		if s := <-got; s != fmt.Sprint(i) {
			t.Fatalf("message %d: got %s", i, s)
		}
	}
}

func TestRequestReachesItsServerAndSaysWhenThereIsNone(t *testing.T) {
	a, b := twoNodes(t, Config{})
	sub := subscribe(t, b, "call.1", func(m Message) {
		go func() { _ = m.Reply(append([]byte("re "), m.Data...)) }()
	})
	answer, err := a.Request(t.Context(), "call.1", []byte("hello"))
	if err != nil || string(answer) != "re hello" {
		t.Fatalf("got %q, %v", answer, err)
	}
	sub.Close()
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err = a.Request(t.Context(), "call.1", nil); !errors.Is(err, ErrNoResponders) {
		t.Errorf("after the server is gone: got %v, want ErrNoResponders", err)
	}
}

func TestRequestEndsWithItsContext(t *testing.T) {
	a, b := twoNodes(t, Config{})
	subscribe(t, b, "call.1", func(Message) {})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := a.Request(ctx, "call.1", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want deadline exceeded", err)
	}
}

func TestSubscriptionsCostNoGoroutine(t *testing.T) {
	a, _ := twoNodes(t, Config{})
	before := runtime.NumGoroutine()
	var got atomic.Int64
	done := make(chan struct{})
	for i := range 1000 {
		if _, err := a.Subscribe(fmt.Sprintf("user.%d", i), func(Message) {
			if got.Add(1) == 1000 {
				close(done)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1000 {
		a.Publish(fmt.Sprintf("user.%d", i), nil)
	}
	<-done
	if after := runtime.NumGoroutine(); after > before+4 {
		t.Errorf("1000 subscriptions: %d goroutines before, %d after", before, after)
	}
}

func TestLostMessagesAreReported(t *testing.T) {
	a, b := twoNodes(t, Config{Queue: 4, Dispatchers: 1})
	gap := make(chan string, 100)
	b.OnGap(func(subject string) { gap <- subject })
	release := make(chan struct{})
	subscribe(t, b, "user.alice", func(Message) { <-release })
	for range 20 {
		a.Publish("user.alice", nil)
	}
	if got := <-gap; got != "user.alice" {
		t.Errorf("gap of %q, want user.alice", got)
	}
	// More are lost while the first loss stands: NATS is silent about them.
	for range 20 {
		a.Publish("user.alice", nil)
	}
	if got := <-gap; got != "user.alice" {
		t.Errorf("second gap of %q, want user.alice", got)
	}
	close(release)
}

func TestANodeIsAloneUntilAnotherJoins(t *testing.T) {
	a, err := Open(Config{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	if !a.Alone() {
		t.Error("the only node is not alone")
	}
	b, err := a.Join()
	if err != nil {
		t.Fatal(err)
	}
	if a.Alone() || b.Alone() {
		t.Error("one of two nodes is alone")
	}
	b.Close()
	b.Close()
	if !a.Alone() {
		t.Error("the node that is left is not alone")
	}
}

func TestCloseMayBeCalledTwice(t *testing.T) {
	a, b := twoNodes(t, Config{})
	b.Close()
	b.Close()
	a.Close()
	a.Close()
	a.Publish("x", nil) // it goes nowhere
}
