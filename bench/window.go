package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// bed is one target with its load, alive and ready to be measured again and again.
type bed struct {
	target string
	proc   *target.Process // nil: a server that is not ours
	pid    int             // 0: unknown, so no processor time
	cores  int             // that the server may use
	load   *load.Generator
	floor  *target.FloorOrder // of the floor only

	counted   time.Duration // of the moment after each window in which instructions are counted; 0: none
	uncounted error         // why they cannot be counted

	memory    memory
	windows   []window
	generator int         // cores of ours
	best      float64     // packets per second, of the windows so far
	copies    float64     // how many subscribers should get each packet; 0: that depends on the server
	setup     *load.Setup // of the subscribers
}

type memory struct {
	rest, loaded uint64
	peers        int
}

// window is what was seen in one stretch of time.
type window struct {
	length  time.Duration
	counts  load.Counts
	latency *load.Histogram
	late    load.Histogram
	sent    uint64
	starved int
	owed    float64 // packets that all subscribers together should have got; 0: unknown

	spent
	instructions float64 // of the server, per packet, in a moment of its own; 0: unknown
	jitter       report.Spread
	limited      string
}

// spent is what a stretch of time took.
type spent struct {
	server, self target.Usage
	stolen       time.Duration
	runtime      target.Runtime
}

// A load runs for at least settle before a window begins: the first key frame, the
// server's estimate, caches. It may take up to settleMost until the packets come at
// nearly the rate that was seen before, and does so before the first window.
const (
	settle     = 150 * time.Millisecond
	settleMost = 1200 * time.Millisecond
	settleStep = 100 * time.Millisecond
)

// measure lets the load run, waits until it has settled, and looks for length.
func (b *bed) measure(ctx context.Context, length time.Duration) (w window, err error) {
	b.load.Run()
	defer b.load.Pause()
	if err := b.settle(ctx); err != nil {
		return w, err
	}
	w.spent, err = b.spend(ctx, func() error {
		b.load.Received()
		b.load.Sent()
		b.load.Starved()
		began := time.Now()
		if err := b.sleep(ctx, length); err != nil {
			return err
		}
		w.counts, w.latency = b.load.Received()
		w.late, w.sent = b.load.Sent()
		w.length = time.Since(began)
		return nil
	})
	if err != nil {
		return w, err
	}
	w.starved = b.load.Starved()
	w.jitter = report.SpreadOf(b.load.Jitter())
	b.best = max(b.best, w.packetRate())
	if !w.repacked() {
		w.owed = float64(w.sent) * b.copies
	}
	w.limited = judge(w, b.cores, b.generator)
	if err := b.verify(w); err != nil {
		return w, err
	}
	w.instructions, err = b.instructions(ctx)
	return w, err
}

// instructions counts what the server executes per packet that arrives; 0: that cannot be
// done. The time is taken in another moment, because counting slows a virtual machine down.
func (b *bed) instructions(ctx context.Context) (perPacket float64, err error) {
	if b.counted == 0 || b.pid == 0 || b.uncounted != nil {
		return 0, nil
	}
	c, err := target.CountInstructions(b.pid)
	if err != nil {
		b.uncounted = err
		return 0, b.gone()
	}
	defer func() { b.uncounted = errors.Join(b.uncounted, c.Close()) }()
	b.load.Received()
	if err := b.sleep(ctx, b.counted); err != nil {
		return 0, err
	}
	executed, err := c.Read()
	arrived, _ := b.load.Received()
	if err != nil || arrived.Packets == 0 {
		b.uncounted = err
		return 0, nil
	}
	return float64(executed) / float64(arrived.Packets), nil
}

func (b *bed) settle(ctx context.Context) error {
	if err := b.sleep(ctx, settle); err != nil {
		return err
	}
	for waited := settle; waited < settleMost; waited += settleStep {
		b.load.Received()
		if err := b.sleep(ctx, settleStep); err != nil {
			return err
		}
		c, _ := b.load.Received()
		if rate := float64(c.Packets) / settleStep.Seconds(); b.best > 0 && rate >= 0.85*b.best {
			return nil
		}
	}
	return nil
}

// verify tells a server that forwards nothing from one that is merely slow.
func (b *bed) verify(w window) error {
	if w.counts.Packets == 0 {
		return fmt.Errorf("target %s forwards nothing: %d packets were sent in %s and none came back", b.target, w.sent, w.length.Round(time.Millisecond))
	}
	if w.counts.Undecryptable > w.counts.Opened {
		return fmt.Errorf("target %s sends packets that cannot be decrypted (%d of %d)", b.target, w.counts.Undecryptable, w.counts.Undecryptable+w.counts.Opened)
	}
	return nil
}

// spend does something and says what it took. The target is asked about itself before
// and after, not within: its answer costs time too.
func (b *bed) spend(ctx context.Context, do func() error) (s spent, err error) {
	before, err := b.ask(ctx)
	if err != nil {
		return s, err
	}
	then, err := b.look()
	if err != nil {
		return s, err
	}
	if err := do(); err != nil {
		return s, err
	}
	if s, err = b.look(); err != nil {
		return s, err
	}
	after, err := b.ask(ctx)
	if err != nil {
		return s, err
	}
	s.server, s.self, s.stolen = s.server.Since(then.server), s.self.Since(then.self), s.stolen-then.stolen
	s.runtime = after.Since(before)
	return s, nil
}

// look reads what the kernel counted so far.
func (b *bed) look() (s spent, err error) {
	if b.pid != 0 {
		if s.server, err = target.ReadUsage(b.pid); err != nil {
			return s, errors.Join(b.gone(), err)
		}
	}
	s.stolen = target.Stolen()
	s.self, err = target.ReadUsage(os.Getpid())
	return s, err
}

// ask lets a target of ours tell about itself.
func (b *bed) ask(ctx context.Context) (target.Runtime, error) {
	if b.proc == nil || b.proc.Private {
		return target.Runtime{}, nil
	}
	r, err := b.proc.Runtime(ctx)
	if err != nil {
		return r, errors.Join(b.gone(), err)
	}
	return r, nil
}

func (b *bed) gone() error {
	if b.proc == nil {
		if b.pid != 0 && syscall.Kill(b.pid, 0) == syscall.ESRCH {
			return fmt.Errorf("target %s died while it was measured", b.target)
		}
		return nil
	}
	if err := b.proc.Died(); err != nil {
		return fmt.Errorf("target %s died while it was measured: %w", b.target, err)
	}
	return nil
}

// sleep ends early when the target dies.
func (b *bed) sleep(ctx context.Context, d time.Duration) error {
	var exited chan struct{}
	if b.proc != nil {
		exited = b.proc.Exited
	}
	select {
	case <-time.After(d):
		return nil
	case <-exited:
		return b.gone()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close ends the load, then the target.
func (b *bed) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	var err error
	if b.proc != nil && b.floor == nil && b.load != nil {
		// A target of ours dies with all its peers: asking it to let each one go would only take time.
		b.proc.Stop()
		b.load.Forget()
	}
	if b.load != nil {
		err = b.load.Close(ctx)
	}
	if b.proc != nil {
		b.proc.Stop()
	}
	return err
}
