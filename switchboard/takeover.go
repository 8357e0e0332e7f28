package switchboard

import (
	"context"
	"errors"
	"sync"
	"time"

	"carillon/bus"
	"carillon/call"
)

// sweepEvery is how long a call may be without an owner and without anybody asking, when
// its node died without a word, and how long a change may be unknown on another node that the bus
// has lost.
const sweepEvery = 5 * time.Second

// sweep looks at all live calls every few seconds, and takes over those whose owners are gone.
func (b *Board) sweep() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		b.sweepOnce()
		select {
		case <-b.done:
			return
		case <-ticker.C:
		case <-b.look:
		}
	}
}

// SweepSoon wakes the sweep: a node has just left its calls behind, or nodes have missed what others
// told them. It does not wait.
func (b *Board) SweepSoon() {
	select {
	case b.look <- struct{}{}:
	default: // it is awake already
	}
}

// sweepOnce looks at all live calls. It tells the tabs' side of this node how they are, and asks
// each owner, once, whether it is there.
func (b *Board) sweepOnce() {
	ctx, cancel := b.timeout(requestTime)
	defer cancel()
	all, err := b.store.AllLive(ctx)
	if err != nil {
		if b.requests.Err() == nil {
			b.log.Error("look at live calls", "err", err)
		}
		return
	}
	b.tabs.LiveCalls(all)
	there := map[string]bool{b.node: true}
	for _, c := range all {
		owned, known := there[c.Owner]
		if !known {
			owned = !b.gone(ctx, c.Owner)
			there[c.Owner] = owned
		}
		if owned {
			continue
		}
		_, _, err := b.do(ctx, c.ID, callRequest{Fact: call.Fact{Kind: call.Tick}})
		if b.requests.Err() != nil {
			return // the Board closes: they are for others to take over
		}
		if err != nil {
			b.log.Warn("take call over", "call", c.ID, "err", err)
		}
	}
}

// goneAfter is how long a node may be without the bus before its calls are taken over. When the
// server that it was connected to dies, it has another one at once.
const goneAfter = 300 * time.Millisecond

// gone reports whether a node has left, or does not answer now and a moment later either. What it
// owns may be taken over. When the bus cannot tell, it has not gone.
func (b *Board) gone(ctx context.Context, node string) bool {
	switch {
	case node == b.node:
		return false
	case b.bus.Alone(), b.departed.has(node):
		return true
	}
	for i := range 2 {
		if i > 0 {
			select {
			case <-time.After(goneAfter):
			case <-ctx.Done():
				return false
			}
		}
		if _, err := b.bus.Request(ctx, ownerSubject(node), nil); !errors.Is(err, bus.ErrNoResponders) {
			return false
		}
	}
	b.departed.add(node)
	return true
}

// departed are nodes that have left, or were found gone lately. None comes back: each start makes
// another id.
type departed struct {
	mu    sync.Mutex
	nodes map[string]bool
}

const maxDeparted = 1000

func (d *departed) add(node string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.nodes == nil || len(d.nodes) >= maxDeparted {
		d.nodes = map[string]bool{}
	}
	d.nodes[node] = true
}

func (d *departed) has(node string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.nodes[node]
}

// ownerLeft takes it from a node that it has left its calls behind.
func (b *Board) ownerLeft(m bus.Message) {
	b.departed.add(string(m.Data))
	b.SweepSoon()
}

// ownerLeftSubject is where a node says that it has left calls behind.
const ownerLeftSubject = "owner_left"

func ownerSubject(node string) string { return "owner." + node }
