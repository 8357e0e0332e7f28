package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// open starts a target, connects its load, and leaves it paused.
func (r *runner) open(ctx context.Context, g group, t targetSpec) (*bed, error) {
	b := &bed{target: t.name, pid: t.pid, cores: r.serverCores(), generator: r.loadCores()}
	signal := whipSignaler{whip: t.whip, whep: t.whep, token: t.token}
	if !t.builtin {
		b.cores = r.report.Machine.Cores // we cannot pin it
		if b.pid == 0 {
			b.pid = listenerOf(t.whip)
		}
	}
	if t.builtin {
		var err error
		if b.proc, err = startProcess(ctx, t.name, append(slices.Clone(r.options.Command), t.name), r.pin.server); err != nil {
			return nil, err
		}
		b.pid, t.relays = b.proc.pid, b.proc.ready.Relays
		signal.whip, signal.whep = b.proc.ready.URL+"/whip/bench", b.proc.ready.URL+"/whep/bench"
	}
	h, err := newHub(r.loadCores(), r.options.Sample, r.netem)
	if err != nil {
		return b, err
	}
	via, err := pathOf(g.path, t.relays)
	if err != nil {
		return b, errors.Join(err, h.close())
	}
	b.load = newLoad(h, via, signal, r.cert, g.media)
	b.load.pacer.murmurs.Store(!t.builtin)
	if g.shape != ShapeRoom && !g.media.Simulcast && r.netem == nil {
		b.copies = float64(g.subscribers)
	}
	if err := b.populate(ctx, g, r.options.Slots); err != nil {
		return b, errors.Join(b.gone(), fmt.Errorf("target %s: %w", t.name, err))
	}
	return b, nil
}

// populate connects the peers; the server's memory is read before and after.
func (b *bed) populate(ctx context.Context, g group, slots int) error {
	if g.shape == ShapeRoom {
		b.memory.rest = residentMemory(b.pid)
		b.load.pacer.run()
		defer b.load.pacer.pause()
		if err := b.load.addMembers(ctx, g.subscribers, slots); err != nil {
			return err
		}
		// Each sees its first picture when others have come; who sees none is starved later.
		waitFor(ctx, firstMediaMost, b.load.allSee)
		b.memory.loaded, b.memory.peers = residentMemory(b.pid), g.subscribers
		return nil
	}
	if err := b.load.addPublishers(ctx, 1); err != nil {
		return err
	}
	// A server may wait for media before it lets anyone watch. The time to the first
	// media belongs to the set-up; but hundreds of streams on the way would measure how a
	// busy server takes newcomers, so the others come in silence.
	b.load.pacer.run()
	defer b.load.pacer.pause()
	if err := b.sleep(ctx, firstMedia); err != nil {
		return err
	}
	b.memory.rest = residentMemory(b.pid)
	early := min(g.subscribers, setupWithMedia)
	if err := b.firstWatcher(ctx); err != nil {
		return err
	}
	if err := b.load.addWatchers(ctx, early-1); err != nil {
		return err
	}
	if err := b.sleep(ctx, firstMedia); err != nil {
		return err
	}
	b.load.pacer.pause()
	b.load.inSilence = true
	if err := b.load.addWatchers(ctx, g.subscribers-early); err != nil {
		return err
	}
	b.memory.loaded, b.memory.peers = residentMemory(b.pid), g.subscribers
	return nil
}

// firstWatcher comes again while the server says that nobody publishes yet: some announce
// a stream only when they have seen all its tracks.
func (b *bed) firstWatcher(ctx context.Context) error {
	for until := time.Now().Add(firstMediaMost); ; {
		err := b.load.addWatchers(ctx, 1)
		refused, ok := errors.AsType[*refusedOffer](err)
		if !ok || !refused.early() || time.Now().After(until) {
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

func (r *runner) openFloor(ctx context.Context, g group) (*bed, error) {
	p, err := startProcess(ctx, targetFloor, append(slices.Clone(r.options.Command), targetFloor), r.pin.server)
	if err != nil {
		return nil, err
	}
	h, err := newHub(r.loadCores(), r.options.Sample, nil)
	if err != nil {
		p.stop()
		return nil, err
	}
	b := &bed{target: targetFloor, proc: p, pid: p.pid, cores: r.serverCores(), generator: r.loadCores()}
	n := g.subscribers
	if g.shape == ShapeRoom { // the same number of packets: everyone sees so many others
		n = g.subscribers * min(r.options.Slots, g.subscribers-1)
	}
	if b.load, b.floor, err = newFloorLoad(ctx, p, h, g.media, n); err != nil {
		p.stop()
		return nil, errors.Join(err, h.close())
	}
	b.copies = float64(n)
	return b, nil
}

// setFloor says how the floor sends from now on.
func (b *bed) setFloor(ctx context.Context, mode floorMode) error {
	order := *b.floor
	order.Mode = mode
	if err := b.proc.call(ctx, http.MethodPost, "/floor", order, nil); err != nil {
		return errors.Join(b.gone(), err)
	}
	return nil
}

func pathOf(name string, through relays) (path, error) {
	switch name {
	case PathUDP, PathReliable, PathLossy:
		return directUDP{}, nil
	case PathTCP:
		return directTCP{}, nil
	}
	if relay, ok := through[name]; ok {
		return viaTURN{name: name, relay: relay}, nil
	}
	return nil, fmt.Errorf("this target has no path %s", name)
}

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
