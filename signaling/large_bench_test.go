package signaling

import (
	"bytes"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"carillon/chat"
	"carillon/store"
)

// crowd is a group of whose members up to 300 are online, in three tabs each.
type crowd struct {
	*world
	id     string
	tabs   int
	online []string
	heard  atomic.Int64 // messages that tabs have got
}

const (
	online     = 300
	tabsOfEach = 3
	inMessage  = `"type":"message"`
)

// newCrowd makes a group of so many members on some nodes, over which the tabs are spread.
func newCrowd(b *testing.B, members, nodes int) *crowd {
	b.Helper()
	cfg := Config{Rates: Rates{Frames: 10_000, UserRequests: 100_000, AddressRequests: 1_000_000, Requests: 1_000_000, UserHellos: 10_000, AddressHellos: 100_000, Hellos: 100_000}}
	rules := anyone
	rules.Rates = chat.Rates{UserBytes: 1 << 30, AddressBytes: 1 << 30, UserGroups: 1 << 20, AddressGroups: 1 << 20, UserMembers: 1 << 20, AddressMembers: 1 << 20}
	c := &crowd{world: newWorldWith(b, cfg, store.Config{}, rules)}
	for range nodes - 1 {
		c.addNode(cfg, c.own(c.bus))
	}
	all := numbered(members)
	c.id = c.group(all[0], all[1:]...).ID
	c.online = all[:min(online, members)]
	for i, user := range c.online {
		for j := range tabsOfEach {
			conn := c.greetBareOn((i+j)%nodes, user, fmt.Sprint("-", j))
			c.tabs++
			go c.listen(conn)
		}
	}
	return c
}

// listen counts the messages that a tab gets until its connection ends.
func (c *crowd) listen(conn net.Conn) {
	buf := make([]byte, 64<<10)
	kept := 0 // what may be the beginning of a message
	for {
		n, err := conn.Read(buf[kept:])
		if err != nil {
			return
		}
		data := buf[:kept+n]
		c.heard.Add(int64(bytes.Count(data, []byte(inMessage))))
		kept = copy(buf, data[max(0, len(data)-len(inMessage)+1):])
	}
}

// say sends a message and waits until all tabs have it.
func (c *crowd) say(b *testing.B, n int) {
	b.Helper()
	before := c.heard.Load()
	p := chat.SendParams{Conversation: c.id, ClientID: fmt.Sprint("message-", n), Text: "Is the blue one still available in size 42?"}
	if _, _, err := c.chat.Send(b.Context(), chat.User{ID: c.online[n%len(c.online)]}, p); err != nil {
		b.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); c.heard.Load() < before+int64(c.tabs); time.Sleep(50 * time.Microsecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d tabs have the message", c.heard.Load()-before, c.tabs)
		}
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkMessageToGroup is a message to a group, from its sender until the last tab has it. The
// processor time has that of the tabs in it, which read and count.
func BenchmarkMessageToGroup(b *testing.B) {
	for _, nodes := range []int{1, 3} {
		for _, members := range []int{10, 100, 1000, 10_000} {
			b.Run(fmt.Sprintf("nodes=%d/members=%d", nodes, members), func(b *testing.B) {
				c := newCrowd(b, members, nodes)
				c.say(b, -1+len(c.online))
				n := len(c.online)
				var took []time.Duration
				before := processorTime(b)
				for b.Loop() {
					began := time.Now()
					c.say(b, n)
					took = append(took, time.Since(began))
					n++
				}
				b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(len(took)), "cpu-µs/op")
				percentiles(b, took)
			})
		}
	}
}
