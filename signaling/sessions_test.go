package signaling

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"carillon/call"
	"carillon/limit"
	"carillon/settings"
	"carillon/wire"
)

// counted is a transport that counts what is written to it.
type counted struct {
	mu            sync.Mutex
	frames, bytes int
}

func (t *counted) write(batch []item) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, it := range batch {
		t.frames++
		t.bytes += len(it.frame.data)
	}
	return nil
}

func (t *counted) finish(int, string) {}
func (t *counted) abort()             {}

func (t *counted) taken() (frames, bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.frames, t.bytes
}

// Of 150 tabs all have listed the sessions and one comes back three times a second. A tab is
// told once, however long that goes on, and one that lists them again each time is told once in
// two seconds. Nobody is sent a list that they did not ask for.
func TestChangesOfSessionsAreToldOnceToWhoListedThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tabs, minute = 150, 60
		cfg := settings.Fill(Config{}, Defaults())
		s := &Server{cfg: cfg, log: slog.New(slog.DiscardHandler), metrics: newMetrics(nil), limits: newLimits(cfg), done: make(chan struct{}), users: map[string]*localUser{}}
		s.presence = newPresence(s)
		u := &localUser{server: s, id: "alice"}
		s.users[u.id] = u
		var all []*counted
		for i := range tabs {
			wires := &counted{}
			c := newConnection(s, wires, false)
			defer c.ended()
			c.liveness.stop() // it lives as long as the test
			c.tab = call.Tab{User: u.id, Session: fmt.Sprint("session-", i), Where: call.Where{TabID: fmt.Sprint("tab-of-alice-", i)}}
			c.payer, c.user = limit.Payer{User: u.id}, u
			if err := u.add(c); err != nil {
				t.Fatal(err)
			}
			all = append(all, wires)
		}
		list := func(c *connection) { _, _ = c.sessionList(t.Context(), wire.Empty{}) }
		for _, c := range u.all() {
			list(c)
		}
		asks, asked := u.all()[0], 0
		for range minute * 3 {
			u.sessionsChanged()
			time.Sleep(time.Second / 3)
			synctest.Wait()
			if told, _ := all[0].taken(); told > asked {
				asked = told
				list(asks)
			}
		}
		close(s.done)
		s.work.Wait()
		if told, _ := all[0].taken(); told < minute/4 || told > minute/2 {
			t.Errorf("who lists them again was told %d times in a minute, want about once in two seconds", told)
		}
		frame, _ := json.Marshal(wire.Frame{JSONRPC: version, Method: wire.NoteSessions, Params: json.RawMessage("{}")})
		for i, c := range all[1:] {
			if frames, bytes := c.taken(); frames != 1 || bytes != len(frame) {
				t.Fatalf("tab %d, which listed them once, got %d frames of %d bytes, want one of %d", i+1, frames, bytes, len(frame))
			}
		}
	})
}
