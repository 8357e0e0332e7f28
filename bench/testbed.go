package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// testBed is one target that runs and the generator with its peers, ready to be measured
// again and again.
type testBed struct {
	target      string          // its name
	process     *target.Process // nil: a server that we did not start
	pid         int             // 0: unknown, so no processor time
	serverCores int             // that the server may use
	generator   *load.Generator
	floor       *target.FloorOrder // of the floor only

	countFor   time.Duration // of the moment after each window in which instructions are counted; 0: none
	countError error         // why they cannot be counted

	memory    memory
	windows   []window
	loadCores int         // that the generator may use
	bestRate  float64     // packets per second, of the windows so far
	copies    float64     // how many subscribers should get each packet; 0: that depends on the server
	setup     *load.Setup // of the subscribers
}

// memory of a server without and with peers, in bytes.
type memory struct {
	before, after uint64
	peers         int
}

func (r *runner) newTestBed(name string, p *target.Process) *testBed {
	return &testBed{target: name, process: p, pid: p.PID, serverCores: r.serverCores(), loadCores: r.loadCores()}
}

// openTestBed starts a target, connects the peers of a group, and leaves the generator paused.
func (r *runner) openTestBed(ctx context.Context, g group, t target.Spec) (*testBed, error) {
	b := &testBed{target: t.Name, pid: t.PID, serverCores: r.serverCores(), loadCores: r.loadCores()}
	signal := load.WHIP{Publish: t.WHIP, Watch: t.WHEP, Token: t.Token}
	if !t.BuiltIn {
		b.serverCores = r.report.Machine.Cores // we cannot pin it
		if b.pid == 0 {
			b.pid = target.ListenerOf(t.WHIP)
		}
	}
	if t.BuiltIn {
		var err error
		if b.process, err = target.Start(ctx, t.Name, append(slices.Clone(r.options.Command), t.Name), r.cores.server); err != nil {
			return nil, err
		}
		b.pid, t.Relays = b.process.PID, b.process.Ready.Relays
		signal.Publish, signal.Watch = b.process.Ready.URL+"/whip/bench", b.process.Ready.URL+"/whep/bench"
	}
	path, err := pathOf(g.path, t.Relays)
	if err != nil {
		return b, err
	}
	b.generator, err = load.New(load.Config{Path: path, WHIP: signal, Certificate: r.cert, Media: g.media, Readers: r.loadCores(), Sample: r.options.Sample, Netem: r.netem})
	if err != nil {
		return b, err
	}
	if !t.BuiltIn {
		b.generator.KeepAlive()
	}
	if g.shape != report.ShapeRoom && !g.media.Simulcast && r.netem == nil {
		b.copies = float64(g.subscribers)
	}
	if err := b.connectPeers(ctx, g, r.options.Slots); err != nil {
		return b, errors.Join(b.targetDied(), fmt.Errorf("target %s: %w", t.Name, err))
	}
	return b, nil
}

// connectPeers connects the peers; the server's memory is read before and after.
func (b *testBed) connectPeers(ctx context.Context, g group, slots int) error {
	if g.shape == report.ShapeRoom {
		b.memory.before = target.ResidentMemory(b.pid)
		b.generator.Run()
		defer b.generator.Pause()
		if err := b.generator.AddMembers(ctx, g.subscribers, slots); err != nil {
			return err
		}
		// Each has its first video when others have come. A peer that has none by then will be
		// counted as starved.
		waitFor(ctx, firstMediaTimeout, b.generator.AllHaveMedia)
		b.memory.after, b.memory.peers = target.ResidentMemory(b.pid), g.subscribers
		return nil
	}
	if err := b.generator.AddPublishers(ctx, 1); err != nil {
		return err
	}
	// A server may wait for media before it lets anyone subscribe. The time to the first media
	// is part of the set-up that is reported. But a server that sends hundreds of streams
	// meanwhile takes new peers slowly, and that is not what is measured here, so after the
	// first hundred the others come while nothing is sent.
	b.generator.Run()
	defer b.generator.Pause()
	if err := b.sleep(ctx, firstMediaTime); err != nil {
		return err
	}
	b.memory.before = target.ResidentMemory(b.pid)
	early := min(g.subscribers, withMedia)
	if err := b.addFirstSubscriber(ctx); err != nil {
		return err
	}
	if err := b.generator.AddSubscribers(ctx, early-1); err != nil {
		return err
	}
	if err := b.sleep(ctx, firstMediaTime); err != nil {
		return err
	}
	b.generator.Pause()
	b.generator.Silence()
	if err := b.generator.AddSubscribers(ctx, g.subscribers-early); err != nil {
		return err
	}
	b.memory.after, b.memory.peers = target.ResidentMemory(b.pid), g.subscribers
	return nil
}

// addFirstSubscriber tries again while the server says that nobody publishes yet: some
// servers announce a stream only when media of all its tracks has come.
func (b *testBed) addFirstSubscriber(ctx context.Context) error {
	for until := time.Now().Add(firstMediaTimeout); ; {
		err := b.generator.AddSubscribers(ctx, 1)
		refused, ok := errors.AsType[*load.RefusedOffer](err)
		if !ok || !refused.Early() || time.Now().After(until) {
			return err
		}
		if err := b.sleep(ctx, firstMediaTime); err != nil {
			return err
		}
	}
}

const (
	// firstMediaTime is how long a server has for its first packets.
	firstMediaTime = 150 * time.Millisecond
	// firstMediaTimeout is how long the members of a room may take to have media, or a server
	// to accept the first subscriber.
	firstMediaTimeout = 3 * time.Second
)

// withMedia is how many subscribers connect while media is sent.
const withMedia = 100

func (r *runner) serverCores() int {
	if len(r.cores.server) > 0 {
		return len(r.cores.server)
	}
	return r.report.Machine.Cores
}

func (r *runner) loadCores() int {
	if len(r.cores.load) > 0 {
		return len(r.cores.load)
	}
	return r.report.Machine.Cores
}

// targetDied is the error that the target has ended; nil: it lives, as far as we know.
func (b *testBed) targetDied() error {
	if b.process == nil {
		if b.pid != 0 && syscall.Kill(b.pid, 0) == syscall.ESRCH {
			return fmt.Errorf("target %s died while it was measured", b.target)
		}
		return nil
	}
	if err := b.process.Died(); err != nil {
		return fmt.Errorf("target %s died while it was measured: %w", b.target, err)
	}
	return nil
}

// sleep ends early when the target dies.
func (b *testBed) sleep(ctx context.Context, d time.Duration) error {
	var exited chan struct{}
	if b.process != nil {
		exited = b.process.Exited
	}
	select {
	case <-time.After(d):
		return nil
	case <-exited:
		return b.targetDied()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close ends the generator, then the target.
func (b *testBed) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	var err error
	if b.process != nil && b.floor == nil && b.generator != nil {
		// The process ends with all its peers, so there is no need to let each one leave first.
		b.process.Stop()
		b.generator.Forget()
	}
	if b.generator != nil {
		err = b.generator.Close(ctx)
	}
	if b.process != nil {
		b.process.Stop()
	}
	return err
}
