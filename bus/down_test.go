package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"carillon/bus/natstest"
)

// gaps notes of what the bus says that messages were lost.
func gaps(b *Bus) <-chan string {
	all := make(chan string, 100)
	b.OnGap(func(subject string) {
		select {
		case all <- subject:
		default:
		}
	})
	return all
}

// crosses waits until messages of one node reach the other.
func crosses(t *testing.T, from, to *Bus) {
	t.Helper()
	got := make(chan string, 1000)
	sub := subscribeAnyway(t, to, "crossing", func(m Message) { got <- string(m.Data) })
	defer sub.Close()
	n := 0
	until(t, func() bool {
		n++
		from.Publish("crossing", fmt.Append(nil, n))
		select {
		case <-got:
			return true
		case <-time.After(20 * time.Millisecond):
			return false
		}
	})
}

// subscribeAnyway needs no connection.
func subscribeAnyway(t *testing.T, b *Bus, subject string, handle func(Message)) *Subscription {
	t.Helper()
	sub, err := b.Subscribe(subject, handle)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func TestANodeStartsWithoutItsClusterAndConnectsWhenItComes(t *testing.T) {
	servers := natstest.Start(t, 3)
	servers.KillAll()
	a, b := openAt(t, servers.URL()), openAt(t, servers.URL())
	if a.Connected() {
		t.Error("it is connected to nothing")
	}
	if _, err := a.Request(t.Context(), "call.1", nil); !errors.Is(err, ErrDown) {
		t.Errorf("a request: got %v, want ErrDown", err)
	}
	if err := a.Flush(t.Context()); !errors.Is(err, ErrDown) {
		t.Errorf("a flush: got %v, want ErrDown", err)
	}
	got := make(chan string, 10)
	subscribeAnyway(t, b, "user.alice", func(m Message) { got <- string(m.Data) })
	for range 100_000 { // it is silent, and keeps none
		a.Publish("user.alice", make([]byte, 1000))
	}
	here, there := gaps(a), gaps(b)
	for i := range 3 {
		servers.Run(i)
	}
	for _, gap := range []<-chan string{here, there} {
		if subject := <-gap; subject != "" {
			t.Errorf("told of a gap of %q, want of all", subject)
		}
	}
	until(t, func() bool {
		a.Publish("user.alice", []byte("hello"))
		select {
		case m := <-got:
			return m == "hello"
		case <-time.After(20 * time.Millisecond):
			return false
		}
	})
}

func TestOtherNodesLearnThatOneLostWhatItPublished(t *testing.T) {
	servers := natstest.Start(t, 3)
	a, b := openAt(t, servers.URL()), openAt(t, servers.URL())
	crosses(t, a, b)
	missed := gaps(b)
	// Only a loses its connection.
	if err := a.conn.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	if subject := <-missed; subject != "" {
		t.Errorf("told of a gap of %q, want of all", subject)
	}
}

func TestARequestEndsWithTheConnection(t *testing.T) {
	servers := natstest.Start(t, 1)
	a, b := openAt(t, servers.URL()), openAt(t, servers.URL())
	asked := make(chan struct{})
	subscribe(t, b, "call.1", func(Message) { close(asked) })
	end := make(chan error, 1)
	go func() {
		_, err := a.Request(context.Background(), "call.1", nil)
		end <- err
	}()
	<-asked
	servers.KillAll()
	// It may have been done, so it is neither that nobody is there nor that it was not sent.
	if err := <-end; err == nil || errors.Is(err, ErrNoResponders) || errors.Is(err, ErrDown) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// When all servers start again each node finds them in its own time.
func TestNobodyIsSaidToBeGoneRightAfterAReconnect(t *testing.T) {
	servers := natstest.Start(t, 1)
	a := openAt(t, servers.URL())
	until(t, func() bool {
		_, err := a.Request(t.Context(), "call.1", nil)
		return errors.Is(err, ErrNoResponders)
	})
	servers.Kill(0)
	until(t, func() bool { return !a.Connected() })
	servers.Run(0)
	until(t, a.Connected)
	if _, err := a.Request(t.Context(), "call.1", nil); !errors.Is(err, ErrDown) {
		t.Errorf("right after the reconnect: got %v, want ErrDown", err)
	}
	until(t, func() bool {
		_, err := a.Request(t.Context(), "call.1", nil)
		return errors.Is(err, ErrNoResponders)
	})
}

func TestAServerThatHangsHoldsNobodyUp(t *testing.T) {
	servers := natstest.Start(t, 1)
	a, b := openAt(t, servers.URL()), openAt(t, servers.URL())
	crosses(t, a, b)
	servers.Pause(0)
	missed := gaps(b)
	big := []byte(strings.Repeat("x", 64<<10))
	for range 2000 { // far more than sockets hold, and more than may wait
		a.Publish("user.alice", big)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := a.Flush(ctx); err == nil {
		t.Error("a flush to a server that hangs succeeds")
	}
	if a.Connected() {
		t.Error("it still seems to be connected")
	}
	if _, err := a.Request(t.Context(), "call.1", nil); !errors.Is(err, ErrDown) {
		t.Errorf("a request: got %v, want ErrDown", err)
	}
	servers.Continue(0)
	if subject := <-missed; subject != "" {
		t.Errorf("told of a gap of %q, want of all", subject)
	}
	crosses(t, a, b)
}
