package bench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"
)

// selfTakes is how long measureSelf takes.
const selfTakes = 5 * time.Second

// measureSelf finds the generator's own error and ceiling, before it judges others.
func (r *runner) measureSelf(ctx context.Context) error {
	r.steps.begin("the generator itself", selfTakes)
	r.steps.detail("its latency error")
	var err error
	if r.report.Generator.ErrorUS, err = r.latencyError(ctx); err != nil {
		return err
	}
	for _, sample := range []int{1, 8} {
		r.steps.detail("its ceiling")
		rate, err := r.ceiling(ctx, sample)
		if err != nil {
			return err
		}
		if sample == 1 {
			r.report.Generator.Ceiling = rate
		} else {
			r.report.Generator.CeilingSampled = rate
		}
	}
	return nil
}

// latencyError is what we would report for a server that takes no time: a publisher
// that sends to one of our own subscribers.
func (r *runner) latencyError(ctx context.Context) (Quantiles, error) {
	h, err := newHub(1, 1, nil)
	if err != nil {
		return Quantiles{}, err
	}
	m := r.options.Media
	l := newLoad(h, directUDP{}, nil, r.cert, m)
	defer l.close(ctx)
	// Both ends have side 0's keys, so what one seals the other opens.
	listener, err := l.floorPeer(loopbackPort(h), 0)
	if err != nil {
		return Quantiles{}, err
	}
	publisher, err := l.floorPeer(listener.wire.local(), 0)
	if err != nil {
		return Quantiles{}, err
	}
	s := newSource(m)
	s.lines()
	if err := s.beginFloor(publisher); err != nil {
		return Quantiles{}, err
	}
	l.pacer.add(s)
	b := &bed{target: "the generator itself", load: l, cores: 1, generator: r.loadCores()}
	w, err := b.measure(ctx, time.Second)
	if err != nil {
		return Quantiles{}, err
	}
	q := inMilliseconds(w.latency)
	return Quantiles{q.P50 * 1000, q.P99 * 1000, q.P999 * 1000}, nil
}

// ceilingPeers is the fan-out at which the ceiling is found.
const ceilingPeers = 200

// ceiling floods us and counts what we can take in, per second of one core.
func (r *runner) ceiling(ctx context.Context, sample int) (_ float64, err error) {
	options := r.options
	options.Sample = sample
	one := *r
	one.options = options
	b, err := one.openFloor(ctx, group{path: PathUDP, shape: ShapeFanOut, subscribers: ceilingPeers, media: r.options.Media})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.setFloor(ctx, floorFlood); err != nil {
		return 0, err
	}
	if err := b.sleep(ctx, settle); err != nil {
		return 0, err
	}
	b.load.hub.take()
	before, err := readUsage(os.Getpid())
	if err != nil {
		return 0, err
	}
	if err := b.sleep(ctx, time.Second); err != nil {
		return 0, err
	}
	c, _ := b.load.hub.take()
	after, err := readUsage(os.Getpid())
	if err != nil {
		return 0, err
	}
	if c.packets == 0 {
		return 0, fmt.Errorf("nothing of the flood arrived")
	}
	if sample == 1 && c.bad > c.packets/10 {
		return 0, fmt.Errorf("%d of %d packets of the flood could not be decrypted", c.bad, c.packets)
	}
	return float64(c.packets) / (after.total - before.total).Seconds(), nil
}

func loopbackPort(h *hub) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), h.shared[0].port)
}
