package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"carillon/chat"
)

// put is a write that must succeed.
func put(t testing.TB, s *Store, f func(*tx) error) {
	t.Helper()
	if err := s.write(context.Background(), "", f); err != nil {
		t.Fatal(err)
	}
}

// get is a read that must succeed.
func get[T any](t testing.TB, s *Store, f func(*view) (T, error)) (got T) {
	t.Helper()
	if err := s.read(context.Background(), func(v *view) (err error) {
		got, err = f(v)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

// putGroup makes a group of users who have joined, each at a place of its own in both feeds.
func (tx *tx) putGroup(id string, users ...string) error {
	if _, err := tx.PutConversation(chat.Head{ID: id, Kind: chat.Group, Name: id, Version: 1}); err != nil {
		return err
	}
	_, at, err := tx.NextPlace(id, 1)
	if err != nil {
		return err
	}
	if err := tx.PutSettings(id, chat.Settings{Name: id}, at); err != nil {
		return err
	}
	return tx.putMembers(id, chat.Joined, 0, users...)
}

func (tx *tx) putMembers(conversation string, state chat.MemberState, fromSeq int64, users ...string) error {
	_, at, err := tx.NextPlace(conversation, len(users))
	if err != nil {
		return err
	}
	own, err := tx.NextPlaces(users)
	if err != nil {
		return err
	}
	rows := make([]chat.Participation, len(users))
	for i, user := range users {
		rows[i] = chat.Participation{User: user, InFeed: chat.Place{Pos: at.Pos + int64(i), Tag: at.Tag}, InOwn: own[i],
			Membership: chat.Membership{Conversation: conversation, State: state, Role: chat.Ordinary, FromSeq: fromSeq}}
	}
	_, err = tx.PutParticipations(conversation, rows)
	return err
}

func (tx *tx) post(conversation, sender, text string) (chat.Message, chat.Place, error) {
	m := chat.Message{Conversation: conversation, Sender: sender, Kind: chat.Text, Text: text, SentAt: tx.now}
	at, err := tx.append(&m)
	m.ID = chat.MessageID(conversation, m.Seq)
	return m, at, err
}

// append stores a message in the next place.
func (tx *tx) append(m *chat.Message) (chat.Place, error) {
	at, err := tx.NextMessages([]*chat.Message{m})
	if err != nil {
		return chat.Place{}, err
	}
	return at[0], tx.PutMessages([]*chat.Message{m}, at)
}

// brief is items as type@pos, messages with their text.
func brief(items []chat.Item) string {
	var out []string
	for _, i := range items {
		one := fmt.Sprintf("%s@%d", i.Type, i.Pos)
		if i.Type == chat.ItemMessage {
			var m chat.Message
			if err := json.Unmarshal(i.Data, &m); err != nil {
				return err.Error()
			}
			one = fmt.Sprintf("%s@%d", m.Text, i.Pos)
		}
		out = append(out, one)
	}
	return strings.Join(out, " ")
}

func changes(t testing.TB, s *Store, conversation string, after, from int64, limit int) []chat.Item {
	t.Helper()
	return get(t, s, func(v *view) ([]chat.Item, error) { return v.ConversationChanges(conversation, after, from, limit) })
}

func userChanges(t testing.TB, s *Store, user string, after int64, memberships bool, limit int) []chat.Item {
	t.Helper()
	return get(t, s, func(v *view) ([]chat.Item, error) { return v.UserChanges(user, after, memberships, limit) })
}

// Many change one conversation and one user's feed at once. Every number is given once, and none is left out.
func TestAFeedHasNoGap(t *testing.T) {
	s, _ := open(t, Config{})
	put(t, s, func(tx *tx) error { return tx.putGroup("g", "alice", "bob") }) // 3 and 1 changes
	const writers, each = 8, 30
	var mu sync.Mutex
	var places, own []int64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				var inFeed, inOwn []int64
				err := s.write(context.Background(), "g", func(tx *tx) error {
					inFeed, inOwn = nil, nil
					m, at, err := tx.post("g", "alice", "x")
					if err != nil {
						return err
					}
					inFeed = append(inFeed, at.Pos)
					if i%2 == 0 { // changed twice in one write
						if _, at, err = tx.NextPlace("g", 1); err != nil {
							return err
						}
						inFeed = append(inFeed, at.Pos)
						if err := tx.ChangeMessage(m, at); err != nil {
							return err
						}
					}
					mine, err := tx.NextPlaces([]string{"alice", "bob", "alice"})
					if err != nil {
						return err
					}
					if mine[2].Pos != mine[0].Pos+1 {
						t.Errorf("alice's places are %d and %d, want neighbours", mine[0].Pos, mine[2].Pos)
					}
					inOwn = append(inOwn, mine[0].Pos, mine[2].Pos)
					if i%5 == 4 {
						return errChanged // takes its numbers back
					}
					return nil
				})
				if err != nil && err != errChanged {
					t.Errorf("writer %d: %v", w, err)
				}
				if err == nil {
					mu.Lock()
					places, own = append(places, inFeed...), append(own, inOwn...)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	gapless(t, "conversation", places, 4)
	gapless(t, "user", own, 2)
	head := get(t, s, func(v *view) (chat.Head, error) { h, _, err := v.Head("g"); return h, err })
	if want := slices.Max(places); head.Pos != want || head.LastSeq != writers*each*4/5 || head.N != head.LastSeq {
		t.Errorf("head is at pos %d, seq %d, n %d; want pos %d and %d messages", head.Pos, head.LastSeq, head.N, want, writers*each*4/5)
	}
	if pos := get(t, s, func(v *view) (int64, error) { return v.UserPos("alice") }); pos != slices.Max(own) {
		t.Errorf("alice's feed is at %d, want %d", pos, slices.Max(own))
	}
	after := int64(0)
	for n := 0; ; n++ {
		page := changes(t, s, "g", after, 0, 17)
		for _, item := range page {
			if item.Pos <= after {
				t.Fatalf("item at %d after %d", item.Pos, after)
			}
			after = item.Pos
		}
		if len(page) < 17 {
			if got, want := n*17+len(page), writers*each*4/5+3; got != want || after != head.Pos {
				t.Errorf("%d items up to pos %d, want each of %d once, up to %d", got, after, want, head.Pos)
			}
			break
		}
	}
}

var errChanged = fmt.Errorf("changed my mind")

func gapless(t *testing.T, feed string, places []int64, from int64) {
	t.Helper()
	slices.Sort(places)
	for i, pos := range places {
		if pos != from+int64(i) {
			t.Fatalf("feed of the %s: place %d is %d, want %d", feed, i, pos, from+int64(i))
		}
	}
}

func TestAnItemMovesToItsNewestPlace(t *testing.T) {
	s, _ := open(t, Config{})
	put(t, s, func(tx *tx) error {
		if err := tx.putGroup("g", "alice", "bob"); err != nil {
			return err
		}
		for _, text := range []string{"one", "two", "three"} {
			if _, _, err := tx.post("g", "alice", text); err != nil {
				return err
			}
		}
		return nil
	})
	if got, want := brief(changes(t, s, "g", 0, 0, 100)), "conversation@1 member@2 member@3 one@4 two@5 three@6"; got != want {
		t.Errorf("the feed is %s, want %s", got, want)
	}
	put(t, s, func(tx *tx) error {
		m, _, _, err := tx.Message("g", 1)
		if err != nil {
			return err
		}
		for m.Revision = 1; m.Revision <= 2; m.Revision++ {
			_, at, err := tx.NextPlace("g", 1)
			if err != nil {
				return err
			}
			m.Text = fmt.Sprint("one, revised ", m.Revision)
			if err := tx.ChangeMessage(m, at); err != nil {
				return err
			}
		}
		_, at, err := tx.NextPlace("g", 1)
		if err != nil {
			return err
		}
		if err := tx.PutSettings("g", chat.Settings{Name: "G"}, at); err != nil {
			return err
		}
		return tx.putMembers("g", chat.Gone, 0, "bob")
	})
	for _, c := range []struct {
		after, from int64
		limit       int
		want        string
	}{
		{0, 0, 100, "member@2 two@5 three@6 one, revised 2@8 conversation@9 member@10"},
		{0, 0, 2, "member@2 two@5"},
		{5, 0, 2, "three@6 one, revised 2@8"},
		{8, 0, 2, "conversation@9 member@10"},
		{10, 0, 2, ""},
		{0, 2, 100, "member@2 two@5 three@6 conversation@9 member@10"}, // who came after the first message
		{6, 4, 100, "conversation@9 member@10"},
	} {
		if got := brief(changes(t, s, "g", c.after, c.from, c.limit)); got != c.want {
			t.Errorf("changes after %d from message %d on, %d of them: %s, want %s", c.after, c.from, c.limit, got, c.want)
		}
	}
	for pos, want := range map[int64]string{9: `{"name":"G"}`, 10: `"state":"gone"`} {
		if got := string(changes(t, s, "g", pos-1, 0, 1)[0].Data); !strings.Contains(got, want) {
			t.Errorf("the item at %d is %s, want %s in it", pos, got, want)
		}
	}
	history := get(t, s, func(v *view) ([]chat.Item, error) { return v.Before("g", 4, 2, 100) })
	if got := brief(history); got != "three@6 two@5" {
		t.Errorf("history is %s, want newest first and nothing from before the second", got)
	}
	if got := brief(get(t, s, func(v *view) ([]chat.Item, error) { return v.After("g", 0, 2) })); got != "one, revised 2@8 two@5" {
		t.Errorf("history after the start is %s", got)
	}
}

func TestAUsersFeed(t *testing.T) {
	s, _ := open(t, Config{})
	var contact, gone, kept, removed chat.Place
	put(t, s, func(tx *tx) error {
		if err := tx.PutUser(bob); err != nil {
			return err
		}
		if err := tx.putGroup("g", "alice"); err != nil { // @1
			return err
		}
		places, err := tx.NextPlaces([]string{"alice", "alice", "alice", "alice"}) // @2 to @5
		if err != nil {
			return err
		}
		contact, gone, kept, removed = places[0], places[1], places[2], places[3]
		if err := tx.PutContact("alice", "bob", false, contact); err != nil {
			return err
		}
		if err := tx.PutContact("alice", "carol", true, gone); err != nil {
			return err
		}
		theme := chat.OwnItem{Type: chat.ItemObject, Name: "theme", Data: []byte(`{"key":"theme","value":"<dark>","tab":"tab-1"}`)}
		if err := tx.PutOwnItem("alice", theme, kept); err != nil {
			return err
		}
		draft := chat.OwnItem{Type: chat.ItemObject, Name: "draft", Data: []byte(`{"key":"draft","value":null,"tab":"tab-1"}`), Removed: true}
		return tx.PutOwnItem("alice", draft, removed)
	})
	if got, want := brief(userChanges(t, s, "alice", 0, true, 100)), "membership@1 contact@2 contact@3 object@4 object@5"; got != want {
		t.Errorf("alice's feed is %s, want %s", got, want)
	}
	without := userChanges(t, s, "alice", 0, false, 100)
	for i, want := range []string{
		`{"id":"bob","name":"Bob"}`, `{"id":"carol","name":"carol","gone":true}`,
		`{"key":"theme","value":"<dark>","tab":"tab-1"}`, `{"key":"draft","value":null,"tab":"tab-1"}`,
	} {
		if len(without) != 4 || string(without[i].Data) != want {
			t.Fatalf("item %d of %s is %s, want %s", i, brief(without), without[i].Data, want)
		}
	}
	if got := brief(userChanges(t, s, "alice", 2, true, 2)); got != "contact@3 object@4" {
		t.Errorf("a page of two after 2 is %s", got)
	}
	objects := get(t, s, func(v *view) ([]chat.OwnItem, error) { return v.OwnItems("alice", chat.ItemObject, "", 10) })
	if len(objects) != 1 || objects[0].Name != "theme" {
		t.Errorf("alice's objects are %v, want one that was not removed", objects)
	}
	get(t, s, func(v *view) (int, error) {
		count, bytes, err := v.OwnItemsSize("alice", chat.ItemObject)
		if want := len(`{"key":"theme","value":"<dark>","tab":"tab-1"}`); count != 1 || bytes != want {
			t.Errorf("alice has %d objects of %d bytes, want 1 of %d", count, bytes, want)
		}
		return count, err
	})
	contacts := get(t, s, func(v *view) ([]chat.User, error) { return v.Contacts("alice", "", 10) })
	if len(contacts) != 1 || contacts[0] != bob {
		t.Errorf("alice's contacts are %v, want bob alone", contacts)
	}
	if of := get(t, s, func(v *view) ([]string, error) { return v.AreContacts([]string{"alice", "dora"}, "bob") }); !slices.Equal(of, []string{"alice"}) {
		t.Errorf("bob is a contact of %v, want of alice alone", of)
	}
	if of := get(t, s, func(v *view) ([]string, error) { return v.AreContacts([]string{"alice"}, "carol") }); len(of) != 0 {
		t.Errorf("carol is a contact of %v, though she was removed", of)
	}
}

// A tag is one per write, and is found at the place of the item only.
func TestTagsTellHistoriesApart(t *testing.T) {
	s, _ := open(t, Config{})
	put(t, s, func(tx *tx) error { return tx.putGroup("g", "alice") }) // settings 1, member 2; alice 1
	put(t, s, func(tx *tx) error {
		if _, _, err := tx.post("g", "alice", "x"); err != nil { // 3
			return err
		}
		at, err := tx.NextPlaces([]string{"alice", "alice"})
		if err != nil {
			return err
		}
		if err := tx.PutContact("alice", "bob", false, at[0]); err != nil { // 2
			return err
		}
		return tx.PutOwnItem("alice", chat.OwnItem{Type: chat.ItemObject, Name: "k", Data: []byte("{}")}, at[1]) // 3
	})
	points := []chat.Point{{Conversation: "g", Pos: 1}, {Conversation: "g", Pos: 2}, {Conversation: "g", Pos: 3}, {Conversation: "g", Pos: 4}, {Conversation: "h", Pos: 1}}
	tags := get(t, s, func(v *view) (map[chat.Point]chat.Tag, error) { return v.ConversationTags(points) })
	own := get(t, s, func(v *view) (map[int64]chat.Tag, error) { return v.UserTags("alice", []int64{1, 2, 3, 4}) })
	if len(tags) != 3 || len(own) != 3 {
		t.Fatalf("tags %v and %v, want three each", tags, own)
	}
	first, second := tags[points[0]], tags[points[2]]
	if first == 0 || second == 0 || first == second || tags[points[1]] != first || own[1] != first || own[2] != second || own[3] != second {
		t.Errorf("tags %v and %v: want one for what each write changed", tags, own)
	}
}
