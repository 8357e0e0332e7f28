package sfu

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"

	"carillon/limit"
	"carillon/sfu/sfutest"
	"carillon/tcp/tcptest"
)

// descriptors is how many files the process of the SFU may have open.
const descriptors = 50

// TestCallsOverTCPSurviveALackOfDescriptors connects to an SFU until its process has no
// descriptor left, and then calls over ICE-TCP.
func TestCallsOverTCPSurviveALackOfDescriptors(t *testing.T) {
	in, out := tcptest.Child(t)
	lines := json.NewDecoder(out)
	said := func() (text string) {
		if err := lines.Decode(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	at := said()
	for range 3 * descriptors {
		connectTCP(t, at, "127.0.0.1")
	}
	client, err := sfutest.New(sfutest.Config{TCP: true}, func(_ context.Context, offer string) (string, error) {
		if err := json.NewEncoder(in).Encode(offer); err != nil {
			return "", err
		}
		return said(), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Dial(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestPoorProcess is the child of the test above; by itself it has nothing to show.
func TestPoorProcess(t *testing.T) {
	child, err := tcptest.InChild(descriptors)
	if !child {
		return
	}
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	fail(err)
	s, err := New(Config{}, slog.New(slog.DiscardHandler), nil)
	fail(err)
	_, at := s.Addresses()
	say := json.NewEncoder(os.Stdout).Encode
	fail(say(at.String()))
	offers := json.NewDecoder(os.Stdin)
	p, err := s.Room("call").Join("leg", "alice", limit.Payer{}, &listener{})
	fail(err)
	for {
		var offer string
		if err := offers.Decode(&offer); err == io.EOF {
			os.Exit(0) // the parent has seen enough
		}
		fail(err)
		answer, err := p.Offer(context.Background(), offer)
		fail(err)
		fail(say(answer))
	}
}
