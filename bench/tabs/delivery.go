package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"carillon/auth"
	"carillon/bench/target"
	"carillon/chat"
	"carillon/client"
	"carillon/wire"
)

// group is a conversation whose members each have a tab that reads.
type group struct {
	id      string
	sender  *client.Client
	readers []*reader
	got     atomic.Int64 // messages that came to readers
}

// reader is a tab that reads and answers pings, and nothing more: neither does it decode what comes,
// nor does it say what it has got, so that only the delivery costs the server something.
type reader struct {
	conn *websocket.Conn
	done chan struct{}
}

// delivery is what so many messages to a group cost.
type delivery struct {
	processor time.Duration // of the server
	took      []time.Duration
}

// measureDelivery sends to groups of each size, on each program in turn.
func measureDelivery(ctx context.Context, signer *auth.Verifier, o options) error {
	type bed struct {
		program
		*site
		groups []*group
		costs  [][]float64 // µs per message, by group and round
		took   [][]time.Duration
	}
	var beds []*bed
	for _, p := range o.programs {
		b := &bed{program: p, costs: make([][]float64, len(o.members)), took: make([][]time.Duration, len(o.members))}
		beds = append(beds, b)
		var err error
		if b.site, err = openSite(ctx, p, signer, o.addresses); err != nil {
			return err
		}
		defer func() { _ = b.Close() }()
		for _, n := range o.members {
			g, err := b.openGroup(ctx, n)
			if err != nil {
				return fmt.Errorf("a group of %d: %w", n, err)
			}
			defer g.close()
			b.groups = append(b.groups, g)
		}
	}
	for range o.rounds {
		for i := range o.members {
			for _, b := range beds {
				d, err := b.deliver(ctx, b.groups[i], o.messages)
				if err != nil {
					return err
				}
				b.costs[i] = append(b.costs[i], float64(d.processor.Nanoseconds())/1e3/float64(o.messages))
				b.took[i] = append(b.took[i], d.took...)
			}
		}
	}
	for _, b := range beds {
		for i, n := range o.members {
			cost := median(b.costs[i])
			slices.Sort(b.took[i])
			at := func(q float64) float64 { return b.took[i][int(q*float64(len(b.took[i])-1))].Seconds() * 1000 }
			line := fmt.Sprintf("%s: a message to %d members: %.0f µs of processor, %.1f µs per delivery", b.name, n, cost, cost/float64(n))
			if i > 0 {
				line += fmt.Sprintf(", %.1f µs for each more", (cost-median(b.costs[i-1]))/float64(n-o.members[i-1]))
			}
			fmt.Printf("%s; all have it after p50 %.1f ms, p99 %.1f ms\n", line, at(0.5), at(0.99))
		}
	}
	if o.profile == "" {
		return ctx.Err()
	}
	for _, b := range beds {
		if err := b.profileDelivery(ctx, b.groups[len(b.groups)-1], b.name, o.profile); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// openGroup makes a group of n members, of whom each has a tab, and the sender another one.
func (s *site) openGroup(ctx context.Context, n int) (*group, error) {
	g := &group{}
	member := func(i int) string { return fmt.Sprintf("member-%d-of-%d", i, n) }
	page, err := s.page(member(0), 0)
	if err != nil {
		return nil, err
	}
	if g.sender, err = client.Dial(ctx, page); err != nil {
		return nil, err
	}
	others := make([]string, n-1)
	for i := range others {
		others[i] = member(i + 1)
	}
	var made chat.Conversation
	if err := g.sender.Request(ctx, wire.MethodConversationCreate, wire.ConversationCreate{Kind: chat.Group, Members: others, Name: "All"}, &made); err != nil {
		return g, err
	}
	g.id = made.ID
	for i := range n {
		if i > 0 { // the others are only invited
			if err := s.joinGroup(ctx, member(i), i, g.id); err != nil {
				return g, err
			}
		}
		r, err := s.openReader(ctx, member(i), i, g.id, &g.got)
		if err != nil {
			return g, err
		}
		g.readers = append(g.readers, r)
	}
	return g, nil
}

func (s *site) joinGroup(ctx context.Context, user string, n int, id string) error {
	page, err := s.page(user, n)
	if err != nil {
		return err
	}
	c, err := client.Dial(ctx, page)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Request(ctx, wire.MethodConversationJoin, wire.ConversationRef{Conversation: id}, nil)
}

func (g *group) close() {
	for _, r := range g.readers {
		_ = r.conn.Close()
		<-r.done
	}
	g.sender.Close()
}

// openReader opens a tab of a user, and returns when it is synced. It adds to got for each message
// of the group.
func (s *site) openReader(ctx context.Context, user string, n int, group string, got *atomic.Int64) (*reader, error) {
	token, err := s.token(user)
	if err != nil {
		return nil, err
	}
	speaking := *dialer
	speaking.Subprotocols = []string{wire.Subprotocol}
	conn, _, err := speaking.DialContext(ctx, s.webSocketURL(), s.header(n))
	if err != nil {
		return nil, err
	}
	hello, err := json.Marshal(wire.Hello{Token: token, Protocol: wire.Protocol, Tab: "reader-of-" + user, Device: "device-of-" + user})
	if err != nil {
		return nil, err
	}
	id := int64(1)
	if err := conn.WriteJSON(wire.Frame{JSONRPC: "2.0", ID: &id, Method: wire.MethodHello, Params: hello}); err != nil {
		return nil, fmt.Errorf("say hello: %w", err)
	}
	r := &reader{conn: conn, done: make(chan struct{})}
	synced := make(chan struct{})
	go r.read(group, got, sync.OnceFunc(func() { close(synced) }))
	select {
	case <-synced:
		return r, nil
	case <-r.done:
		return nil, fmt.Errorf("%s was not greeted", user)
	}
}

// read ends with the connection.
func (r *reader) read(group string, got *atomic.Int64, synced func()) {
	defer close(r.done)
	text := []byte(`"text":"` + textOfDelivery)
	feed := []byte(`"feed":"` + group + `"`)
	for {
		_, message, err := r.conn.ReadMessage()
		if err != nil {
			return
		}
		for line := range bytes.Lines(message) {
			switch {
			case bytes.Contains(line, feed) && bytes.Contains(line, text):
				got.Add(1)
			case bytes.Contains(line, []byte(`"method":"ping"`)):
				_ = r.conn.WriteMessage(websocket.TextMessage, []byte(`{"jsonrpc":"2.0","method":"pong"}`)) // a lost connection is seen by the next read
			case bytes.Contains(line, []byte(`"method":"synced"`)):
				synced()
			}
		}
	}
}

// textOfDelivery is what the messages say, about as much as people write.
const textOfDelivery = "Is the blue one in stock? I have looked everywhere and cannot find it."

// deliveryTime is how long one message may take to come to all.
const deliveryTime = 20 * time.Second

// deliver sends messages to a group, each when all have the one before: so each comes to each tab
// alone.
func (s *site) deliver(ctx context.Context, g *group, messages int) (d delivery, err error) {
	if err := g.send(ctx); err != nil { // and no timer of what was before is due
		return d, err
	}
	before, err := target.ReadUsage(s.Process.PID)
	if err != nil {
		return d, err
	}
	for range messages {
		began := time.Now()
		if err := g.send(ctx); err != nil {
			return d, err
		}
		d.took = append(d.took, time.Since(began))
	}
	after, err := target.ReadUsage(s.Process.PID)
	d.processor = after.Since(before).Total
	return d, err
}

// send sends one message and waits until all readers have it.
func (g *group) send(ctx context.Context) error {
	want := g.got.Load() + int64(len(g.readers))
	if _, err := g.sender.Send(ctx, wire.MessageSend{Conversation: g.id, Text: textOfDelivery}); err != nil {
		return err
	}
	for deadline := time.Now().Add(deliveryTime); g.got.Load() < want; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("a message has come to %d fewer than it should after %v", want-g.got.Load(), deliveryTime)
		}
	}
	return nil
}

// profileDelivery writes where the server's time goes while messages are delivered.
func (s *site) profileDelivery(ctx context.Context, g *group, name, folder string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() {
		for ctx.Err() == nil {
			if err := g.send(ctx); err != nil {
				return
			}
		}
	})
	err := s.saveProfile(ctx, folder, name+"-delivery-cpu", "/debug/pprof/profile?seconds=10")
	cancel()
	return err
}

// textOf returns what a message says, of a change that is one.
func textOf(c wire.Change) (text string, ok bool) {
	var m chat.Message
	if c.Type != chat.ItemMessage || json.Unmarshal(c.Data, &m) != nil || strings.TrimSpace(m.Text) == "" {
		return "", false
	}
	return m.Text, true
}

func median(all []float64) float64 {
	s := slices.Sorted(slices.Values(all))
	if len(s) == 0 {
		return 0
	}
	return s[len(s)/2]
}
