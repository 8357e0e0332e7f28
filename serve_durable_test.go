package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/chat"
	"carillon/client"
	"carillon/tcp/tcptest"
	"carillon/wire"
)

// dial opens a tab of a user of a running server.
func (p *program) dial(t testing.TB, data, user string) *client.Client {
	t.Helper()
	token := tokenOf(t, data, user)
	c, err := client.Dial(t.Context(), client.Options{
		URL:   "ws" + strings.TrimPrefix(p.urls["http"], "http") + "/ws",
		Token: func(context.Context) (string, error) { return token, nil },
		Backoff: func(int) (time.Duration, bool) {
			return 50 * time.Millisecond, true
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func text(to, clientID string) wire.MessageSend {
	return wire.MessageSend{To: to, ClientID: clientID, Kind: chat.Text, Text: "message " + clientID}
}

// TestAcknowledgedMessageIsOnDisk looks at the system calls of the whole server: between
// the moment we send and the moment it writes the answer to our socket, it has synced.
func TestAcknowledgedMessageIsOnDisk(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is missing: apt-get install strace")
	}
	data, trace := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	p := startUnder(t, []string{"strace", "-D", "-f", "-ttt", "-qq", "-s", "4000", "-e", "trace=fsync,fdatasync,sendto,write", "-o", trace},
		nil, append(anyPorts, "--data", data)...)
	c := p.dial(t, data, "alice")
	if _, err := c.Send(t.Context(), text("bob", "before")); err != nil { // makes the conversation
		t.Fatal(err)
	}
	type sent struct {
		id    string
		begin float64 // seconds
	}
	var messages []sent
	for i := range 5 {
		m := sent{fmt.Sprint("traced", i), float64(time.Now().UnixMicro()) / 1e6}
		if _, err := c.Send(t.Context(), text("bob", m.id)); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	answerTo := func(lines []string, id string) int {
		return slices.IndexFunc(lines, func(l string) bool {
			return strings.Contains(l, `\"result\"`) && strings.Contains(l, id+`\"`)
		})
	}
	until(t, "all is traced", func() bool { return answerTo(readLines(t, trace), messages[len(messages)-1].id) >= 0 })
	lines := readLines(t, trace)
	for _, m := range messages {
		answer := answerTo(lines, m.id)
		if answer < 0 {
			t.Fatalf("no answer to %s among the writes", m.id)
		}
		synced := slices.ContainsFunc(lines[:answer], func(l string) bool {
			return strings.Contains(l, "sync") && strings.HasSuffix(l, "= 0") && timeOf(l) > m.begin
		})
		if !synced {
			t.Errorf("%s was answered before a sync:\n%s", m.id, lines[answer])
		}
	}
}

func readLines(t *testing.T, file string) (lines []string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	scan := bufio.NewScanner(f)
	for scan.Scan() {
		lines = append(lines, scan.Text())
	}
	return lines
}

// timeOf reads "PID SECONDS.MICROS …".
func timeOf(line string) float64 {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return 0
	}
	seconds, _ := strconv.ParseFloat(fields[1], 64)
	return seconds
}

// TestKilledServerLosesNothingAcknowledged kills the whole server at random moments while
// two people write to each other, and compares both histories with what was acknowledged.
func TestKilledServerLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	data, address := t.TempDir(), tcptest.Address(t)
	args := append([]string{"--data", data, "--listen", address}, anyPorts[2:]...)
	p := start(t, nil, args...)
	users := []string{"alice", "bob"}
	tabs := map[string]*client.Client{}
	for _, user := range users {
		tabs[user] = p.dial(t, data, user)
	}
	var mu sync.Mutex
	acknowledged := map[string]int64{} // seq by client id
	writing, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for i, user := range users {
		writers.Go(func() {
			for n := 0; writing.Err() == nil; n++ {
				id := fmt.Sprintf("%s-%d", user, n)
				m, err := tabs[user].Send(t.Context(), text(users[1-i], id)) // tries until it is answered
				if err != nil {
					t.Errorf("send %s: %v", id, err)
					return
				}
				mu.Lock()
				acknowledged[id] = m.Seq
				mu.Unlock()
			}
		})
	}
	for range 5 {
		mu.Lock()
		goal := len(acknowledged) + 20 + rand.IntN(40)
		mu.Unlock()
		until(t, "some more messages", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(acknowledged) >= goal
		})
		if err := p.command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.command.Wait() // killed
		p = start(t, nil, args...)
	}
	stop()
	writers.Wait()
	for _, user := range users {
		history := historyOf(t, tabs[user])
		seen := map[string]int64{}
		for i, m := range history {
			if m.Seq != int64(i+1) {
				t.Fatalf("%s: message %d has seq %d", user, i, m.Seq)
			}
			key := m.Sender + "/" + m.Text
			if seen[key] != 0 {
				t.Errorf("%s: %q stands at %d and %d", user, m.Text, seen[key], m.Seq)
			}
			seen[key] = m.Seq
		}
		for id, seq := range acknowledged {
			sender, _, _ := strings.Cut(id, "-")
			if got := seen[sender+"/message "+id]; got != seq {
				t.Errorf("%s: acknowledged %s has seq %d, want %d", user, id, got, seq)
			}
		}
	}
	t.Logf("%d messages acknowledged over 5 kills", len(acknowledged))
}

func historyOf(t *testing.T, c *client.Client) (history []chat.Message) {
	t.Helper()
	var list wire.ConversationPage
	if err := c.Request(t.Context(), wire.MethodConversationList, wire.ConversationList{}, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Conversations) != 1 {
		t.Fatalf("got %d conversations, want 1", len(list.Conversations))
	}
	return historyIn(t, c, list.Conversations[0].ID)
}

func historyIn(t *testing.T, c *client.Client, conversation string) (history []chat.Message) {
	t.Helper()
	for before := int64(0); ; before = history[0].Seq { // 0: from the end
		var page wire.Messages
		ask := wire.MessagePage{Conversation: conversation, Before: before}
		if err := c.Request(t.Context(), wire.MethodMessagePage, ask, &page); err != nil {
			t.Fatal(err)
		}
		history = append(messagesOf(t, page), history...)
		if !page.More || len(page.Items) == 0 {
			return history
		}
	}
}

func messagesOf(t *testing.T, page wire.Messages) (list []chat.Message) {
	t.Helper()
	for _, item := range page.Items {
		var m chat.Message
		if err := json.Unmarshal(item.Data, &m); err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// BenchmarkAcknowledged is durable messages through the whole server: token, WebSocket,
// membership, transaction, sync, answer.
func BenchmarkAcknowledged(b *testing.B) {
	for _, senders := range []int{1, 50} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) {
			data := b.TempDir()
			p := start(b, []string{
				"CARILLON_SIGNALING_RATES_USER_REQUESTS=1000000", "CARILLON_SIGNALING_RATES_FRAMES=1000000", "CARILLON_SIGNALING_RATES_REQUESTS=1000000",
			}, append(anyPorts, "--data", data)...)
			tabs := make([]*client.Client, senders)
			for i := range tabs {
				tabs[i] = p.dial(b, data, fmt.Sprint("sender", i))
			}
			work := make(chan int)
			var writers sync.WaitGroup
			for i, c := range tabs {
				writers.Go(func() {
					for n := range work {
						if _, err := c.Send(b.Context(), text(fmt.Sprint("reader", i), fmt.Sprint(n))); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ResetTimer()
			for n := range b.N {
				work <- n
			}
			close(work)
			writers.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
