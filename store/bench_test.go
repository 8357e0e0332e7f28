package store

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"carillon/chat"
	"carillon/store/pgtest"
)

// spent is what this process has used so far.
type spent struct {
	cpu   float64 // µs, user and system
	bytes float64 // handed to the kernel to be written
}

func spending(b *testing.B) (s spent) {
	b.Helper()
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	s.cpu = float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e3
	f, err := os.Open("/proc/self/io")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if count, is := strings.CutPrefix(lines.Text(), "wchar: "); is {
			if s.bytes, err = strconv.ParseFloat(count, 64); err != nil {
				b.Fatal(err)
			}
		}
	}
	return s
}

// report adds to a benchmark what it has used per operation since before.
func (before spent) report(b *testing.B) {
	b.Helper()
	now := spending(b)
	b.ReportMetric((now.cpu-before.cpu)/float64(b.N), "cpu-µs/op")
	b.ReportMetric((now.bytes-before.bytes)/float64(b.N)/1e3, "written-KB/op")
}

// openQuietly opens a database that tells nobody of its changes.
func openQuietly(b *testing.B) *Store {
	b.Helper()
	s, d := open(b, Config{})
	d.silent.Store(true)
	return s
}

// all runs f once for each of n at the same time.
func all(b *testing.B, n int, f func(i int) error) {
	b.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := f(i); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
}

const phrase = "Is the blue one still available in size 42?"

// Durable, acknowledged messages: each sender waits for its answer before it sends the
// next, each pair has its own conversation.
func BenchmarkSend(b *testing.B) {
	for _, senders := range []int{1, 50} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) {
			s := openQuietly(b)
			c := chat.New(s, anyone)
			var next atomic.Int64
			before := spending(b)
			b.ResetTimer()
			all(b, senders, func(i int) error {
				from := chat.User{ID: fmt.Sprintf("from%d", i)}
				for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
					p := chat.SendParams{To: fmt.Sprintf("to%d", i), ClientID: fmt.Sprintf("m%d", n), Text: phrase}
					if _, _, err := c.Send(b.Context(), from, p); err != nil {
						return err
					}
				}
				return nil
			})
			before.report(b)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			b.ReportMetric(float64(b.N)/value(s.metrics.commits), "messages/commit")
		})
	}
}

// makeGroup makes a group of member0 and others, and returns its id.
func makeGroup(b *testing.B, c *chat.Service, members int) string {
	b.Helper()
	others := make([]string, members-1)
	for i := range others {
		others[i] = fmt.Sprintf("member%d", i+1)
	}
	group, err := c.Create(b.Context(), chat.User{ID: "member0"}, chat.CreateParams{Kind: chat.Group, Members: others, Vouched: true})
	if err != nil {
		b.Fatal(err)
	}
	return group.ID
}

// Messages to one conversation whose members are all absent, by one member or by many at once.
func BenchmarkSendToGroup(b *testing.B) {
	for _, members := range []int{2, 10, 100, 1000, 10_000} {
		for _, senders := range []int{1, 50} {
			b.Run(fmt.Sprintf("members=%d/senders=%d", members, senders), func(b *testing.B) {
				c := chat.New(openQuietly(b), anyone)
				group := makeGroup(b, c, members)
				var next atomic.Int64
				before := spending(b)
				b.ResetTimer()
				all(b, senders, func(i int) error {
					from := chat.User{ID: fmt.Sprintf("member%d", i%members)}
					for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
						p := chat.SendParams{Conversation: group, ClientID: fmt.Sprintf("m%d", n), Text: phrase}
						if _, _, err := c.Send(b.Context(), from, p); err != nil {
							return err
						}
					}
					return nil
				})
				before.report(b)
			})
		}
	}
}

// Sixteen members of a group of 100 write as fast as they are answered. On PostgreSQL
// (CARILLON_TEST_STORE=postgres) the server syncs to disk.
func BenchmarkHotGroup(b *testing.B) {
	cfg := Config{}
	if pgtest.Wanted() {
		server, err := pgtest.Start(pgtest.Options{Durable: true})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(server.Stop)
		cfg.URL = server.URL("postgres")
	}
	s, d := openSQLiteStore(b, cfg)
	d.silent.Store(true)
	c := chat.New(s, anyone)
	group := makeGroup(b, c, 100)
	const senders = 16
	took := make([][]time.Duration, senders)
	var next atomic.Int64
	before := spending(b)
	b.ResetTimer()
	all(b, senders, func(i int) error {
		from := chat.User{ID: fmt.Sprintf("member%d", i)}
		for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
			began := time.Now()
			p := chat.SendParams{Conversation: group, ClientID: fmt.Sprintf("m%d", n), Text: phrase}
			if _, _, err := c.Send(b.Context(), from, p); err != nil {
				return err
			}
			took[i] = append(took[i], time.Since(began))
		}
		return nil
	})
	before.report(b)
	sorted := slices.Sorted(slices.Values(slices.Concat(took...)))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(sorted[len(sorted)/2].Microseconds())/1e3, "p50-ms")
	b.ReportMetric(float64(sorted[len(sorted)*99/100].Microseconds())/1e3, "p99-ms")
	b.ReportMetric(float64(b.N)/value(s.metrics.commits), "messages/commit")
}

// A message to a group of 50, which all then get, and then read.
func BenchmarkMarks50(b *testing.B) {
	c := chat.New(openQuietly(b), anyone)
	group := makeGroup(b, c, 50)
	before := spending(b)
	b.ResetTimer()
	for n := range b.N {
		m, _, err := c.Send(b.Context(), chat.User{ID: "member0"}, chat.SendParams{Conversation: group, ClientID: fmt.Sprintf("m%d", n), Text: phrase})
		if err != nil {
			b.Fatal(err)
		}
		for _, marks := range []chat.Marks{{Delivered: m.Seq}, {Delivered: m.Seq, Read: m.Seq}} {
			all(b, 50, func(i int) error {
				return c.SetMarks(b.Context(), fmt.Sprintf("member%d", i), map[string]chat.Marks{group: marks})
			})
		}
	}
	before.report(b)
}

func BenchmarkMakeGroup1000(b *testing.B) {
	c := chat.New(openQuietly(b), anyone)
	makeGroup(b, c, 2)
	before := spending(b)
	b.ResetTimer()
	for range b.N {
		makeGroup(b, c, 1000)
	}
	before.report(b)
}

// The first page of one who has 20,000 conversations, among as many of others.
func BenchmarkList20000(b *testing.B) {
	s := openQuietly(b)
	c := chat.New(s, anyone)
	const conversations = 40_000
	for from := 0; from < conversations; from += 1000 {
		put(b, s, func(tx *tx) error {
			for i := from; i < from+1000; i++ {
				users := []string{fmt.Sprintf("customer%d", i), "agent"}
				if i%2 == 0 {
					users[1] = fmt.Sprintf("agent%d", i)
				}
				id := fmt.Sprintf("%x", i*2654435761) // in no order
				if err := tx.putGroup(id, users...); err != nil {
					return err
				}
				if _, _, err := tx.post(id, users[0], phrase); err != nil {
					return err
				}
			}
			return nil
		})
	}
	before := spending(b)
	b.ResetTimer()
	for range b.N {
		if list, _, err := c.List(b.Context(), "agent", "", 50); err != nil || len(list) != 50 {
			b.Fatalf("%d conversations, %v", len(list), err)
		}
	}
	before.report(b)
}
