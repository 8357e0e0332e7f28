package signaling

import (
	"sync"
	"testing"
	"time"
)

// observed is what a test has seen of somebody so far, and how it waits for more.
type observed struct {
	t       testing.TB
	mu      sync.Mutex
	changed chan struct{} // closed and replaced by note
}

func observe(t testing.TB) observed { return observed{t: t, changed: make(chan struct{})} }

// note lets f note something and wakes those who await it.
func (o *observed) note(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
	close(o.changed)
	o.changed = make(chan struct{})
}

// seen returns something of what was noted so far, which may grow meanwhile.
func seen[T any](o *observed, f func() T) T {
	o.mu.Lock()
	defer o.mu.Unlock()
	return f()
}

// await waits until a claim about what was noted is true.
func (o *observed) await(what string, claim func() bool) {
	o.t.Helper()
	o.awaits(what, claim, func() string { return "" })
}

// awaits is await, and says how it is instead when it is not.
func (o *observed) awaits(what string, claim func() bool, is func() string) {
	o.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		o.mu.Lock()
		ok, changed := claim(), o.changed
		o.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			o.mu.Lock()
			defer o.mu.Unlock()
			o.t.Fatalf("not in 30 s: %s%s", what, is())
		}
	}
}
