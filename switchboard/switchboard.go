// Package switchboard is what a node does with calls: it lets what tabs ask happen to
// calls, wherever those are owned, runs the machines of the calls that this node owns, and
// lets media follow them.
//
//	tab ─ Board ─ do ─┬─ owner on this node ─ call machine ─ store
//	                  ├─ bus, call.<id>: owner on another node
//	                  └─ nobody owns it: claim, then as the first
//
// A call's owner is one goroutine: it stores each transition before anybody hears of it.
// The call's room on the SFU is on the owner's node and follows the machine, never the
// other way round: a leg that the call does not have gets no media.
package switchboard

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/bus"
	"carillon/call"
	"carillon/chat"
	"carillon/limit"
	"carillon/settings"
	"carillon/wire"
)

// Deps are the parts that a Board joins together.
type Deps struct {
	Store   Store
	Chat    *chat.Service // decides who may call whom
	Bus     *bus.Bus
	Door    *Door
	Config  call.Config
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: not registered
}

// Board is the switchboard of a node. It is safe for concurrent use. Close it after the
// tabs have gone.
type Board struct {
	// Fixed at construction.
	node          string // new with every start
	store         Store
	chat          *chat.Service
	bus           *bus.Bus
	owners        *owners
	door          *Door
	limits        limits
	participants  int // that a call may have
	log           *slog.Logger
	subscriptions []*bus.Subscription
	look          chan struct{} // holds one: sweep at once
	departed      departed
	done          chan struct{} // closed when the Board begins to close

	// requests is the parent of the contexts of what nobody else's context bounds. It ends
	// when there are no owners any more to ask.
	requests context.Context
	abandon  context.CancelFunc

	tabs Tabs // set by Open, before anybody asks

	closing sync.Once
	work    sync.WaitGroup // added to under mu while not closed

	mu     sync.Mutex
	rooms  map[string]*room // of the calls that are owned here
	closed bool
}

// New makes a Board, which does nothing before Open.
func New(deps Deps) *Board {
	cfg := settings.Fill(deps.Config, call.Defaults())
	b := &Board{
		node: rand.Text(), store: deps.Store, chat: deps.Chat, bus: deps.Bus, door: deps.Door,
		limits: newLimits(cfg), participants: cfg.Participants, log: deps.Log,
		rooms: map[string]*room{}, look: make(chan struct{}, 1), done: make(chan struct{}),
	}
	limit.Register(deps.Metrics, b.limits.counts()...)
	b.requests, b.abandon = context.WithCancel(context.Background())
	b.owners = newOwners(deps.Store, deps.Config, b.node, b.openRoom, b.tellCall, b.log, deps.Metrics)
	return b
}

// Open lets calls reach tabs, and begins at once to take over calls whose owners are gone.
func (b *Board) Open(tabs Tabs) error {
	b.tabs = tabs
	for subject, handle := range map[string]func(bus.Message){
		ownerSubject(b.node): func(m bus.Message) { _ = m.Reply(nil) }, // others ask whether this node lives
		ownerLeftSubject:     b.ownerLeft,
	} {
		sub, err := b.bus.Subscribe(subject, handle)
		if err != nil {
			b.unsubscribe()
			return fmt.Errorf("open switchboard: %w", err)
		}
		b.subscriptions = append(b.subscriptions, sub)
	}
	b.run(b.sweep)
	b.run(b.keepLease)
	return nil
}

// Close leaves the calls to other nodes, or to this one's successor, and waits until
// their peers are closed. It may be called twice; the Board is of no use afterwards.
func (b *Board) Close() {
	b.closing.Do(func() {
		b.mu.Lock()
		b.closed = true
		b.mu.Unlock()
		close(b.done)
		b.unsubscribe()
		b.owners.Close()
		b.bus.Publish(ownerLeftSubject, []byte(b.node)) // who does not hear it looks sooner or later
		b.abandon()
		b.work.Wait()
		b.endLease()
	})
}

// tellCall tells the tabs of a participant.
func (b *Board) tellCall(user string, c wire.CallChange) { b.tabs.TellCall(user, c) }

func (b *Board) unsubscribe() {
	for _, sub := range b.subscriptions {
		sub.Close()
	}
}

// timeout makes the context of what is to be done within d.
func (b *Board) timeout(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.requests, d)
}

// run runs f in a goroutine that Close waits for; not at all once the Board is closed.
func (b *Board) run(f func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.work.Go(f)
	return true
}
