package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/call"
	"carillon/chat"
)

// write is a message of a group that was sent some time ago.
func (tx *tx) write(group, sender, id, text string, ago time.Duration) error {
	m := chat.Message{Conversation: group, Sender: sender, ClientID: id, Kind: chat.Text, Text: text, SentAt: tx.now - ago.Milliseconds()}
	_, err := tx.append(&m)
	return err
}

const day = 24 * time.Hour

// What is older than the site keeps is gone from the beginning of a conversation, and its head says
// where it begins now. A tab that comes back with less starts the feed afresh.
func TestRetentionRaisesTheFloor(t *testing.T) {
	s, _ := open(t, Config{RetentionDays: 30})
	const old = 120
	put(t, s, func(tx *tx) error {
		if err := tx.putGroup("g", "alice", "bob"); err != nil {
			return err
		}
		for i := range old {
			if err := tx.write("g", "alice", fmt.Sprint("old-", i), "old", 31*day); err != nil {
				return err
			}
		}
		for i := range 2 {
			if err := tx.write("g", "alice", fmt.Sprint("new-", i), "new", 29*day); err != nil {
				return err
			}
		}
		p, _, err := tx.Participation("g", "alice") // who has not read what came before what she wrote
		if err != nil {
			return err
		}
		p.Conversation, p.Read, p.ReadN, p.OwnAhead = "g", 20, 20, old+2-20
		q, _, err := tx.Participation("g", "bob") // who has read nothing and missed two calls
		if err != nil {
			return err
		}
		q.Conversation, q.Missed, q.MissedSeq = "g", 2, old
		return tx.PutMarks([]chat.Participation{p, q})
	})
	before := get(t, s, func(v *view) (chat.Head, error) { h, _, err := v.Head("g"); return h, err })
	tags := get(t, s, func(v *view) (map[chat.Point]chat.Tag, error) {
		return v.ConversationTags([]chat.Point{{Conversation: "g", Pos: before.Pos}})
	})
	if err := s.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	get(t, s, func(v *view) (bool, error) {
		items, err := v.After("g", 0, 10)
		if err != nil || len(items) != 2 || items[0].Seq != old+1 {
			t.Errorf("left are %v, %v, want the 2 new messages", items, err)
		}
		h, _, err := v.Head("g")
		if want := (chat.Floor{Seq: old, N: old, Pos: before.Pos - 2}); h.Floor != want {
			t.Errorf("got floor %+v, want %+v", h.Floor, want)
		}
		if h.Pos != before.Pos || h.Minute != before.Minute || h.LastSeq != old+2 || h.N != old+2 {
			t.Errorf("the head was %+v and is %+v: only the floor changes", before, h)
		}
		if err != nil {
			return false, err
		}
		p, _, err := v.Participation("g", "alice")
		if p.OwnAhead != 2 {
			t.Errorf("alice has %d messages of her own beyond her mark, want 2", p.OwnAhead)
		}
		return true, err
	})

	c := chat.New(s, anyone)
	for user, want := range map[string]int64{"alice": 0, "bob": 2} {
		h, err := c.Conversation(t.Context(), user, "g")
		if unread := h.N - max(h.Mine.ReadN, h.Floor.N) - h.Mine.OwnAhead + h.Mine.Missed; err != nil || unread != want {
			t.Errorf("%s has %d unread, %v, want %d: what was removed is unread for nobody", user, unread, err, want)
		}
	}
	for after, want := range map[int64]bool{before.Pos - 3: true, before.Pos - 2: false, before.Pos: false} {
		changes, err := c.Changes(t.Context(), "bob", "g", after, 0)
		if err != nil || changes.Reset != want {
			t.Errorf("changes after %d of %d: reset %t, %v, want %t", after, before.Pos, changes.Reset, err, want)
		}
	}
	for pos, want := range map[int64]int{before.Pos - 3: 1, before.Pos: 0} {
		feeds := map[string]chat.FeedPosition{"g": {Pos: pos, Newest: []chat.Place{{Pos: before.Pos, Tag: tags[chat.Point{Conversation: "g", Pos: before.Pos}]}}}}
		r, err := c.Resume(t.Context(), "bob", s.Opening(), time.Now().UnixMilli(), feeds)
		if err != nil || len(r.Diverged) != want {
			t.Errorf("a tab at %d of %d: %v has diverged, %v, want %d feeds", pos, before.Pos, r.Diverged, err, want)
		}
	}
	page, err := c.Page(t.Context(), "bob", "g", old+1, 0, 0)
	if err != nil || len(page.Items) != 0 || page.More {
		t.Errorf("a page of what was removed has %d items, more %t, %v", len(page.Items), page.More, err)
	}
}

// Many messages, large and small, are removed in steps. Nobody waits for longer than one takes;
// how long these took is shown.
func TestRetentionRemovesInSmallSteps(t *testing.T) {
	s, _ := open(t, Config{RetentionDays: 30})
	large := strings.Repeat("x", 16<<10)
	put(t, s, func(tx *tx) error { return tx.putGroup("g", "alice", "bob") })
	const messages, batch = 4000, 200
	for from := 0; from < messages; from += batch {
		put(t, s, func(tx *tx) error {
			for i := from; i < from+batch; i++ {
				text := "short"
				if i%4 == 0 {
					text = large
				}
				if err := tx.write("g", "alice", fmt.Sprint(i), text, 31*day); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := s.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if items := get(t, s, func(v *view) ([]chat.Item, error) { return v.After("g", 0, 10) }); len(items) != 0 {
		t.Errorf("%d messages are left", len(items))
	}
	t.Log(stepsOf(t, s))
}

// stepsOf says how many steps took how long.
func stepsOf(t *testing.T, s *Store) string {
	t.Helper()
	reg := prometheus.NewRegistry()
	if err := s.Register(reg); err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "carillon_store_step_seconds" {
			h := f.GetMetric()[0].GetHistogram()
			said := fmt.Sprintf("%d steps, %.2f ms on average", h.GetSampleCount(), 1000*h.GetSampleSum()/float64(h.GetSampleCount()))
			for _, b := range h.GetBucket() {
				said += fmt.Sprintf("; %d within %g ms", b.GetCumulativeCount(), 1000*b.GetUpperBound())
			}
			return said
		}
	}
	t.Fatal("the steps are not measured")
	return ""
}

// Without retention messages stay, and what nobody can ask for any more is removed all the same.
func TestTablesDoNotGrowForEver(t *testing.T) {
	s, _ := open(t, Config{})
	_, conversation := direct(t, s)
	const old = 60 * day
	for i, c := range []struct {
		state call.State
		ago   time.Duration
	}{{call.Ended, old}, {call.Ended, 29 * day}, {call.Active, old}} {
		r := ring(fmt.Sprint("call-", i), "alice", fmt.Sprint("client-", i), conversation)
		r.Direct, r.Log.State = false, c.state
		r.UpdatedAt = get(t, s, func(v *view) (int64, error) { return v.now, nil }) - c.ago.Milliseconds()
		if _, _, err := s.CreateCall(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	at := func(tx *tx, ago time.Duration) (chat.Place, error) {
		tx.now -= ago.Milliseconds()
		places, err := tx.NextPlaces([]string{"alice"})
		if err != nil {
			return chat.Place{}, err
		}
		return places[0], nil
	}
	for _, name := range []string{"there", "gone", "gone lately"} {
		ago := old
		if name == "gone lately" {
			ago = 29 * day
		}
		put(t, s, func(tx *tx) error {
			place, err := at(tx, ago)
			if err != nil {
				return err
			}
			return tx.PutContact("alice", name, name != "there", place)
		})
		put(t, s, func(tx *tx) error {
			place, err := at(tx, ago)
			if err != nil {
				return err
			}
			return tx.PutOwnItem("alice", chat.OwnItem{Type: chat.ItemObject, Name: name, Data: []byte(`{}`), Removed: name != "there"}, place)
		})
	}
	put(t, s, func(tx *tx) error {
		if err := tx.putGroup("g", "alice"); err != nil {
			return err
		}
		return tx.write("g", "alice", "old", "kept", 1000*day)
	})

	if err := s.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"SELECT id FROM calls ORDER BY id": "[call-1 call-2]",
		"SELECT contact FROM contacts WHERE user_id = 'alice' AND contact <> 'bob' ORDER BY 1": "[gone lately there]",
		"SELECT item_name FROM own_items WHERE user_id = 'alice' ORDER BY 1":                   "[gone lately there]",
		"SELECT content FROM messages WHERE conversation = 'g'":                                "[kept]",
		"SELECT client_id FROM sent WHERE client_id = 'old'":                                   "[]",
	} {
		if got := fmt.Sprint(get(t, s, func(v *view) ([]string, error) { return collect(v.conn, scanString, query) })); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// A tab that was away for longer than what was removed is remembered begins anew.
func TestATabThatWasAwayForLongBeginsAnew(t *testing.T) {
	s, _ := open(t, Config{})
	put(t, s, func(tx *tx) error { // this process has run for a year
		_, err := tx.exec("UPDATE openings SET opened_at = opened_at - ? WHERE id = ?", (365 * day).Milliseconds(), s.Opening())
		return err
	})
	for ago, want := range map[time.Duration]bool{29 * day: true, 31 * day: false} {
		got := get(t, s, func(v *view) (bool, error) { return v.Known(s.Opening(), v.now-ago.Milliseconds()) })
		if got != want {
			t.Errorf("after %s: known %t, want %t", ago, got, want)
		}
	}
}

func TestAPaceFollowsWhatStepsTake(t *testing.T) {
	var p pace
	if p.next() != 1 {
		t.Errorf("the first step has %d rows, want 1", p.next())
	}
	took := func(perRow time.Duration) {
		for range 40 {
			n := p.next()
			p.took(n, time.Duration(n)*perRow)
		}
	}
	took(100 * time.Microsecond)
	if n := p.next(); n < 6 || n > 25 {
		t.Errorf("at 100 µs a row a step has %d rows, want 1 to 3 ms of them", n)
	}
	took(time.Nanosecond)
	if p.next() != stepMost {
		t.Errorf("at next to nothing a row a step has %d rows, want %d", p.next(), stepMost)
	}
	took(time.Second)
	if p.next() != 1 {
		t.Errorf("at a second a row a step has %d rows, want 1", p.next())
	}
}

// Reactions go with their messages, and a tab that has them and not their end starts the feed afresh.
func TestRetentionRemovesReactions(t *testing.T) {
	s, _ := open(t, Config{RetentionDays: 30})
	c := chat.New(s, anyone)
	put(t, s, func(tx *tx) error {
		if err := tx.putGroup("g", "alice"); err != nil {
			return err
		}
		if err := tx.write("g", "alice", "old", "old", 31*day); err != nil {
			return err
		}
		return tx.write("g", "alice", "new", "new", 29*day)
	})
	var last chat.Place
	for _, seq := range []int64{2, 1} {
		var err error
		if _, last, err = c.React(t.Context(), "alice", "g", seq, "👍", true); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := get(t, s, func(v *view) (chat.Head, error) { h, _, err := v.Head("g"); return h, err })
	if h.Floor.Seq != 1 || h.Floor.Pos != last.Pos {
		t.Errorf("the floor is %+v, want that of the reaction at %d", h.Floor, last.Pos)
	}
	for query, want := range map[string]string{
		"SELECT emoji FROM reactions ORDER BY seq": "[👍]",
		"SELECT counts FROM reacted":               `[{"👍":1}]`,
	} {
		if got := fmt.Sprint(get(t, s, func(v *view) ([]string, error) { return collect(v.conn, scanString, query) })); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}
