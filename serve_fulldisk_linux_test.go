package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
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
	history := func() (texts []string) {
		t.Helper()
		var page wire.Messages
		for after := int64(0); ; after = page.Messages[len(page.Messages)-1].Seq {
			if err := bob.Request(t.Context(), wire.MethodMessagePage, wire.MessagePage{Conversation: first.Conversation, After: max(after, 1)}, &page); err != nil {
				t.Fatalf("bob reads on: %v", err)
			}
			for _, m := range page.Messages {
				texts = append(texts, m.Text)
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
}
