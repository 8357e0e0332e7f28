package signaling

import (
	"context"
	"errors"
	"testing"
	"time"

	"carillon/auth"
	"carillon/wire"
)

// TestCloseEndsWhatDoesNotEnd closes a node while a hello hangs.
func TestCloseEndsWhatDoesNotEnd(t *testing.T) {
	w := newWorld(t, Config{})
	asked, ended := make(chan struct{}), make(chan error, 1)
	w.verify = func(ctx context.Context, _ string) (auth.Identity, error) {
		close(asked)
		<-ctx.Done()
		ended <- ctx.Err()
		return auth.Identity{}, ctx.Err()
	}
	w.addNode(Config{}, w.bus)
	p := w.plain(1)
	p.write(`{"jsonrpc":"2.0","id":1,"method":"hello","params":{"token":"t","protocol":1,"tab":"plain-tab","device":"plain-device"}}`)
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	w.nodes[1].Close(ctx)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the hello ended by %v, want to be ended by Close", err)
	}
	w.nodes[1].Close(ctx)
}

// TestCloseWaitsForWhatWasAsked closes a node while a request is on its way.
func TestCloseWaitsForWhatWasAsked(t *testing.T) {
	w := newWorld(t, Config{})
	asked, release := make(chan struct{}), make(chan struct{})
	w.verify = func(ctx context.Context, token string) (auth.Identity, error) {
		if token == "slow" {
			close(asked)
			<-release
			return w.verifier.Verify(ctx, w.token("alice"))
		}
		return w.verifier.Verify(ctx, token)
	}
	w.addNode(Config{}, w.bus)
	alice := w.open(1, "alice")
	renewed := make(chan error, 1)
	go func() { renewed <- alice.ask(wire.MethodTokenRenew, wire.TokenRenew{Token: "slow"}, nil) }()
	<-asked
	closed := make(chan struct{})
	go func() { defer close(closed); w.nodes[1].Close(t.Context()) }()
	alice.await("to be told to come back", func() bool { return len(alice.lost) > 0 })
	select {
	case <-closed:
		t.Fatal("closed before the request was answered")
	default:
	}
	close(release)
	<-closed
	<-renewed // it was answered, or its connection had ended before
}
