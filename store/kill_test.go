package store

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"carillon/chat"
)

// The child: six users, each of whom sends to one group and to the next user in turn,
// one message after the other, from a given number on. Without a group only one user
// sends. After each acknowledgement, and not before, the child says so on its standard
// output.
const killSenders = 6

func sendUntilKilled(folder string) {
	s, err := Open(context.Background(), Config{Folder: folder}, slog.New(slog.DiscardHandler), func([]chat.Told) {})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	c := chat.New(s, anyone)
	start, _ := strconv.Atoi(os.Getenv("CARILLON_TEST_FROM"))
	count, _ := strconv.Atoi(os.Getenv("CARILLON_TEST_COUNT"))
	group := os.Getenv("CARILLON_TEST_GROUP")
	senders := killSenders
	if group == "" {
		senders = 1
	}
	done := make(chan bool)
	for i := range senders {
		go func() {
			for n := start; n < start+count; n++ {
				p := chat.SendParams{ClientID: fmt.Sprintf("m%d", n), Text: fmt.Sprintf("%d from %d", n, i)}
				if n%2 == 0 && group != "" {
					p.Conversation = group
				} else {
					p.To = killUser(i + 1).ID
				}
				m, _, err := c.Send(context.Background(), killUser(i), p)
				if err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				fmt.Printf("ack %d m%d %s %d\n", i, n, m.Conversation, m.Seq) // one write
			}
			done <- true
		}()
	}
	for range senders {
		<-done
	}
	_ = s.Close() // the process ends anyway
}

func killUser(i int) chat.User { return chat.User{ID: fmt.Sprintf("user%d", i%killSenders)} }

// child is this test binary, sending.
func child(ctx context.Context, folder, group string, from, count int, under ...string) *exec.Cmd {
	args := append(under, os.Args[0])
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "CARILLON_TEST_SENDER="+folder, "CARILLON_TEST_GROUP="+group,
		fmt.Sprint("CARILLON_TEST_FROM=", from), fmt.Sprint("CARILLON_TEST_COUNT=", count))
	return cmd
}

// A process is killed in the middle of writing, again and again. What it acknowledged
// stands exactly once in every member's history and in the conversation's feed; what it did
// not stands there once or not at all; nothing has a gap.
func TestAcknowledgedSurvivesSIGKILL(t *testing.T) {
	folder := t.TempDir()
	s, _ := open(t, Config{Folder: folder})
	ids := []string{}
	for i := range killSenders {
		ids = append(ids, killUser(i).ID)
	}
	group, err := chat.New(s, anyone).Create(t.Context(), killUser(0), chat.CreateParams{Kind: chat.Group, Members: ids[1:], Name: "All", Vouched: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	acked := map[string]chat.Message{} // by sender and client id
	for round, from := 0, 0; round < 8; round++ {
		cmd := child(t.Context(), folder, group.ID, from, 1<<30)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		after := rand.IntN(400)
		lines := bufio.NewScanner(out)
		highest := from
		for n := 0; lines.Scan(); n++ {
			if n == after {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			var sender, number int
			var m chat.Message
			if _, err := fmt.Sscanf(lines.Text(), "ack %d m%d %s %d", &sender, &number, &m.Conversation, &m.Seq); err != nil {
				t.Fatalf("round %d: the child says %q", round, lines.Text())
			}
			key := fmt.Sprintf("user%d m%d", sender, number)
			if was, again := acked[key]; again && (was.Conversation != m.Conversation || was.Seq != m.Seq) {
				t.Fatalf("%s was acknowledged at %s.%d and later at %s.%d", key, was.Conversation, was.Seq, m.Conversation, m.Seq)
			}
			acked[key] = m
			highest = max(highest, number)
		}
		_ = cmd.Wait()           // killed
		from = max(0, highest-3) // sends some again, acknowledged or not
	}
	if len(acked) == 0 {
		t.Fatal("nothing was acknowledged")
	}

	s, _ = open(t, Config{Folder: folder})
	c := chat.New(s, anyone)
	total := 0
	for _, id := range ids {
		list, _, err := c.List(t.Context(), id, "", 0)
		if err != nil || len(list) != 3 { // the group, the one before, the one after
			t.Fatalf("%s has %d conversations, want 3; %v", id, len(list), err)
		}
		for _, conversation := range list {
			once := map[string]chat.Message{}
			inFeed := feedOf(t, s, conversation.ID)
			seq := int64(0)
			for _, m := range history(t, c, id, conversation.ID) {
				if seq++; m.Seq != seq {
					t.Fatalf("history of %s: seq %d at place %d", m.Conversation, m.Seq, seq)
				}
				key := m.Sender + " " + m.ClientID
				if _, twice := once[key]; twice {
					t.Errorf("%s stands twice in %s", key, m.Conversation)
				}
				once[key] = m
				if inFeed[m.Seq] != 1 {
					t.Errorf("%s stands %d times in the feed, want once", m.ID, inFeed[m.Seq])
				}
			}
			if len(inFeed) != len(once) {
				t.Errorf("the feed of %s has %d messages, its history %d", conversation.ID, len(inFeed), len(once))
			}
			for key, a := range acked {
				if a.Conversation == conversation.ID && once[key].Seq != a.Seq {
					t.Errorf("%s was acknowledged as %d, %s finds it at %d", key, a.Seq, id, once[key].Seq)
				}
			}
			total += len(once)
		}
	}
	t.Logf("%d messages acknowledged in 8 lives, %d entries in histories checked", len(acked), total)
}

func history(t *testing.T, c *chat.Service, user, conversation string) []chat.Message {
	t.Helper()
	var all []chat.Message
	page, err := c.Page(t.Context(), user, conversation, 2, 0, 1) // the first
	for ; err == nil; page, err = c.Page(t.Context(), user, conversation, 0, all[len(all)-1].Seq, 100) {
		for _, item := range page.Items {
			var m chat.Message
			if err := json.Unmarshal(item.Data, &m); err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
		if len(all) == 0 || len(page.Items) == 0 {
			return all
		}
	}
	t.Fatal(err)
	return nil
}

// feedOf reads all of a conversation's feed, in which no number is missing that no item had later,
// and returns how often each message stands in it, by seq.
func feedOf(t *testing.T, s *Store, conversation string) map[int64]int {
	t.Helper()
	messages, last := map[int64]int{}, int64(0)
	for {
		page := changes(t, s, conversation, last, 0, 100)
		if len(page) == 0 {
			break
		}
		for _, item := range page {
			if last++; item.Pos != last { // nothing was changed twice
				t.Fatalf("feed of %s: pos %d at place %d", conversation, item.Pos, last)
			}
			if item.Type == chat.ItemMessage {
				messages[item.Seq]++
			}
		}
	}
	h := get(t, s, func(v *view) (chat.Head, error) { h, _, err := v.Head(conversation); return h, err })
	if h.Pos != last {
		t.Errorf("the head of %s is at %d, its last item at %d", conversation, h.Pos, last)
	}
	return messages
}
