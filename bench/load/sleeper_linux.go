package load

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// sleeper wakes on time: a Go timer rounds to the poller's millisecond, this does not.
// It belongs to the goroutine that made it, which keeps its thread until close.
type sleeper struct{}

func newSleeper() sleeper {
	runtime.LockOSThread()
	// The default lets the kernel be 50 µs late to save wake-ups.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1000, 0, 0, 0)
	return sleeper{}
}

func (sleeper) until(t time.Time) {
	if d := time.Until(t); d > 0 {
		left := unix.NsecToTimespec(int64(d))
		_ = unix.Nanosleep(&left, nil) // woken early by a signal: the loop looks at the clock anyway
	}
}

func (sleeper) close() { runtime.UnlockOSThread() }
