package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A node is stopped in order while people open pages and write, all through the balancer: not one
// request fails, and each message is there once and in order.
func TestNobodyIsRefusedWhileANodeDrains(t *testing.T) {
	t.Parallel()
	s := startSite(t, 2, "CARILLON_HTTP_DRAIN_SECONDS=3", "CARILLON_HTTP_TRUSTED_PROXIES=127.0.0.1", "CARILLON_SIGNALING_SPREAD_MS=500")
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	alice, bob := s.open(0, "alice"), s.open(1, "bob")
	running, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	sent, pages := 0, 0
	work.Go(func() {
		for ; running.Err() == nil; sent++ {
			if _, err := alice.Send(t.Context(), text("bob", fmt.Sprint(sent))); err != nil {
				t.Errorf("message %d: %v", sent, err)
				return
			}
		}
	})
	work.Go(func() {
		ticker := time.NewTicker(5 * time.Millisecond) // a busy site, and no attack
		defer ticker.Stop()
		for ; running.Err() == nil; pages++ {
			<-ticker.C
			answer, err := http.Get("http://" + s.balancer + "/popup.js")
			if err != nil {
				t.Errorf("page %d: %v", pages, err)
				continue
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("page %d: %s", pages, answer.Status)
			}
		}
	})
	drained := s.nodes[0]
	if err := drained.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := drained.command.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, drained.stderr.String())
	}
	alice.await("that she is on the other node", func() bool { return alice.synced > 1 })
	stop()
	work.Wait()
	history := historyOf(t, bob.Client)
	if len(history) != sent {
		t.Errorf("bob has %d messages, want %d", len(history), sent)
	}
	for i, m := range history {
		if m.Text != "message "+fmt.Sprint(i) || m.Seq != int64(i+1) {
			t.Fatalf("message %d: got seq %d %q", i, m.Seq, m.Text)
		}
	}
	t.Logf("%d messages and %d pages", sent, pages)
}
