package switchboard

import (
	"errors"
	"time"

	"carillon/bus"
	"carillon/call"
)

// sweepEvery is how long a call may be without an owner and without anybody asking, when
// its node died without a word.
const sweepEvery = 5 * time.Second

// sweep takes over the calls whose owners are gone.
func (b *Board) sweep() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		b.sweepOnce()
		select {
		case <-b.done:
			return
		case <-ticker.C:
		case <-b.ownerLeft:
		}
	}
}

// sweepSoon wakes the sweep: a node has just left its calls behind.
func (b *Board) sweepSoon() {
	select {
	case b.ownerLeft <- struct{}{}:
	default: // it is awake already
	}
}

// sweepOnce asks each owner of a live call, once, whether it is there.
func (b *Board) sweepOnce() {
	ctx, cancel := b.timeout(requestTime)
	defer cancel()
	records, err := b.store.AllLive(ctx)
	if err != nil && b.requests.Err() == nil {
		b.log.Error("look for calls without an owner", "err", err)
	}
	there := map[string]bool{b.node: true}
	for _, r := range records {
		owned, known := there[r.Owner]
		if !known {
			_, err := b.bus.Request(ctx, ownerSubject(r.Owner), nil)
			owned = !errors.Is(err, bus.ErrNoResponders)
			there[r.Owner] = owned
		}
		if owned {
			continue
		}
		_, _, err := b.do(ctx, r.ID, callRequest{Fact: call.Fact{Kind: call.Tick}})
		if b.requests.Err() != nil {
			return // the Board closes: they are for others to take over
		}
		if err != nil {
			b.log.Warn("take call over", "call", r.ID, "err", err)
		}
	}
}

// ownerLeftSubject is where a node says that it has left calls behind.
const ownerLeftSubject = "owner_left"

func ownerSubject(node string) string { return "owner." + node }
