package store

import (
	"fmt"
	"sync"
	"testing"

	"carillon/chat"
	"carillon/refusal"
)

// Among messages that are sent together some are refused, some were sent before, some are there twice,
// and one makes the whole panic. The others are stored once each, in the order in which they came.
func TestMessagesSentTogetherDoNotDisturbEachOther(t *testing.T) {
	s, told := open(t, Config{})
	c := chat.New(s, anyone)
	conversation, err := c.Create(t.Context(), alice, chat.CreateParams{Kind: chat.Group, Members: []string{"bob"}, Vouched: true})
	if err != nil {
		t.Fatal(err)
	}
	send := func(sender chat.User, id string) (chat.Message, error) {
		m, _, err := c.Send(t.Context(), sender, chat.SendParams{Conversation: conversation.ID, ClientID: id, Text: id})
		return m, err
	}
	before, err := send(alice, "before")
	if err != nil {
		t.Fatal(err)
	}
	for _, panics := range []bool{false, true} {
		release := holdOn(t, s, conversation.ID)
		var wg sync.WaitGroup
		seqs := make([]int64, 24)
		for i := range seqs {
			wg.Go(func() {
				var err error
				var m chat.Message
				switch i % 6 {
				case 0:
					m, err = send(alice, fmt.Sprintf("%t%d", panics, i))
				case 1:
					m, err = send(bob, fmt.Sprintf("%t%d", panics, i))
				case 2: // as the one before
					m, err = send(bob, fmt.Sprintf("%t%d", panics, i-1))
				case 3:
					if _, err := send(carol, fmt.Sprintf("%t%d", panics, i)); !refusal.Is(err, refusal.NotFound) {
						t.Errorf("who is no member: %v, want %s", err, refusal.NotFound)
					}
				case 4:
					if m, err = send(alice, "before"); m.Seq != before.Seq {
						t.Errorf("what was sent before has seq %d now, had %d", m.Seq, before.Seq)
					}
				case 5:
					if !panics {
						return
					}
					defer func() {
						if recover() == nil {
							t.Error("no panic")
						}
					}()
					err = s.Send(t.Context(), conversation.ID, nil)
				}
				if seqs[i] = m.Seq; err != nil {
					t.Errorf("message %d: %v", i, err)
				}
			})
			if i%6 != 5 || panics {
				n := i + 1
				if !panics {
					n -= i / 6
				}
				waiting(s, n) // in order
			}
		}
		if err := release(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		next := before.Seq
		if panics {
			next += 8
		}
		for i, seq := range seqs {
			switch i % 6 {
			case 0, 1:
				if next++; seq != next {
					t.Errorf("with panics %t, message %d has seq %d, want %d", panics, i, seq, next)
				}
			case 2:
				if seq != next {
					t.Errorf("with panics %t, the repeated message %d has seq %d, want %d", panics, i, seq, next)
				}
			}
		}
	}
	if n := len(feedOf(t, s, conversation.ID)); n != 17 {
		t.Errorf("stored are %d messages, want 17", n)
	}
	for i, item := range told.items(conversation.ID, "") {
		if item.Pos != int64(i+4) { // the settings and the members are not told
			t.Errorf("change %d was told at place %d", item.Pos, i)
		}
	}
	for user, want := range map[string]int64{"alice": 9, "bob": 8} {
		p := get(t, s, func(v *view) (chat.Participation, error) {
			p, _, err := v.Participation(conversation.ID, user)
			return p, err
		})
		if p.OwnAhead != want {
			t.Errorf("%s has written %d messages beyond the mark, counted are %d", user, want, p.OwnAhead)
		}
	}
}
