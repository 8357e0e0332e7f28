package signaling

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"carillon/chat"
	"carillon/store"
	"carillon/wire"
)

// crowd is a group of whose members up to 300 are online, in three tabs each.
type crowd struct {
	*world
	id     string
	tabs   int
	all    []string
	online []string
	heard  atomic.Int64 // what tabs were told
}

const (
	online     = 300
	tabsOfEach = 3
	inMessage  = `"type":"message"`
	inMember   = `"type":"member"`
)

// newCrowd makes a group of so many members on some nodes, over which the tabs are spread. With more
// than largeGroup members it is large. The others are invited, or have joined.
func newCrowd(b *testing.B, members, nodes, largeGroup int, invited bool) *crowd {
	b.Helper()
	cfg := Config{PingSeconds: 3600, Rates: Rates{Frames: 10_000, UserRequests: 100_000, AddressRequests: 1_000_000, Requests: 1_000_000, UserHellos: 10_000, AddressHellos: 100_000, Hellos: 100_000}}
	rules := anyone
	rules.Rates = chat.Rates{UserBytes: 1 << 30, AddressBytes: 1 << 30, UserGroups: 1 << 20, AddressGroups: 1 << 20, UserMembers: 1 << 20, AddressMembers: 1 << 20}
	rules.LargeGroup, rules.Invitations = largeGroup, 1000
	c := &crowd{world: newWorldWith(b, cfg, store.Config{}, rules)}
	for range nodes - 1 {
		c.addNode(cfg, c.own(c.bus))
	}
	all := numbered(members)
	p := chat.CreateParams{Kind: chat.Group, Members: all[1:], Name: "A group", Vouched: !invited}
	g, err := c.chat.Create(b.Context(), chat.User{ID: all[0]}, p)
	if err != nil {
		b.Fatal(err)
	}
	c.id, c.all, c.online = g.ID, all, all[:min(online, members)]
	if invited {
		for i := range c.online[1:] {
			c.join(b, i+1)
		}
	}
	for i, user := range c.online {
		for j := range tabsOfEach {
			conn := c.greetBareOn((i+j)%nodes, user, fmt.Sprint("-", j))
			c.tabs++
			go c.listen(conn)
		}
	}
	return c
}

// listen counts the messages and the members that a tab is told of until its connection ends.
func (c *crowd) listen(conn net.Conn) {
	buf := make([]byte, 64<<10)
	kept := 0 // what may be the beginning of a message
	for {
		n, err := conn.Read(buf[kept:])
		if err != nil {
			return
		}
		data := buf[:kept+n]
		c.heard.Add(int64(bytes.Count(data, []byte(inMessage)) + bytes.Count(data, []byte(inMember))))
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
	c.await(b, before+int64(c.tabs))
}

func (c *crowd) join(b *testing.B, member int) {
	b.Helper()
	if _, err := c.chat.Join(b.Context(), chat.User{ID: c.all[member]}, c.id); err != nil {
		b.Fatal(err)
	}
}

// await waits until the tabs were told so much altogether.
func (c *crowd) await(b *testing.B, heard int64) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); c.heard.Load() < heard; time.Sleep(50 * time.Microsecond) {
		if time.Now().After(deadline) {
			b.Fatalf("the tabs were told %d things, want %d", c.heard.Load(), heard)
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

// BenchmarkMessageToGroup is a message to a group, from its sender until the last tab has it, when
// nothing was written there just before. The processor time has that of the tabs in it, which read and count.
func BenchmarkMessageToGroup(b *testing.B) {
	for _, nodes := range []int{1, 3} {
		for _, c := range []struct {
			name                string
			members, largeGroup int
		}{
			{"10", 10, 1000}, {"100", 100, 1000}, {"1000", 1000, 1000}, {"10000", 10_000, 1000},
			{"10000-each-by-name", 10_000, 10_000},
		} {
			b.Run(fmt.Sprintf("nodes=%d/members=%s", nodes, c.name), func(b *testing.B) {
				c := newCrowd(b, c.members, nodes, c.largeGroup, false)
				c.say(b, 0)
				n := 1
				var took []time.Duration
				before := processorTime(b)
				for b.Loop() {
					time.Sleep(pauseAfter(c.tabs))
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

// BenchmarkJoins is a group in which one after the other joins and writes something, 300 online in
// three tabs each. Of joins alone each node would read nobody's names.
func BenchmarkJoins(b *testing.B) {
	for _, c := range []struct {
		name       string
		largeGroup int
	}{{"large", 100}, {"each-by-name", 10_000}} {
		b.Run(c.name, func(b *testing.B) {
			c := newCrowd(b, 10_000, 1, c.largeGroup, true)
			joined := len(c.online)
			began, heard := processorTime(b), c.heard.Load()
			n := 0
			for b.Loop() {
				c.join(b, joined)
				joined++
				n++
			}
			c.await(b, heard+int64(n*c.tabs))
			b.ReportMetric(float64((processorTime(b)-began).Microseconds())/float64(n), "cpu-µs/op")
		})
	}
}

// BenchmarkGroupReads is what a page of members costs, and counting how many have read the latest
// messages.
func BenchmarkGroupReads(b *testing.B) {
	for _, members := range []int{1000, 10_000} {
		c := newWorld(b, Config{})
		all := numbered(members)
		id := c.group(all[0], all[1:]...).ID
		b.Run(fmt.Sprintf("members=%d/page", members), func(b *testing.B) {
			after := ""
			for b.Loop() {
				page, err := c.chat.Members(b.Context(), all[0], id, after, 100)
				if err != nil {
					b.Fatal(err)
				}
				after = page.Next
			}
		})
		b.Run(fmt.Sprintf("members=%d/count-marks", members), func(b *testing.B) {
			for b.Loop() {
				if _, err := c.chat.MarkCounts(b.Context(), id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStrangersOfABusyGroup is how long a request of somebody else takes while a member of a
// group of 10,000, of whom 300 have it open in three tabs each, does something 200 times a second,
// as often as it may.
func BenchmarkStrangersOfABusyGroup(b *testing.B) {
	for _, what := range []string{"nothing", "writes", "types", "marks"} {
		b.Run(what, func(b *testing.B) {
			c := newCrowd(b, 10_000, 1, 1000, false)
			stranger := c.open(0, "stranger")
			mallory := c.open(0, c.all[0])
			for conn := range c.nodes[0].connections {
				c.nodes[0].watches.watch(conn, []string{c.id})
			}
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				tick := time.NewTicker(5 * time.Millisecond)
				defer tick.Stop()
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					case <-tick.C:
					}
					switch what {
					case "writes":
						p := chat.SendParams{Conversation: c.id, ClientID: fmt.Sprint("message-", i), Text: "x"}
						_, _, _ = c.chat.Send(b.Context(), chat.User{ID: c.all[0]}, p)
					case "types":
						_ = mallory.Notify(wire.NoteTyping, wire.Typing{Conversation: c.id})
					case "marks":
						p := chat.SendParams{Conversation: c.id, ClientID: fmt.Sprint("message-", i), Text: "x"}
						if m, _, err := c.chat.Send(b.Context(), chat.User{ID: c.all[0]}, p); err == nil && i%20 == 0 {
							for _, user := range c.online {
								go func() {
									_ = c.chat.SetMarks(context.Background(), user, map[string]chat.Marks{c.id: {Read: m.Seq}})
								}()
							}
						}
					}
				}
			}()
			var took []time.Duration
			before := processorTime(b)
			began := time.Now()
			for b.Loop() {
				asked := time.Now()
				if err := stranger.ask(wire.MethodConversationList, wire.ConversationList{}, nil); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(asked))
				time.Sleep(5 * time.Millisecond)
			}
			b.ReportMetric((processorTime(b)-before).Seconds()/time.Since(began).Seconds(), "cores")
			close(stop)
			<-stopped
			percentiles(b, took)
		})
	}
}
