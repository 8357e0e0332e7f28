package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"carillon/bench/report"
	"carillon/bench/target"
	"carillon/call"
	"carillon/chat"
	"carillon/client"
	"carillon/refusal"
	protocol "carillon/wire"
)

// In the row of messages one user of each pair writes to the other. Each has one tab.
const (
	chatPairs = 50
	chatRate  = 500 // messages per second of all pairs
)

// messages measures text messages from one user to another: stored, acknowledged, delivered.
func (r *runner) messages(ctx context.Context) (err error) {
	tabs, err := r.startServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tabs.close()) }()
	b := r.newTestBed(target.Carillon, tabs.server.Process)
	var total tally
	var senders []*client.Client
	b.memory.before = target.ResidentMemory(b.pid)
	for i := range chatPairs {
		from, err := tabs.open(ctx, fmt.Sprintf("sender%d", i), client.Options{})
		if err != nil {
			return err
		}
		if _, err := tabs.open(ctx, fmt.Sprintf("reader%d", i), client.Options{Change: total.message}); err != nil {
			return err
		}
		senders = append(senders, from)
	}
	b.memory.after, b.memory.peers = target.ResidentMemory(b.pid), 2*chatPairs
	var waiting sync.WaitGroup
	defer waiting.Wait()
	send := func(ctx context.Context, n int, _ time.Time) error {
		i := n % chatPairs
		// A message that is refused is one that does not arrive, which the window counts.
		waiting.Go(func() {
			_, _ = senders[i].Send(ctx, protocol.MessageSend{To: fmt.Sprintf("reader%d", i), Kind: chat.Text, Text: strconv.FormatInt(time.Now().UnixNano(), 10)})
		})
		return nil
	}
	err = r.repeat(ctx, b, operations{rate: chatRate, fanout: 1, do: send}, &total)
	if len(b.windows) > 0 {
		r.addRow(group{path: report.PathWebSocket, shape: report.ShapeChat, subscribers: chatPairs}, b,
			fmt.Sprintf("%d pairs of users; from send until the other's tab has it, stored on disk before", chatPairs))
	}
	return err
}

// message counts a change that is one of our texts.
func (t *tally) message(c protocol.Change) {
	var m chat.Message
	if c.Type != chat.ItemMessage || json.Unmarshal(c.Data, &m) != nil {
		return
	}
	if sent, err := strconv.ParseInt(m.Text, 10, 64); err == nil {
		t.add(time.Duration(time.Now().UnixNano() - sent))
	}
}

// ringUsers is how many users are called in turn: as many as calls begin in a second, since a
// user whose last call still rings is busy.
func (o *Options) ringUsers() int { return max(o.Calls, 2) }

// rings measures calls that ring in every tab of the user who is called. Each is cancelled at
// once.
func (r *runner) rings(ctx context.Context) (err error) {
	tabs, err := r.startServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tabs.close()) }()
	b := r.newTestBed(target.Carillon, tabs.server.Process)
	var total tally
	users, tabsEach := r.options.ringUsers(), r.options.Tabs
	started := &ringStarts{at: map[string]time.Time{}}
	b.memory.before = target.ResidentMemory(b.pid)
	callers, err := openRingTabs(ctx, tabs, users, tabsEach, func(v call.Snapshot, seen map[string]bool) { started.ring(v, seen, &total) })
	if err != nil {
		return err
	}
	b.memory.after, b.memory.peers = target.ResidentMemory(b.pid), users*(1+tabsEach)
	var waiting sync.WaitGroup
	defer waiting.Wait()
	var failed firstError
	ring := func(ctx context.Context, n int, _ time.Time) error {
		i := n % users
		waiting.Go(func() {
			started.begin(fmt.Sprintf("caller%d", i))
			leg, err := callers[i].StartCall(ctx, fmt.Sprintf("callee%d", i), call.Audio)
			if err == nil {
				err = callers[i].Leave(ctx, leg.Call.ID)
			}
			failed.set(err)
		})
		return failed.get()
	}
	err = r.repeat(ctx, b, operations{rate: float64(r.options.Calls), fanout: tabsEach, do: ring}, &total)
	g := group{path: report.PathWebSocket, shape: report.ShapeRing, subscribers: tabsEach}
	if refused, ok := errors.AsType[*refusal.Error](err); ok && len(b.windows) == 0 {
		r.report.Refused = append(r.report.Refused, *notReported(g, b.target, "the server refuses: "+refused.Message))
		return nil
	}
	if len(b.windows) > 0 {
		r.addRow(g, b, fmt.Sprintf("%d users with %d tabs each; from the call until a tab rings; each call is cancelled", users, tabsEach))
	}
	return err
}

// openRingTabs opens a tab for each caller, which it returns, and tabsEach for each user who is
// called. ring is told of their calls, with a map that belongs to the tab.
func openRingTabs(ctx context.Context, tabs *openTabs, users, tabsEach int, ring func(call.Snapshot, map[string]bool)) (callers []*client.Client, err error) {
	for i := range users {
		from, err := tabs.open(ctx, fmt.Sprintf("caller%d", i), client.Options{})
		if err != nil {
			return nil, err
		}
		callers = append(callers, from)
		for range tabsEach {
			seen := map[string]bool{}
			listen := client.Options{Call: func(c protocol.CallChange) { ring(c.Call, seen) }}
			if _, err := tabs.open(ctx, fmt.Sprintf("callee%d", i), listen); err != nil {
				return nil, err
			}
		}
	}
	return callers, nil
}

// ringStarts knows when each caller's last call began.
type ringStarts struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (s *ringStarts) begin(caller string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[caller] = time.Now()
}

// ring counts a change that makes a tab ring, once per call; seen is of one tab.
func (s *ringStarts) ring(v call.Snapshot, seen map[string]bool, t *tally) {
	if v.State != call.Ringing || seen[v.ID] {
		return
	}
	seen[v.ID] = true
	s.mu.Lock()
	began, ok := s.at[v.Caller]
	s.mu.Unlock()
	if ok {
		t.add(time.Since(began))
	}
}

// firstError keeps the first error of many goroutines.
type firstError struct {
	mu  sync.Mutex
	err error
}

func (o *firstError) set(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil && !errors.Is(err, context.Canceled) {
		o.err = err
	}
}

func (o *firstError) get() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// openTabs are a server and the tabs that are open there, to be closed together.
type openTabs struct {
	server *target.Server
	all    []*client.Client
}

func (r *runner) startServer(ctx context.Context) (*openTabs, error) {
	s, err := target.StartServer(ctx, r.options.Serve, r.cores.server, target.ForManyUsersOfOneAddress)
	if err != nil {
		return nil, err
	}
	return &openTabs{server: s}, nil
}

func (t *openTabs) open(ctx context.Context, user string, listen client.Options) (*client.Client, error) {
	c, err := t.server.Tab(ctx, user, listen)
	if err == nil {
		t.all = append(t.all, c)
	}
	return c, err
}

func (t *openTabs) close() error {
	for _, c := range t.all {
		c.Close()
	}
	return t.server.Close()
}
