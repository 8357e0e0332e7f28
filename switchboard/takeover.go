package switchboard

import (
	"context"
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

func (b *Board) sweepSoon() {
	select {
	case b.ownerLeft <- struct{}{}:
	default: // it will look anyway
	}
}

func (b *Board) sweepOnce() {
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	records, err := b.store.AllLive(ctx)
	if err != nil {
		b.log.Error("look for calls without an owner", "err", err)
		return
	}
	lives := map[string]bool{b.node: true}
	for _, r := range records {
		owner, known := lives[r.Owner]
		if !known {
			_, err := b.bus.Request(ctx, ownerSubject(r.Owner), nil)
			owner = !errors.Is(err, bus.ErrNoResponders)
			lives[r.Owner] = owner
		}
		if owner {
			continue
		}
		if _, _, err := b.do(ctx, r.ID, callRequest{Fact: call.Fact{Kind: call.Tick}}); err != nil {
			b.log.Warn("take call over", "call", r.ID, "err", err)
		}
	}
}

// ownerLeftSubject is where a node says that it has left calls behind.
const ownerLeftSubject = "owner_left"

func ownerSubject(node string) string { return "owner." + node }
