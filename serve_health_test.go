package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"carillon/api"
	"carillon/bus/natstest"
	"carillon/refusal"
	"carillon/store/pgtest"
	"carillon/wire"
)

// condition asks both questions of a running server, which must agree but for the status.
func (p *program) condition(t *testing.T) (c api.Condition) {
	t.Helper()
	status, text := get(t, p.urls["private"]+"/readyz")
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatalf("/readyz: %d %q", status, text)
	}
	if c.Ready != (status == http.StatusOK) {
		t.Errorf("/readyz answers %d with %s", status, text)
	}
	if status, text := get(t, p.urls["http"]+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz of a process that lives: got %d %s", status, text)
	}
	return c
}

// health is what carillon health says of the server with that data folder, and whether it exits with 0.
func health(data string, more ...string) (said string, healthy bool) {
	out, err := command(nil, append([]string{"health", "--data", data}, more...)...).CombinedOutput()
	return strings.TrimSuffix(string(out), "\n"), err == nil
}

func TestHealthNeedsNoShell(t *testing.T) {
	data := t.TempDir()
	if said, healthy := health(data); healthy || said != "carillon: no carillon runs with the data folder "+data {
		t.Errorf("nobody serves: got %q, %t", said, healthy)
	}
	p := start(t, nil, append(anyPorts, "--data", data)...)
	if said, healthy := health(data); !healthy || said != "ready" {
		t.Errorf("got %q, %t, want ready", said, healthy)
	}
	if said, healthy := health(filepath.Join(data, "none"), "--url", p.urls["http"]); !healthy || said != "ready" {
		t.Errorf("by its URL: got %q, %t, want ready", said, healthy)
	}
	if said, healthy := health(data, "--url", p.urls["http"]+"/demo"); healthy || !strings.Contains(said, "is no carillon: 404 Not Found") {
		t.Errorf("another page: got %q, %t", said, healthy)
	}
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.command.Wait()
	if said, healthy := health(data); healthy || strings.Contains(said, "\n") {
		t.Errorf("after a kill: got %q, %t, want one line", said, healthy)
	}
}

// A server whose PostgreSQL is stopped says so to whoever asks, refuses what it cannot store, and
// goes on by itself when the database is back.
func TestNotReadyWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	database, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Stop)
	if err := database.Create(t.Context(), "carillon"); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	p := start(t, []string{"CARILLON_STORE_URL=" + database.URL("carillon")}, append(anyPorts, "--data", data)...)
	var greeted greetings
	alice := p.dialCounted(t, data, "alice", &greeted)
	until(t, "the greeting has ended", func() bool { return greeted.synced.Load() == 1 })
	if _, err := alice.Send(t.Context(), text("bob", "1")); err != nil {
		t.Fatal(err)
	}
	if got, want := p.condition(t), (api.Condition{Ready: true, Storage: "ok", Bus: "ok"}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	database.Halt()
	const writes = 20
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range writes {
		err := alice.Request(ctx, wire.MethodMessageSend, text("bob", "2"), nil)
		if e, _ := refusal.Of(err); e.Code != refusal.StorageFailed || e.Retry <= 0 {
			t.Fatalf("without a database: got %v, want %s with a time to wait", err, refusal.StorageFailed)
		}
	}
	if got, want := p.condition(t), (api.Condition{Storage: "away", Bus: "ok"}); got != want {
		t.Errorf("without a database: got %+v, want %+v", got, want)
	}
	if said, healthy := health(data); healthy || said != "carillon: not ready: storage: away" {
		t.Errorf("without a database: got %q, %t", said, healthy)
	}
	alice.Cut() // she comes back in vain, and again
	until(t, "a hello is refused", func() bool {
		_, metrics := get(t, p.urls["private"]+"/metrics")
		return !strings.Contains(metrics, fmt.Sprintf("carillon_refusals_total{code=\"storage_failed\"} %d\n", writes))
	})
	if err := database.Resume(); err != nil {
		t.Fatal(err)
	}
	until(t, "the server is ready again", func() bool { return p.condition(t).Ready })
	if _, err := alice.Send(ctx, text("bob", "2")); err != nil {
		t.Errorf("with the database back: %v", err)
	}
	p.stop(t)
	if lines := strings.Count(p.stderr.String(), "level=ERROR"); lines != 1 {
		t.Errorf("%d writes failed, and the log has %d errors, want 1:\n%s", writes, lines, p.stderr.String())
	}
}

// Without the bus a node serves its own tabs, so a load balancer that knows nothing better leaves
// them where they are.
func TestReadyWithoutTheBus(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1)
	data := t.TempDir()
	p := start(t, []string{"CARILLON_BUS_URL=" + servers.URL()}, append(anyPorts, "--data", data)...)
	if got, want := p.condition(t), (api.Condition{Ready: true, Storage: "ok", Bus: "ok"}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	servers.KillAll()
	until(t, "it says that the bus is down", func() bool { return p.condition(t).Bus == "down" })
	if c := p.condition(t); !c.Ready {
		t.Errorf("without a bus: got %+v, want ready", c)
	}
	if said, healthy := health(data); !healthy || said != "ready, but bus: down" {
		t.Errorf("without a bus: got %q, %t", said, healthy)
	}
}

// Who was told to stop serves on for a while, so that a load balancer learns of it before anyone is
// refused.
func TestDrainingServesOn(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := start(t, []string{"CARILLON_HTTP_DRAIN_SECONDS=60"}, append(anyPorts, "--data", data)...)
	alice := p.dial(t, data, "alice")
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "it says that it drains", func() bool { return p.condition(t).Draining })
	if got, want := p.condition(t), (api.Condition{Storage: "ok", Bus: "ok", Draining: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if said, healthy := health(data); healthy || said != "carillon: not ready: draining" {
		t.Errorf("got %q, %t", said, healthy)
	}
	if _, err := alice.Send(t.Context(), text("bob", "1")); err != nil {
		t.Errorf("a tab that is there: %v", err)
	}
	p.dial(t, data, "bob")
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil { // a second one ends at once
		t.Fatal(err)
	}
	if err := p.command.Wait(); err == nil {
		t.Error("it waits although it was told twice")
	} else if _, ended := err.(*exec.ExitError); !ended {
		t.Error(err)
	}
}
