package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"carillon/auth"
	"carillon/bench/target"
	"carillon/client"
	"carillon/wire"
)

// crowd is many tabs that do nothing but come back.
type crowd struct {
	tabs     []*idler
	attempts atomic.Int64 // to come back
}

// idler is a tab of which is known since when it is there.
type idler struct {
	*client.Client

	mu     sync.Mutex
	synced time.Time // when it had all that it missed; zero: it has not
}

func (t *idler) set(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.synced = at
}

func (t *idler) syncedAt() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.synced
}

// opening is how many tabs connect at the same time when the crowd gathers.
const opening = 32

// gather opens n tabs.
func (s *site) gather(ctx context.Context, n int) (*crowd, error) {
	c := &crowd{tabs: make([]*idler, n)}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var working sync.WaitGroup
	for range opening {
		working.Go(func() {
			for i := int(next.Add(1) - 1); i < n && ctx.Err() == nil; i = int(next.Add(1) - 1) {
				var err error
				if c.tabs[i], err = s.openIdler(ctx, c, i); err != nil {
					cancel(fmt.Errorf("tab %d: %w", i, err))
				}
			}
		})
	}
	working.Wait()
	if err := context.Cause(ctx); err != nil {
		c.close()
		return nil, err
	}
	return c, c.await(ctx, time.Minute)
}

func (s *site) openIdler(ctx context.Context, c *crowd, n int) (*idler, error) {
	t := &idler{}
	return t, s.openTab(ctx, t, fmt.Sprint("user-", n), n, func(o *client.Options) {
		o.Backoff = func(attempt int) (time.Duration, bool) {
			c.attempts.Add(1)
			return pageBackoff(attempt)
		}
	})
}

func (s *site) openTab(ctx context.Context, t *idler, user string, n int, edit func(*client.Options)) error {
	o, err := s.page(user, n)
	if err != nil {
		return err
	}
	o.Synced = func() { t.set(time.Now()) }
	o.Lost = func(error) { t.set(time.Time{}) }
	edit(&o)
	t.Client, err = client.Dial(ctx, o)
	return err
}

// await waits until all are synced.
func (c *crowd) await(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		away := 0
		for _, t := range c.tabs {
			if t.syncedAt().IsZero() {
				away++
			}
		}
		if away == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d tabs are not there after %v", away, len(c.tabs), limit)
		}
	}
}

// returned are the times after a moment at which the tabs were back, ascending.
func (c *crowd) returned(since time.Time) (took []time.Duration) {
	for _, t := range c.tabs {
		took = append(took, t.syncedAt().Sub(since))
	}
	slices.Sort(took)
	return took
}

func (c *crowd) close() {
	var closing sync.WaitGroup
	for _, t := range c.tabs {
		if t != nil && t.Client != nil {
			closing.Go(t.Close)
		}
	}
	closing.Wait()
}

// returnTime is how long the tabs may take to be back.
const returnTime = 3 * time.Minute

// measureIdle gathers a crowd, lets it be idle, and kills the server.
func measureIdle(ctx context.Context, p program, signer *auth.Verifier, o options) error {
	s, err := openSite(ctx, p, signer, o.addresses)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	pair, err := s.openPair(ctx, o.tabs)
	if err != nil {
		return err
	}
	defer pair.close()
	stop := pair.talk(ctx)
	defer stop()
	before, err := s.memory(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	c, err := s.gather(ctx, o.tabs)
	if err != nil {
		return err
	}
	defer c.close()
	fmt.Printf("%s: %d tabs from %d addresses, opened in %.1f s\n", p.name, o.tabs, o.addresses, time.Since(began).Seconds())
	if err := s.idle(ctx, p, c, before, pair, o); err != nil {
		return err
	}
	return s.killed(ctx, p, c, pair, o)
}

// idle prints what the crowd costs while it does nothing.
func (s *site) idle(ctx context.Context, p program, c *crowd, before memory, pair *pair, o options) error {
	n := float64(len(c.tabs))
	after, err := s.memory(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("  memory of a tab: %.1f KB of heap and stacks, %.1f KB resident (the process: %.0f MB)\n",
		(after.live-before.live)/n/1e3, (after.resident-before.resident)/n/1e3, after.resident/1e6)
	if err := s.saveProfile(ctx, o.profile, p.name+"-idle-heap", "/debug/pprof/heap"); err != nil {
		return err
	}
	start, err := target.ReadUsage(s.Process.PID)
	if err != nil {
		return err
	}
	began := time.Now()
	if o.profile != "" {
		if err := s.saveProfile(ctx, o.profile, p.name+"-idle-cpu", fmt.Sprintf("/debug/pprof/profile?seconds=%.0f", o.idle.Seconds())); err != nil {
			return err
		}
	} else {
		sleep(ctx, o.idle)
	}
	end, err := target.ReadUsage(s.Process.PID)
	if err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Printf("  processor while they are idle: %.1f %% of a core, with %.0f messages a second of the two\n",
		100*end.Since(start).Total.Seconds()/took.Seconds(), pair.rate())
	fmt.Printf("  a message of one to the other: %s\n", pair.felt(began, time.Now()))
	return ctx.Err()
}

// killed kills the server, starts it again, and prints how the tabs come back.
func (s *site) killed(ctx context.Context, p program, c *crowd, pair *pair, o options) error {
	c.attempts.Store(0)
	killed := time.Now()
	s.Kill()
	if err := s.Restart(ctx); err != nil {
		return err
	}
	ready := time.Now()
	profiled := make(chan error, 1)
	go func() {
		profiled <- s.saveProfile(ctx, o.profile, p.name+"-return-cpu", "/debug/pprof/profile?seconds=10")
	}()
	err := errors.Join(c.await(ctx, returnTime), <-profiled)
	if err != nil {
		return err
	}
	took := c.returned(killed)
	used, err := target.ReadUsage(s.Process.PID)
	if err != nil {
		return err
	}
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() }
	all := killed.Add(took[len(took)-1])
	fmt.Printf("  after kill -9 (the server is ready again after %.1f s): half are back after %.1f s, 99 %% after %.1f s, all after %.1f s\n",
		ready.Sub(killed).Seconds(), at(0.5), at(0.99), at(1))
	fmt.Printf("  %.1f attempts per tab, %.0f µs of processor per tab that is back\n",
		float64(c.attempts.Load())/float64(len(c.tabs)), float64(used.Total.Microseconds())/float64(len(c.tabs)))
	both := pair.back()
	fmt.Printf("  the two are back after %.1f s; a message of one to the other from then on, until all are back: %s\n",
		both.Sub(killed).Seconds(), pair.felt(both, all))
	return s.printRefused(ctx)
}

// printRefused prints what the server has refused since it was started.
func (s *site) printRefused(ctx context.Context) error {
	all, err := s.metrics(ctx)
	if err != nil {
		return err
	}
	var refused []string
	for name, n := range all {
		if n > 0 && (strings.HasPrefix(name, "carillon_limited_total") || strings.HasPrefix(name, "carillon_closes_total")) {
			refused = append(refused, fmt.Sprintf("%s %.0f", name, n))
		}
	}
	slices.Sort(refused)
	if len(refused) == 0 {
		refused = []string{"nothing"}
	}
	fmt.Printf("  refused: %s\n", strings.Join(refused, ", "))
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// pair is two people who write to each other all the time.
type pair struct {
	from, to idler

	mu   sync.Mutex
	sent map[string]time.Time // messages on their way, by text
	took []delivered
}

// delivered is a message that has come.
type delivered struct {
	sent time.Time
	took time.Duration
}

// talkEvery is the time between two messages.
const talkEvery = 50 * time.Millisecond

// openPair opens a tab for each; n is from which address on they come.
func (s *site) openPair(ctx context.Context, n int) (*pair, error) {
	p := &pair{sent: map[string]time.Time{}}
	if err := s.openTab(ctx, &p.from, "alice", n, func(*client.Options) {}); err != nil {
		return nil, err
	}
	if err := s.openTab(ctx, &p.to, "bob", n+1, func(o *client.Options) { o.Change = p.came }); err != nil {
		p.from.Close()
		return nil, err
	}
	return p, nil
}

// back is since when both are synced.
func (p *pair) back() time.Time {
	from, to := p.from.syncedAt(), p.to.syncedAt()
	if from.After(to) {
		return from
	}
	return to
}

func (p *pair) close() {
	p.from.Close()
	p.to.Close()
}

// talk writes at a steady pace, until the returned function is called.
func (p *pair) talk(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var writing sync.WaitGroup
	writing.Go(func() {
		tick := time.NewTicker(talkEvery)
		defer tick.Stop()
		for n := 0; ; n++ {
			text := fmt.Sprint("message ", n)
			p.mu.Lock()
			p.sent[text] = time.Now()
			p.mu.Unlock()
			writing.Go(func() { _, _ = p.from.Send(ctx, wire.MessageSend{To: "bob", Text: text}) }) // until it is stored, or all ends
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		writing.Wait()
	}
}

// came notes that the other has a message.
func (p *pair) came(c wire.Change) {
	text, ok := textOf(c)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, waits := p.sent[text]; waits {
		delete(p.sent, text)
		p.took = append(p.took, delivered{at, time.Since(at)})
	}
}

func (p *pair) rate() float64 { return float64(time.Second) / float64(talkEvery) }

// felt says how long messages took that were sent within a time.
func (p *pair) felt(from, until time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var took []time.Duration
	for _, d := range p.took {
		if d.sent.After(from) && d.sent.Before(until) {
			took = append(took, d.took)
		}
	}
	if len(took) == 0 {
		return "none came"
	}
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms, at most %.0f ms, of %d", at(0.5), at(0.99), at(1), len(took))
}
