package main

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"carillon/call"
	"carillon/refusal"
	"carillon/wire"
)

// cable is what connects a node with the bus. It can be cut, and mended.
type cable struct {
	listener net.Listener
	to       string // host:port

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

// layCable returns a cable to the server at to. It ends with the test.
func layCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: l, to: to, conns: map[net.Conn]bool{}}
	var carrying sync.WaitGroup
	carrying.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return // closed
			}
			carrying.Go(func() { c.carry(from) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		c.setCut(true)
		carrying.Wait()
	})
	return c
}

func (c *cable) carry(from net.Conn) {
	to, err := net.Dial("tcp", c.to)
	if err != nil || !c.add(from, to) {
		_ = from.Close()
		return
	}
	var ways sync.WaitGroup
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		ways.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = from.Close()
			_ = to.Close()
		})
	}
	ways.Wait()
}

func (c *cable) add(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		if c.cut {
			_ = conn.Close()
		} else {
			c.conns[conn] = true
		}
	}
	return !c.cut
}

func (c *cable) setCut(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	for conn := range c.conns {
		_ = conn.Close()
	}
	clear(c.conns)
}

// A node that lives and is without the bus keeps its calls: their media goes on, nobody else takes them
// over, and who is on another node is told so.
func TestANodeThatIsCutOffKeepsItsCalls(t *testing.T) {
	t.Parallel()
	s := startSite(t, 1)
	bus := layCable(t, strings.TrimPrefix(s.servers.ServerURL(0), "nats://"))
	s.env = append(s.env, "CARILLON_BUS_URL=nats://"+bus.listener.Addr().String())
	s.add()
	const cutOff = 1
	alice, bob := s.open(cutOff, "alice"), s.open(0, "bob") // alice's node owns the call
	a := alice.rings(bob)
	atAlice := alice.phone(a)
	atBob := bob.phone(bob.answer(a.Call.ID))
	alice.hears(atAlice)
	bob.hears(atBob)

	mute := func() error {
		no := false
		return bob.Request(t.Context(), wire.MethodCallState, wire.CallStateSet{Call: a.Call.ID, Microphone: &no}, nil)
	}
	bus.setCut(true)
	until(t, "the node says that the bus is down", func() bool { return s.nodes[cutOff].condition(t).Bus == "down" })
	began := s.leaseOfOwner(a.Call.ID)
	until(t, "the owner says for longer than a lease and a sweep that it lives", func() bool {
		if err := mute(); !refusal.Is(err, refusal.Busy) || !strings.Contains(err.Error(), "cannot be reached") {
			t.Errorf("a call of a node that cannot be asked: got %v", err)
		}
		return s.leaseOfOwner(a.Call.ID) > began+(6*time.Second).Milliseconds()
	})
	alice.hears(atAlice)
	bob.hears(atBob)

	bus.setCut(false)
	until(t, "bob's node reaches the call", func() bool { return mute() == nil })
	alice.await("that bob is mute", func() bool { return !alice.of(a.Call.ID, "bob").Microphone })
	alice.note(func() {
		if got := alice.calls[a.Call.ID]; got.Epoch != 1 || got.State != call.Active {
			t.Errorf("the call is %s in epoch %d, want active in the first", got.State, got.Epoch)
		}
		if len(alice.lost) > 0 {
			t.Errorf("alice has lost her connection: %v", alice.lost)
		}
	})

	// When it dies while it is cut off, the call is taken over all the same.
	bus.setCut(true)
	s.kill(cutOff)
	died := time.Now()
	until(t, "bob's node takes the call over", func() bool { return mute() == nil })
	t.Logf("taken over %v after the node died", time.Since(died))
	bob.await("that another node runs the call", func() bool { return bob.calls[a.Call.ID].Epoch == 2 })
}

// leaseOfOwner is until when the node that owns a call says it lives, unix ms.
func (s *site) leaseOfOwner(id string) (until int64) {
	s.Helper()
	for _, variable := range s.env {
		url, ok := strings.CutPrefix(variable, "CARILLON_STORE_URL=")
		if !ok {
			continue
		}
		db, err := pgx.Connect(s.Context(), url)
		if err != nil {
			s.Fatal(err)
		}
		defer func() { _ = db.Close(s.Context()) }()
		if err := db.QueryRow(s.Context(), "SELECT until_at FROM nodes JOIN calls ON calls.node = nodes.id WHERE calls.id = $1", id).Scan(&until); err != nil {
			s.Fatal(err)
		}
	}
	return until
}
