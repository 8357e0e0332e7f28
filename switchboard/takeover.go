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

// sweepOnce looks at all live calls. It tells the tabs' side of this node how they are, gives those up
// that were taken over from this node, and asks each owner, once, whether it is there.
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
	b.giveUpLost(ctx, all)
	there := map[string]bool{b.node: true}
	for _, c := range all {
		owned, known := there[c.Owner]
		if !known {
			owned = b.whereabouts(ctx, c.Owner) != gone
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

// goneAfter is how long a node may be without the bus before it counts as away. When the server that
// it was connected to dies, it has another one at once.
const goneAfter = 300 * time.Millisecond

// whereabouts of a node that owns calls.
type whereabouts int

const (
	here whereabouts = iota // it answers, or the bus cannot tell: what it owns is its own
	away                    // it does not answer, but it lives: it is without the bus, and the calls that it owns go on
	gone                    // it has left, or neither answers nor renews its lease: what it owns may be taken over
)

// whereabouts asks for a node twice, with a moment between.
func (b *Board) whereabouts(ctx context.Context, node string) whereabouts {
	switch {
	case node == b.node:
		return here
	case b.bus.Alone(), b.departed.has(node):
		return gone
	}
	for i := range 2 {
		if i > 0 {
			select {
			case <-time.After(goneAfter):
			case <-ctx.Done():
				return here
			}
		}
		if _, err := b.bus.Request(ctx, ownerSubject(node), nil); !errors.Is(err, bus.ErrNoResponders) {
			return here
		}
	}
	lives, err := b.store.NodeLives(ctx, node)
	switch {
	case err != nil:
		if ctx.Err() == nil {
			b.log.Warn("look whether a node lives", "node", node, "err", err)
		}
		return away
	case lives:
		return away
	}
	b.departed.add(node, time.Now().Add(departedTime))
	return gone
}

// departed are nodes that have left, or were found gone, lately. One that has left never comes back, for
// each start makes another id. One that was found gone may only have been cut off.
type departed struct {
	mu    sync.Mutex
	until map[string]time.Time // for how long to believe it
}

const (
	maxDeparted = 1000
	// departedTime is how long a node is believed to be gone that has not said so: for all its calls
	// it is looked for once.
	departedTime = sweepEvery
	// leftTime is how long a node that has left is remembered. What it had is taken over by then.
	leftTime = time.Hour
)

func (d *departed) add(node string, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == nil || len(d.until) >= maxDeparted {
		d.until = map[string]time.Time{}
	}
	d.until[node] = until
}

func (d *departed) has(node string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Before(d.until[node])
}

// ownerLeft takes it from a node that it has left its calls behind.
func (b *Board) ownerLeft(m bus.Message) {
	b.departed.add(string(m.Data), time.Now().Add(leftTime))
	b.SweepSoon()
}

// ownerLeftSubject is where a node says that it has left calls behind.
const ownerLeftSubject = "owner_left"

func ownerSubject(node string) string { return "owner." + node }
