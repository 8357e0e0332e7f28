package load

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Netem makes the network between the generator and the server worse, like the Linux module
// of that name, but in user space, so that it needs no privilege and touches nobody else's
// packets. Each peer has a path of its own, with the same properties in both directions.
type Netem struct {
	Loss  float64       // share of datagrams, 0 to 1
	Delay time.Duration // one way
	Rate  float64       // bits per second; 0: no limit

	queue *delayQueue // set by Start
}

// queueLimit is how long a datagram may wait where the rate is limited. One that would have to
// wait longer is lost.
const queueLimit = 300 * time.Millisecond

// ParseNetem reads loss=2%,delay=50ms,rate=2mbit; the empty string gives nil.
func ParseNetem(text string) (*Netem, error) {
	if text == "" {
		return nil, nil
	}
	n := &Netem{}
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		var err error
		switch key {
		case "loss":
			n.Loss, err = strconv.ParseFloat(strings.TrimSuffix(value, "%"), 64)
			n.Loss /= 100
			if err == nil && !(n.Loss >= 0 && n.Loss <= 1) {
				err = fmt.Errorf("not between 0%% and 100%%")
			}
		case "delay":
			n.Delay, err = time.ParseDuration(value)
			if err == nil && n.Delay < 0 {
				err = fmt.Errorf("negative")
			}
		case "rate":
			n.Rate, err = ParseRate(value)
		default:
			err = fmt.Errorf("unknown, want loss, delay or rate")
		}
		if err != nil {
			return nil, fmt.Errorf("netem %s=%s: %w", key, value, err)
		}
	}
	return n, nil
}

// ParseRate reads bits per second: 300k, 1.5m, 2mbit, 800kbit, 1g.
func ParseRate(text string) (float64, error) {
	number := strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(text), "bit/s"), "bit")
	factor := 1.0
	for suffix, f := range map[string]float64{"k": 1e3, "m": 1e6, "g": 1e9} {
		if n, ok := strings.CutSuffix(number, suffix); ok {
			number, factor = n, f
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(v > 0) || v > 1e12 {
		return 0, fmt.Errorf("%q is not a rate such as 800k or 1.5mbit", text)
	}
	return v * factor, nil
}

func (n *Netem) String() string {
	if n == nil {
		return ""
	}
	text := fmt.Sprintf("loss=%g%%,delay=%s", n.Loss*100, n.Delay)
	if n.Rate > 0 {
		text += fmt.Sprintf(",rate=%gkbit", n.Rate/1000)
	}
	return text
}

// Start runs the queue of delayed datagrams until stop. Both do nothing when n is nil.
func (n *Netem) Start() (stop func()) {
	if n == nil {
		return func() {}
	}
	n.queue = &delayQueue{wake: make(chan struct{}, 1), done: make(chan struct{})}
	var wg sync.WaitGroup
	wg.Go(n.queue.run)
	return func() { close(n.queue.done); wg.Wait() }
}

// outbound shapes what a peer sends.
func (n *Netem) outbound(write func([]byte)) (send func([]byte)) {
	if n == nil {
		return write
	}
	s := &shaper{netem: n, deliver: func(b []byte, _ int64) { write(b) }}
	return func(b []byte) { s.pass(b, 0) }
}

// inbound shapes what a peer receives. The delay begins at the kernel's time stamp, so it is
// not part of the latency that is measured.
func (n *Netem) inbound(m *meter, receive receiver) receiver {
	if n == nil {
		return receive
	}
	s := &shaper{netem: n, deliver: func(b []byte, at int64) {
		m.mu.Lock()
		defer m.mu.Unlock()
		receive(m, b, at)
	}}
	return func(_ *meter, b []byte, at int64) { s.pass(b, at) }
}

// shaper is one direction of one peer's path.
type shaper struct {
	netem   *Netem
	deliver func(b []byte, at int64)

	mu     sync.Mutex
	freeAt int64 // when all datagrams before have been sent, unix nanoseconds
}

// pass drops the datagram or delivers a copy of it later. at 0 means now.
func (s *shaper) pass(b []byte, at int64) {
	if rand.Float64() < s.netem.Loss {
		return
	}
	now := time.Now().UnixNano()
	if at == 0 {
		at = now
	}
	s.mu.Lock()
	leaves := at
	if s.netem.Rate > 0 {
		leaves = max(s.freeAt, at)
		if leaves-at > int64(queueLimit) {
			s.mu.Unlock()
			return
		}
		leaves += int64(float64(len(b)+28) * 8e9 / s.netem.Rate)
		s.freeAt = leaves
	}
	s.mu.Unlock()
	s.netem.queue.push(delayed{due: leaves + int64(s.netem.Delay), bytes: append([]byte(nil), b...), deliver: s.deliver})
}

type delayed struct {
	due     int64
	order   uint64 // of datagrams that are due at the same time
	bytes   []byte
	deliver func([]byte, int64)
}

// delayQueue delivers datagrams when they are due.
type delayQueue struct {
	wake, done chan struct{}

	mu    sync.Mutex
	next  delayedHeap
	count uint64
}

func (q *delayQueue) push(d delayed) {
	q.mu.Lock()
	q.count++
	d.order = q.count
	heap.Push(&q.next, d)
	first := q.next[0].order == d.order
	q.mu.Unlock()
	if first {
		select {
		case q.wake <- struct{}{}:
		default: // run wakes up anyway
		}
	}
}

func (q *delayQueue) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := time.Hour
		for {
			now := time.Now().UnixNano()
			q.mu.Lock()
			if len(q.next) == 0 || q.next[0].due > now {
				if len(q.next) > 0 {
					wait = time.Duration(q.next[0].due - now)
				}
				q.mu.Unlock()
				break
			}
			d := heap.Pop(&q.next).(delayed)
			q.mu.Unlock()
			d.deliver(d.bytes, d.due)
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-q.wake:
		case <-q.done:
			return
		}
	}
}

type delayedHeap []delayed

func (h delayedHeap) Len() int { return len(h) }
func (h delayedHeap) Less(i, j int) bool {
	return h[i].due < h[j].due || h[i].due == h[j].due && h[i].order < h[j].order
}
func (h delayedHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *delayedHeap) Push(x any)   { *h = append(*h, x.(delayed)) }
func (h *delayedHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = delayed{}
	*h = old[:len(old)-1]
	return last
}
