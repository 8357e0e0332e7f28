package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// fileLimit bounds the size of every file of the program, for whom the disk is full then.
func (p *program) fileLimit(t *testing.T, bytes uint64) {
	t.Helper()
	limit := unix.Rlimit{Cur: bytes, Max: math.MaxUint64}
	if err := unix.Prlimit(p.command.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		t.Fatal(err)
	}
}

// TestAFullDiskRefusesWritesAndLosesNothing is what one honest user feels when the disk is
// full: what was acknowledged can be read, what cannot be stored is refused with the time
// after which to try again, and when there is space again it arrives, once.
func TestAFullDiskRefusesWritesAndLosesNothing(t *testing.T) {
	data := t.TempDir()
	began := time.Now()
	p := start(t, nil, append(anyPorts, "--data", data)...)
	alice, bob := p.dial(t, data, "alice"), p.dial(t, data, "bob")
	first, err := alice.Send(t.Context(), text("bob", "0"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(data, "*"))
	if err != nil {
		t.Fatal(err)
	}
	largest := int64(0)
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			largest = max(largest, info.Size())
		}
	}
	p.fileLimit(t, uint64(largest)+100_000)

	acknowledged, refused := []string{"message 0"}, 0
	var waiting string // refused first
	for i := 1; refused < 3; i++ {
		id := fmt.Sprint(i)
		err := alice.Request(t.Context(), wire.MethodMessageSend, text("bob", id), nil)
		if err == nil {
			acknowledged = append(acknowledged, "message "+id)
			continue
		}
		if e, _ := refusal.Of(err); e.Code != refusal.StorageFailed || e.Retry <= 0 {
			t.Fatalf("message %d on a full disk: got %v, want %s with a time to wait", i, err, refusal.StorageFailed)
		}
		if refused++; refused == 1 {
			waiting = id
		}
	}
	// What asks now and then, such as a load balancer, learns it. (The question is a small write, for
	// which there may be room yet.)
	until(t, "it says that it cannot store", func() bool {
		err := alice.Request(t.Context(), wire.MethodMessageSend, text("bob", waiting), nil)
		if !refusal.Is(err, refusal.StorageFailed) {
			t.Fatalf("a message on a full disk: got %v", err)
		}
		c := p.condition(t)
		return !c.Ready && c.Storage == "failed"
	})
	history := func() (texts []string) {
		t.Helper()
		for after := int64(1); ; {
			var page wire.Messages
			if err := bob.Request(t.Context(), wire.MethodMessagePage, wire.MessagePage{Conversation: first.Conversation, After: after}, &page); err != nil {
				t.Fatalf("bob reads on: %v", err)
			}
			for _, m := range messagesOf(t, page) {
				texts, after = append(texts, m.Text), m.Seq
			}
			if !page.More {
				return texts
			}
		}
	}
	if got := history(); !slices.Equal(got, acknowledged[1:]) {
		t.Errorf("on the full disk: bob reads %d messages, want the %d that were acknowledged", len(got), len(acknowledged)-1)
	}
	if c := p.dial(t, data, "bob"); c.Welcome().User.ID != "bob" {
		t.Error("nobody can come in on a full disk")
	}

	arrived := make(chan error, 1)
	go func() {
		var err error
		var m chat.Message
		if m, err = alice.Send(t.Context(), text("bob", waiting)); err == nil && m.Seq != int64(len(acknowledged)+1) {
			err = fmt.Errorf("it has seq %d, want %d: there are no gaps", m.Seq, len(acknowledged)+1)
		}
		arrived <- err
	}()
	p.fileLimit(t, math.MaxUint64)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case err := <-arrived:
		if err != nil {
			t.Errorf("the message that waited: %v", err)
		}
	case <-ctx.Done():
		t.Fatal("the message that waited does not arrive")
	}
	if got := history(); !slices.Equal(got, append(acknowledged[1:], "message "+waiting)) {
		t.Errorf("with space again: bob reads %d messages, want %d", len(got), len(acknowledged))
	}
	until(t, "it is ready again", func() bool { return p.condition(t).Ready })
	p.stop(t)
	if lines := strings.Count(p.stderr.String(), "level=ERROR"); lines > 1+int(time.Since(began)/time.Minute) {
		t.Errorf("in %s the log has %d errors, want one a minute:\n%s", time.Since(began), lines, p.stderr.String())
	}
}
