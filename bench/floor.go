package bench

import (
	"context"
	"errors"
	"slices"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// addFloorPeers adds a publisher and subscribers with keys that the floor knows, and returns
// the order that lets it forward from the one to the others.
func addFloorPeers(ctx context.Context, p *target.Process, g *load.Generator, subscribers int) (*target.FloorOrder, error) {
	address, err := p.Floor(ctx, target.FloorOrder{})
	if err != nil {
		return nil, err
	}
	order := &target.FloorOrder{}
	if order.Publisher, err = g.AddKeyedPublisher(address, keysOf(0)); err != nil {
		return nil, err
	}
	for i := range subscribers {
		at, err := g.AddKeyedSubscriber(address, keysOf(i+1))
		if err != nil {
			return nil, err
		}
		order.Subscribers = append(order.Subscribers, at)
	}
	return order, nil
}

// keysOf a side of the floor: 0 is the publisher, subscribers count from 1.
func keysOf(side int) load.Keys {
	key, salt := target.FloorKey(side)
	return load.Keys{Key: key, Salt: salt}
}

// openFloor starts the floor for a group, with as many packets to forward as its targets have.
func (r *runner) openFloor(ctx context.Context, g group) (*testBed, error) {
	p, err := target.Start(ctx, target.Floor, append(slices.Clone(r.options.Command), target.Floor), r.cores.server)
	if err != nil {
		return nil, err
	}
	b := r.newTestBed(target.Floor, p)
	n := g.subscribers
	if g.shape == report.ShapeRoom { // the same number of packets: each member sees so many others
		n = g.subscribers * min(r.options.Slots, g.subscribers-1)
	}
	if b.generator, err = load.New(load.Config{Media: g.media, Readers: r.loadCores(), Sample: r.options.Sample}); err != nil {
		return nil, errors.Join(err, b.close())
	}
	if b.floor, err = addFloorPeers(ctx, p, b.generator, n); err != nil {
		return nil, errors.Join(err, b.close())
	}
	b.copies = float64(n)
	return b, nil
}

// setFloor says how the floor sends from now on.
func (b *testBed) setFloor(ctx context.Context, mode target.FloorMode) error {
	order := *b.floor
	order.Mode = mode
	if _, err := b.process.Floor(ctx, order); err != nil {
		return errors.Join(b.targetDied(), err)
	}
	return nil
}
