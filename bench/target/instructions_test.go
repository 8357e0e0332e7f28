package target

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestInstructionsOfAllThreadsAreCounted, also of those that begin later. Where that is not
// allowed, the error says so, and the bench compares time.
func TestInstructionsOfAllThreadsAreCounted(t *testing.T) {
	c, err := CountInstructions(os.Getpid())
	if err != nil {
		for _, known := range []error{unix.EACCES, unix.EPERM, unix.ENOENT, unix.EOPNOTSUPP, unix.ENOSYS, unix.ENODEV} {
			if errors.Is(err, known) {
				t.Logf("this machine does not count: %v", err)
				return
			}
		}
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	const turns = 10_000_000
	before, err := c.Read()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and not unlocked: the thread ends here, and its count must stay
		for n := range turns {
			runtime.KeepAlive(n)
		}
	}()
	<-done
	after, err := c.Read()
	if err != nil {
		t.Fatal(err)
	}
	if executed := after - before; executed < turns || executed > 20*turns {
		t.Errorf("%d instructions for %d turns of a loop", executed, turns)
	}
	if _, err := CountInstructions(1 << 30); err == nil {
		t.Error("a process that does not exist is counted")
	}
}
