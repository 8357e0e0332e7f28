package chat_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"carillon/chat"
	"carillon/refusal"
	"carillon/store"
)

func TestMarksNeverGoBack(t *testing.T) {
	s, heard := listened(t, chat.Config{})
	var conversation string
	for i := range 5 {
		conversation = send(t, s, alice, "bob", fmt.Sprint(i), fmt.Sprint(i)).Conversation
	}
	if c, _ := get(t, s, "bob", conversation); unread(c) != 5 || c.LastSeq != 5 || c.Last == nil || c.Last.Text != "4" {
		t.Errorf("bob before: %+v", c)
	}
	if c, _ := get(t, s, "alice", conversation); unread(c) != 0 {
		t.Errorf("alice has %d unread of her own, want 0", unread(c))
	}
	heard.take()
	before := len(of[chat.Membership](t, feed(t, s, "bob", chat.OwnFeed), chat.ItemMembership))
	for _, m := range []chat.Marks{
		{Delivered: 2},
		{Delivered: 1},
		{Read: 1},
		{Read: 4}, // reading is receiving
		{Read: 3},
		{Delivered: 5},
		{Delivered: 99, Read: 99}, // nobody reads what is not there
		{},
	} {
		mark(t, s, "bob", conversation, m.Delivered, m.Read)
	}
	refused(t, "a seq below 0", setMarks(t.Context(), s, "bob", conversation, 0, -1), refusal.BadRequest)
	refused(t, "a seq below 0", setMarks(t.Context(), s, "bob", conversation, -1, 0), refusal.BadRequest)

	if c, m := get(t, s, "bob", conversation); m.Delivered != 5 || m.Read != 5 || c.Mine.Read != 5 || unread(c) != 0 {
		t.Errorf("bob after: delivered %d, read %d, unread %d; want 5, 5, 0", m.Delivered, m.Read, unread(c))
	}
	var told, own string
	for _, said := range heard.take() {
		for _, m := range said.Marks {
			told += fmt.Sprintf("%s %d/%d; ", m.User, m.Delivered, m.Read)
		}
		if said.User != "" {
			m := decode[chat.Membership](t, said.Item.Data)
			own += fmt.Sprintf("%s read %d of %d; ", said.User, m.Read, m.ReadN)
		}
	}
	if want := "bob 2/0; bob 2/1; bob 4/4; bob 5/4; bob 5/5; "; told != want {
		t.Errorf("the members were told\n%s, want\n%s", told, want)
	}
	if want := "bob read 1 of 1; bob read 4 of 4; bob read 5 of 5; "; own != want {
		t.Errorf("bob's tabs were told\n%s, want\n%s", own, want)
	}
	if mine := of[chat.Membership](t, feed(t, s, "bob", chat.OwnFeed), chat.ItemMembership); len(mine) != before || mine[0].Read != 5 {
		t.Errorf("bob's feed has the memberships %+v", mine)
	}
}

// Marks of many users, and of several tabs of one, are stored together; each caller is answered
// when theirs are.
func TestMarksOfAQuarterOfASecondAreOneTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		commits := &told{}
		var sizes []int
		var mu sync.Mutex
		db := open(t, store.Config{}, func(list []chat.Told) {
			commits.add(list)
			mu.Lock()
			defer mu.Unlock()
			sizes = append(sizes, len(list))
		})
		s := chat.New(db, anyone)
		members := crowd("member-", 40)
		c := group(t, s, alice, members...)
		m := say(t, s, "alice", c.ID, "a1", "Read this")
		mark(t, s, "alice", c.ID, m.Seq, m.Seq) // from here on the next marks wait
		commits.take()
		mu.Lock()
		sizes = nil
		mu.Unlock()

		began := time.Now()
		var wg sync.WaitGroup
		for _, member := range members {
			for range 2 { // two tabs
				wg.Go(func() {
					mark(t, s, member, c.ID, m.Seq, m.Seq)
					if c, _ := get(t, s, member, c.ID); c.Mine.Read != m.Seq {
						t.Errorf("%s is answered before the mark is stored", member)
					}
				})
			}
		}
		wg.Wait()
		if waited := time.Since(began); waited > 250*time.Millisecond {
			t.Errorf("the marks took %v", waited)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(sizes) != 1 {
			t.Errorf("the marks were stored in %d transactions, want 1", len(sizes))
		}
		var marks []chat.MemberMarks
		for _, said := range commits.take() {
			if said.Conversation != "" {
				marks = append(marks, said.Marks...)
			}
		}
		if len(marks) != len(members) {
			t.Errorf("told %d marks, want each member's once, which is %d", len(marks), len(members))
		}
	})
}

// What is counted stays right when members write and read at the same time.
func TestMarksAndMessagesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := service(t, chat.Config{})
		users := crowd("user-", 8)
		c := group(t, s, chat.User{ID: users[0]}, users[1:]...)
		var wg sync.WaitGroup
		for u, user := range users {
			wg.Go(func() {
				for i := range 15 {
					m := say(t, s, user, c.ID, fmt.Sprint(i), "x")
					if (i+u)%3 == 0 {
						wg.Go(func() { mark(t, s, user, c.ID, m.Seq, m.Seq-int64(u)%3) })
					}
				}
			})
		}
		wg.Wait()
		messages := history(t, s, users[0], c.ID)
		for _, user := range users {
			c, _ := get(t, s, user, c.ID)
			var want int64
			for _, m := range messages {
				if m.Sender != user && m.Seq > c.Mine.Read {
					want++
				}
			}
			if unread(c) != want || c.Mine.Read == 0 {
				t.Errorf("%s has %d unread, want %d: %+v", user, unread(c), want, c.Mine)
			}
		}
	})
}

// A mark is answered also when whoever would store it has given up.
func TestMarksAreStoredWhoeverGivesUp(t *testing.T) {
	s := service(t, chat.Config{})
	m := send(t, s, alice, "bob", "a1", "x")
	mark(t, s, "alice", m.Conversation, 1, 1) // the next ones wait
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var wg sync.WaitGroup
	wg.Go(func() { _ = setMarks(gone, s, "alice", m.Conversation, 1, 1) })
	wg.Go(func() { mark(t, s, "bob", m.Conversation, 1, 1) })
	wg.Wait()
	if _, me := get(t, s, "bob", m.Conversation); me.Read != 1 {
		t.Errorf("bob's mark is %d, want 1", me.Read)
	}
}

// Of many members it is told how many have read, and whoever looks sees the same.
func TestInLargeGroupsMarksAreCounted(t *testing.T) {
	s := service(t, chat.Config{MarksMembers: 2})
	small, large := group(t, s, alice, "bob"), group(t, s, alice, "bob", "carol")
	for i := range 60 {
		say(t, s, "alice", large.ID, fmt.Sprint(i), "x")
	}
	say(t, s, "alice", small.ID, "small", "x")
	mark(t, s, "bob", large.ID, 60, 59)
	mark(t, s, "carol", large.ID, 12, 0)
	mark(t, s, "bob", small.ID, 1, 1)
	if s.CountsMarks(chat.Head{Count: small.Count}) || !s.CountsMarks(chat.Head{Count: large.Count}) {
		t.Error("marks are counted in the small group, or told one by one in the large one")
	}
	list, err := s.Marks(t.Context(), "alice", []string{small.ID, large.ID, "none"})
	if err != nil || len(list) != 2 {
		t.Fatalf("marks of %d conversations, %v", len(list), err)
	}
	want := []chat.MemberMarks{{User: "alice"}, {User: "bob", Marks: chat.Marks{Delivered: 1, Read: 1}}}
	if !slices.Equal(list[0].Members, want) || list[0].Counts != nil {
		t.Errorf("of the small one: %+v, want %+v", list[0], want)
	}
	counts := list[1].Counts
	if list[1].Members != nil || len(counts) != 50 || counts[0] != (chat.MarkCount{Seq: 11, Delivered: 2, Read: 1}) ||
		counts[1] != (chat.MarkCount{Seq: 12, Delivered: 2, Read: 1}) || counts[2] != (chat.MarkCount{Seq: 13, Delivered: 1, Read: 1}) ||
		counts[49] != (chat.MarkCount{Seq: 60, Delivered: 1, Read: 0}) {
		t.Errorf("of the large one: %+v", list[1])
	}
	if told, err := s.MarkCounts(t.Context(), large.ID); err != nil || !slices.Equal(told, counts) {
		t.Errorf("told %+v, %v; want what is answered", told, err)
	}
	if _, me := get(t, s, "bob", large.ID); me.Read != 59 {
		t.Errorf("bob's mark is %d, want 59", me.Read)
	}
}

// A missed call is unread for who missed it, until they have read beyond it.
func TestAMissedCallIsUnreadForWhoMissedIt(t *testing.T) {
	heard := &told{}
	db := open(t, store.Config{}, heard.add)
	s := chat.New(db, anyone)
	c := group(t, s, alice, "bob", "carol")
	ring := func(missed ...string) (m chat.Message) {
		t.Helper()
		err := db.Write(t.Context(), c.ID, func(tx chat.Tx) (err error) {
			if err := tx.Lock([]string{c.ID}, missed); err != nil {
				return err
			}
			if m, _, err = chat.Append(tx, chat.Message{Conversation: c.ID, Sender: "alice", Kind: chat.Call, Data: []byte(`{}`)}); err != nil {
				return err
			}
			for range 2 { // a call changes more than once after somebody has missed it
				if m, _, err = chat.Revise(tx, m, missed); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	check := func(want map[string]int64) {
		t.Helper()
		for user, want := range want {
			if c, _ := get(t, s, user, c.ID); unread(c) != want {
				t.Errorf("%s has %d unread, want %d: %+v", user, unread(c), want, c)
			}
		}
	}
	say(t, s, "alice", c.ID, "a1", "hello")
	heard.take()
	first := ring("bob", "nobody")
	check(map[string]int64{"alice": 0, "bob": 2, "carol": 1})
	bobs := 0
	for _, said := range heard.take() {
		if said.User == "bob" {
			bobs++
		}
	}
	if bobs != 1 {
		t.Errorf("bob was told %d times of the call he missed, want once", bobs)
	}
	ring("bob")
	check(map[string]int64{"bob": 3})
	mark(t, s, "bob", c.ID, 99, first.Seq+1)
	check(map[string]int64{"alice": 0, "bob": 0, "carol": 1})
	if _, err := s.Conversation(t.Context(), "nobody", c.ID); err == nil {
		t.Error("who is no member has become one by missing a call")
	}
}
