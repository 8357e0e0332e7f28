package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"carillon/chat"
	"carillon/refusal"
	"carillon/store/pgtest"
)

// openNode opens a database as one of its nodes.
func openNode(t testing.TB, url string) (*Store, *delivered) {
	t.Helper()
	return openSQLiteStore(t, Config{URL: url})
}

// items are those of a conversation's feed as they are stored.
func items(t *testing.T, s *Store, conversation string) []chat.Item {
	t.Helper()
	var all []chat.Item
	if err := s.Read(t.Context(), func(v chat.View) (err error) {
		all, err = v.ConversationChanges(conversation, 0, 0, 10_000)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// Three nodes write to the same conversations at once, in queues and in transactions
// of many conversations. Nothing is lost, doubled or out of order, and each change is told by the
// node that made it.
func TestNodesWriteToTheSameConversations(t *testing.T) {
	url := pgtest.Database(t)
	const nodes, senders, each = 3, 4, 25
	var services []*chat.Service
	var told []*delivered
	for range nodes {
		s, d := openNode(t, url)
		services, told = append(services, chat.New(s, anyone)), append(told, d)
	}
	var conversations []string
	for i := range 2 {
		c, err := services[0].Create(t.Context(), alice, chat.CreateParams{Kind: chat.Group, Members: []string{"bob", "carol"}, Name: fmt.Sprint(i), Vouched: true})
		if err != nil {
			t.Fatal(err)
		}
		conversations = append(conversations, c.ID)
	}
	users := []chat.User{alice, bob, carol}
	var wg sync.WaitGroup
	for n, service := range services {
		for i := range senders {
			wg.Go(func() {
				for k := range each {
					to := conversations[(i+k)%2]
					m, _, err := service.Send(t.Context(), users[i%3], chat.SendParams{Conversation: to, ClientID: fmt.Sprint(n, "-", i, "-", k), Text: "x"})
					if err != nil {
						t.Errorf("node %d, sender %d, message %d: %v", n, i, k, err)
						return
					}
					marks := map[string]chat.Marks{conversations[0]: {Read: 1}, to: {Read: m.Seq}}
					if err := service.SetMarks(t.Context(), users[(i+1)%3].ID, marks); err != nil {
						t.Errorf("marks on node %d: %v", n, err)
					}
				}
			})
		}
	}
	wg.Wait()
	s, _ := openNode(t, url)
	total := 0
	for _, conversation := range conversations {
		var heard []int64
		for _, d := range told {
			for _, item := range d.items(conversation, "") {
				heard = append(heard, item.Pos)
			}
		}
		slices.Sort(heard)
		stored := items(t, s, conversation)
		for i, pos := range heard {
			if i > 0 && pos != heard[i-1]+1 {
				t.Fatalf("change %d of conversation %s was told after %d", pos, conversation, heard[i-1])
			}
		}
		if last := stored[len(stored)-1].Pos; heard[len(heard)-1] != last {
			t.Errorf("the last change that was told is %d, stored is %d", heard[len(heard)-1], last)
		}
		for _, item := range stored {
			if item.Type == chat.ItemMessage {
				total++
			}
		}
	}
	if want := nodes * senders * each; total != want {
		t.Errorf("%d messages are stored, want %d", total, want)
	}
}

// The same message is sent over two nodes at the same moment, as a tab does that has lost an answer.
func TestARepeatOnAnotherNodeIsTheSameMessage(t *testing.T) {
	url := pgtest.Database(t)
	a, _ := openNode(t, url)
	b, _ := openNode(t, url)
	services := []*chat.Service{chat.New(a, anyone), chat.New(b, anyone)}
	c, err := services[0].DirectWith(t.Context(), alice, "bob")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		var seqs [2]int64
		var wg sync.WaitGroup
		for n, service := range services {
			wg.Go(func() {
				m, _, err := service.Send(t.Context(), alice, chat.SendParams{Conversation: c.ID, ClientID: fmt.Sprint(i), Text: "x"})
				if err != nil {
					t.Errorf("message %d on node %d: %v", i, n, err)
				}
				seqs[n] = m.Seq
			})
		}
		wg.Wait()
		if want := int64(i + 1); seqs != [2]int64{want, want} {
			t.Fatalf("message %d has seq %v, want %d on both nodes", i, seqs, want)
		}
	}
}

// Two users write to each other for the first time at the same moment, on different nodes.
func TestOneDirectConversationOfTwoNodes(t *testing.T) {
	url := pgtest.Database(t)
	a, _ := openNode(t, url)
	b, _ := openNode(t, url)
	services := []*chat.Service{chat.New(a, anyone), chat.New(b, anyone)}
	for i := range 20 {
		x, y := chat.User{ID: fmt.Sprint("x", i)}, chat.User{ID: fmt.Sprint("y", i)}
		var ids [2]string
		var wg sync.WaitGroup
		for n, pair := range [][2]chat.User{{x, y}, {y, x}} {
			wg.Go(func() {
				m, _, err := services[n].Send(t.Context(), pair[0], chat.SendParams{To: pair[1].ID, ClientID: "first", Text: "x"})
				if err != nil {
					t.Errorf("pair %d on node %d: %v", i, n, err)
				}
				ids[n] = m.Conversation
			})
		}
		wg.Wait()
		if ids[0] != ids[1] {
			t.Fatalf("pair %d has the conversations %v", i, ids)
		}
	}
}

// Of writes that share a transaction one is refused, one panics and one needs a transaction of its
// own; the others are kept, in order.
func TestWritesOfAQueueDoNotDisturbEachOther(t *testing.T) {
	s, told := openNode(t, pgtest.Database(t))
	c := chat.New(s, anyone)
	direct, err := c.DirectWith(t.Context(), alice, "bob")
	if err != nil {
		t.Fatal(err)
	}
	conversation := direct.ID
	inside, goOn := make(chan bool), make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.write(t.Context(), conversation, func(*tx) error { close(inside); <-goOn; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-inside
	refused := errors.New("refused")
	put := func(tx *tx, id string) error {
		if err := tx.Lock([]string{conversation}, nil); err != nil {
			return err
		}
		_, _, err := chat.Append(tx, chat.Message{Conversation: conversation, Sender: "alice", ClientID: id, Kind: chat.Text, Text: id})
		return err
	}
	for i := range 20 {
		e := s.engine.(*postgresEngine)
		wg.Go(func() {
			defer func() {
				if p := recover(); (p != nil) != (i%4 == 1) {
					t.Errorf("write %d panicked with %v", i, p)
				}
			}()
			err := s.write(t.Context(), conversation, func(tx *tx) error {
				if i%4 == 2 {
					if err := tx.Lock([]string{conversation}, []string{"bob"}); err != nil {
						return err
					}
				}
				if err := put(tx, fmt.Sprint(i)); err != nil {
					return err
				}
				switch i % 4 {
				case 0:
					return refused
				case 1:
					panic("a mistake of ours")
				}
				return nil
			})
			if want := i%4 == 0; errors.Is(err, refused) != want || !want && err != nil {
				t.Errorf("write %d: %v", i, err)
			}
		})
		for e.waiting.Load() < int64(i+2) { // in order
			runtime.Gosched()
		}
	}
	close(goOn)
	wg.Wait()
	var got []string
	for _, item := range items(t, s, conversation) {
		if item.Type == chat.ItemMessage {
			_, text, _ := strings.Cut(string(item.Data), `"client_id":"`)
			id, _, _ := strings.Cut(text, `"`)
			got = append(got, id)
		}
	}
	if len(got) != 10 {
		t.Errorf("stored %v, want the ten that were neither refused nor panicked", got)
	}
	if n := len(told.items(conversation, "")); n != len(got) {
		t.Errorf("%d changes were told of %d", n, len(got))
	}
}

// The database goes away and comes back: writes and reads are refused meanwhile, typed, and go on
// by themselves.
func TestADatabaseThatIsAwayIsSaidAndComesBack(t *testing.T) {
	server, err := pgtest.Start(pgtest.Options{Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	var log strings.Builder
	s, err := Open(t.Context(), Config{URL: server.URL("postgres"), Folder: t.TempDir()}, slog.New(slog.NewTextHandler(&log, nil)), func([]chat.Told) {})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := chat.New(s, anyone)
	send := func(id string) error {
		_, _, err := c.Send(t.Context(), alice, chat.SendParams{To: "bob", ClientID: id, Text: "x"})
		return err
	}
	if err := send("before"); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(){server.Halt, server.Kill} {
		end()
		for range 3 {
			if err := send("meanwhile"); !refusal.Is(err, refusal.StorageFailed) {
				t.Errorf("write without a database: %v, want %s", err, refusal.StorageFailed)
			}
			if _, err := c.User(t.Context(), "alice", "alice"); !refusal.Is(err, refusal.StorageFailed) {
				t.Errorf("read without a database: %v, want %s", err, refusal.StorageFailed)
			}
		}
		if err := server.Resume(); err != nil {
			t.Fatal(err)
		}
		for err := send("after"); err != nil; err = send("after") { // connections that broke are noticed one by one
			if !refusal.Is(err, refusal.StorageFailed) {
				t.Fatalf("write after the database has come back: %v", err)
			}
		}
	}
	accepted, err := c.Accepted(context.Background(), "alice", []string{"before", "after"})
	if err != nil || len(accepted) != 2 {
		t.Errorf("stored are %v, %v", accepted, err)
	}
	if err := s.Close(); err != nil { // nobody writes to the log any more
		t.Error(err)
	}
	if !strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("the log says nothing of it:\n%s", log.String())
	}
}
