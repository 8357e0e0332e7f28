package switchboard

import (
	"context"
	"slices"
	"time"

	"carillon/call"
)

// A node that others do not find on the bus may have died, or it may be cut off while the media of its
// calls goes on. So each node has a lease in the database, which it renews again and again: as long as
// it holds, nobody takes its calls over. A node that loses both, the bus and the database, gives its
// calls up by itself; and one that was thought gone and is back gives those up that others have now. So
// two nodes never own a call for long.
const (
	// leaseTime is how long the calls of a node that was killed are out of reach.
	leaseTime  = 3 * time.Second
	renewEvery = time.Second
	// isolatedTime is how long a node may reach neither the bus nor the database before it gives up its
	// calls. Others may have them from leaseTime on; a moment without either is to end no call.
	isolatedTime = 10 * time.Second
)

// lease says whether a node may go on with its calls.
type lease struct {
	contact time.Time // when the node was last on the bus, or began to renew what was then renewed
}

// touch notes how an attempt to renew has ended that was begun at a time.
func (l *lease) touch(begun time.Time, renewed, onBus bool) {
	if renewed || onBus {
		l.contact = begun
	}
}

// over reports whether the calls of the node are to be given up: others may have them.
func (l *lease) over(now time.Time) bool { return now.Sub(l.contact) > isolatedTime }

// keepLease renews this node's lease until the Board closes.
func (b *Board) keepLease() {
	ticker := time.NewTicker(renewEvery)
	defer ticker.Stop()
	l := lease{contact: time.Now()}
	for {
		begun := time.Now()
		l.touch(begun, b.renewLease(), b.bus.Connected())
		if l.over(time.Now()) {
			b.giveUp(b.owners.all(), "neither the bus nor the database can be reached")
		}
		select {
		case <-b.done:
			return
		case <-ticker.C:
		}
	}
}

// renewLease reports whether it has. A node that is alone on its bus needs no lease: nobody else can
// take its calls over.
func (b *Board) renewLease() bool {
	if b.bus.Alone() {
		return true
	}
	ctx, cancel := b.timeout(leaseTime)
	defer cancel()
	err := b.store.KeepNode(ctx, b.node, leaseTime)
	if err != nil && b.requests.Err() == nil {
		b.log.Debug("say that this node lives", "err", err) // what is wrong with the database it says itself
	}
	return err == nil
}

// endLease lets others take over at once what this node has left.
func (b *Board) endLease() {
	if b.bus.Alone() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaseTime)
	defer cancel()
	if err := b.store.EndNode(ctx, b.node); err != nil {
		b.log.Warn("say that this node has left", "err", err)
	}
}

// giveUpLost gives up the calls that another node has now, or has ended. all are the live calls, which
// were read a moment ago.
func (b *Board) giveUpLost(ctx context.Context, all []call.Live) {
	for _, o := range b.owners.all() {
		epoch := o.epoch.Load()
		if epoch == 0 || slices.ContainsFunc(all, func(c call.Live) bool { return c.ID == o.id && c.Owner == b.node && c.Epoch == epoch }) {
			continue
		}
		// It may have begun, or ended, since they were read.
		r, err := b.store.Call(ctx, o.id)
		if err == nil && r.Epoch > epoch {
			b.giveUp([]*owner{o}, "another node has taken it over")
		}
	}
}

// giveUp ends what this node does for calls, which are not its own any more. The tabs here that have
// a leg come back to another node, unless the one that has the call now can be reached from here.
func (b *Board) giveUp(all []*owner, reason string) {
	for _, o := range all {
		b.log.Warn("give up a call", "call", o.id, "reason", reason)
		var hosts []call.Tab
		if room := b.room(o.id); room != nil {
			hosts = room.hosts()
		}
		o.end()
		if b.bus.Connected() {
			continue
		}
		for _, tab := range hosts {
			b.tabs.SendAway(tab)
		}
	}
}
