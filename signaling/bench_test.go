package signaling

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"carillon/call"
	"carillon/chat"
	"carillon/wire"
)

// BenchmarkIdleTabs opens 1,000 tabs of 1,000 users over real sockets and reports what
// each costs the server: heap and stacks, without the kernel's buffers. The clients here
// are bare connections, so that little of the figure is theirs.
func BenchmarkIdleTabs(b *testing.B) {
	const n = 1000
	w := newWorld(b, Config{Rates: generous})
	w.greetBare("warm-up-user")
	for b.Loop() {
		before, goroutines := memory(), runtime.NumGoroutine()
		conns := make([]net.Conn, n)
		for i := range conns {
			conns[i] = w.greetBare(fmt.Sprintf("user-%d", i))
		}
		after := memory()
		b.ReportMetric(float64(after-before)/n, "B/tab")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/n, "goroutines/tab")
		for _, c := range conns {
			_ = c.Close()
		}
		for {
			w.nodes[0].mu.Lock()
			left := len(w.nodes[0].connections)
			w.nodes[0].mu.Unlock()
			if left <= 1 {
				break
			}
			runtime.Gosched()
		}
	}
}

func memory() int64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC() // stacks shrink and pools empty over two cycles
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// greetBare says hello over a plain TCP connection and reads until synced.
func (w *world) greetBare(user string) net.Conn { return w.greetBareOn(0, user, "") }

// greetBareOn says hello to a node from one of several tabs of a user.
func (w *world) greetBareOn(node int, user, tab string) net.Conn {
	c, err := net.Dial("tcp", strings.TrimPrefix(w.https[node].URL, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close() })
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", wire.Subprotocol)
	r := bufio.NewReader(c)
	response, err := http.ReadResponse(r, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		w.t.Fatal(response, err)
	}
	h, _ := json.Marshal(wire.Hello{Token: w.token(user), Protocol: wire.Protocol, Tab: "tab-of-" + user + tab, Device: "device-of-" + user})
	text := `{"jsonrpc":"2.0","id":1,"method":"hello","params":` + string(h) + `}`
	frame := []byte{0x81, 0x80 | 126, byte(len(text) >> 8), byte(len(text)), 0, 0, 0, 0} // masked with zeros
	if _, err := c.Write(append(frame, text...)); err != nil {
		w.t.Fatal(err)
	}
	var got []byte
	for buf := make([]byte, 4<<10); !bytes.Contains(got, []byte(`"synced"`)); {
		n, err := r.Read(buf)
		if err != nil {
			w.t.Fatal(err)
		}
		got = append(got, buf[:n]...)
	}
	return c
}

// discard takes frames as a socket would and counts their bytes.
type discard struct {
	frames atomic.Int64
}

func (d *discard) write(batch []item) error {
	for _, it := range batch {
		if _, err := it.frame.prepare(); err != nil {
			return err
		}
		d.frames.Add(1)
	}
	return nil
}
func (d *discard) finish(int, string) {}
func (d *discard) abort()             {}

// BenchmarkBroadcast hands one change to 1,000 tabs of a user, without the sockets.
func BenchmarkBroadcast(b *testing.B) {
	const n = 1000
	w := newWorld(b, Config{})
	s := w.nodes[0]
	u := &localUser{server: s, id: "alice"}
	d := &discard{}
	for i := range n {
		c := newConnection(s, d, true)
		c.tab = call.Tab{User: "alice", Where: call.Where{TabID: fmt.Sprint("tab-", i)}}
		c.phase = live
		u.connections = append(u.connections, c)
	}
	f := changeFrame(wire.Change{Feed: "c", Pos: 1, Type: chat.ItemMessage, Data: raw(chat.Message{Text: strings.Repeat("x", 200)})})
	f.shared = true
	b.ReportAllocs()
	pos := int64(0)
	for b.Loop() {
		pos++
		u.tell("c", notice{pos: pos, frame: &frame{data: f.data, shared: true}}, true)
		for d.frames.Load() < pos*n {
			runtime.Gosched()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(pos*n), "ns/tab")
}

// BenchmarkStrangersOfTheWatched is how long a request of somebody else takes while a user with
// 8,000 watchers, whose sockets are left out, comes and goes twenty times a second; and without.
func BenchmarkStrangersOfTheWatched(b *testing.B) {
	for _, watchers := range []int{0, 8000} {
		b.Run(fmt.Sprint("watchers=", watchers), func(b *testing.B) {
			w := newWorld(b, Config{Rates: generous})
			star, stranger := w.open(0, "star"), w.open(0, "stranger")
			for range watchers {
				w.nodes[0].presence.watch(newConnection(w.nodes[0], &discard{}, true), []string{"star"})
			}
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				tick := time.NewTicker(time.Second / 20)
				defer tick.Stop()
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					case <-tick.C:
						_ = star.Notify(wire.NoteActivity, wire.Activity{Away: i%2 == 0})
					}
				}
			}()
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if err := stranger.ask(wire.MethodSessionList, wire.Empty{}, nil); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			close(stop)
			<-stopped
			percentiles(b, took)
		})
	}
}
