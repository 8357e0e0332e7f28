package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// open starts a target, connects its load, and leaves it paused.
func (r *runner) open(ctx context.Context, g group, t target.Spec) (*bed, error) {
	b := &bed{target: t.Name, pid: t.PID, cores: r.serverCores(), generator: r.loadCores()}
	signal := load.WHIP{Publish: t.WHIP, Watch: t.WHEP, Token: t.Token}
	if !t.BuiltIn {
		b.cores = r.report.Machine.Cores // we cannot pin it
		if b.pid == 0 {
			b.pid = target.ListenerOf(t.WHIP)
		}
	}
	if t.BuiltIn {
		var err error
		if b.proc, err = target.Start(ctx, t.Name, append(slices.Clone(r.options.Command), t.Name), r.pin.server); err != nil {
			return nil, err
		}
		b.pid, t.Relays = b.proc.PID, b.proc.Ready.Relays
		signal.Publish, signal.Watch = b.proc.Ready.URL+"/whip/bench", b.proc.Ready.URL+"/whep/bench"
	}
	way, err := pathOf(g.path, t.Relays)
	if err != nil {
		return b, err
	}
	b.load, err = load.New(load.Config{Path: way, WHIP: signal, Certificate: r.cert, Media: g.media, Readers: r.loadCores(), Sample: r.options.Sample, Netem: r.netem})
	if err != nil {
		return b, err
	}
	if !t.BuiltIn {
		b.load.Murmur()
	}
	if g.shape != report.ShapeRoom && !g.media.Simulcast && r.netem == nil {
		b.copies = float64(g.subscribers)
	}
	if err := b.populate(ctx, g, r.options.Slots); err != nil {
		return b, errors.Join(b.gone(), fmt.Errorf("target %s: %w", t.Name, err))
	}
	return b, nil
}

// populate connects the peers; the server's memory is read before and after.
func (b *bed) populate(ctx context.Context, g group, slots int) error {
	if g.shape == report.ShapeRoom {
		b.memory.rest = target.ResidentMemory(b.pid)
		b.load.Run()
		defer b.load.Pause()
		if err := b.load.AddMembers(ctx, g.subscribers, slots); err != nil {
			return err
		}
		// Each sees its first picture when others have come; who sees none is starved later.
		waitFor(ctx, firstMediaMost, b.load.AllHaveMedia)
		b.memory.loaded, b.memory.peers = target.ResidentMemory(b.pid), g.subscribers
		return nil
	}
	if err := b.load.AddPublishers(ctx, 1); err != nil {
		return err
	}
	// A server may wait for media before it lets anyone watch. The time to the first
	// media belongs to the set-up; but hundreds of streams on the way would measure how a
	// busy server takes newcomers, so the others come in silence.
	b.load.Run()
	defer b.load.Pause()
	if err := b.sleep(ctx, firstMedia); err != nil {
		return err
	}
	b.memory.rest = target.ResidentMemory(b.pid)
	early := min(g.subscribers, setupWithMedia)
	if err := b.firstWatcher(ctx); err != nil {
		return err
	}
	if err := b.load.AddSubscribers(ctx, early-1); err != nil {
		return err
	}
	if err := b.sleep(ctx, firstMedia); err != nil {
		return err
	}
	b.load.Pause()
	b.load.Silence()
	if err := b.load.AddSubscribers(ctx, g.subscribers-early); err != nil {
		return err
	}
	b.memory.loaded, b.memory.peers = target.ResidentMemory(b.pid), g.subscribers
	return nil
}

// firstWatcher comes again while the server says that nobody publishes yet: some announce
// a stream only when they have seen all its tracks.
func (b *bed) firstWatcher(ctx context.Context) error {
	for until := time.Now().Add(firstMediaMost); ; {
		err := b.load.AddSubscribers(ctx, 1)
		refused, ok := errors.AsType[*load.RefusedOffer](err)
		if !ok || !refused.Early() || time.Now().After(until) {
			return err
		}
		if err := b.sleep(ctx, firstMedia); err != nil {
			return err
		}
	}
}

// firstMedia is how long a server has until its first packets count as on their way;
// firstMediaMost, how long the members of a room may take to see somebody, or a server to
// let the first watcher in.
const (
	firstMedia     = 150 * time.Millisecond
	firstMediaMost = 3 * time.Second
)

// setupWithMedia is how many subscribers come while media flows.
const setupWithMedia = 100

func (r *runner) serverCores() int {
	if len(r.pin.server) > 0 {
		return len(r.pin.server)
	}
	return r.report.Machine.Cores
}

func (r *runner) loadCores() int {
	if len(r.pin.load) > 0 {
		return len(r.pin.load)
	}
	return r.report.Machine.Cores
}
