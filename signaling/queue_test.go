package signaling

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/call"
	"carillon/chat"
	"carillon/wire"
)

func words(n int) *frame { return &frame{data: []byte(strings.Repeat("x", n))} }

func TestSlowTabLosesFirstWhatDoesNotMatter(t *testing.T) {
	now := time.Unix(1000, 0)
	q := queue{limit: 100, maxAge: time.Minute}
	push := func(n int, c class, key string) (int, bool) {
		dropped, merged, ok := q.push(item{frame: words(n), class: c, key: key, at: now})
		return dropped + merged, ok
	}
	push(30, durable, "")
	push(20, ephemeral, "")
	push(20, mergeable, "r1")
	push(10, mergeable, "r2")
	if dropped, ok := push(20, mergeable, "r1"); dropped != 0 || !ok {
		t.Errorf("at the limit: dropped %d, ok %v", dropped, ok)
	}
	if dropped, ok := push(20, durable, ""); dropped != 1 || !ok || q.bytes != 100 {
		t.Errorf("over it: dropped %d, ok %v, %d bytes; want the ephemeral one only", dropped, ok, q.bytes)
	}
	if dropped, ok := push(20, durable, ""); dropped != 1 || !ok || q.bytes != 100 {
		t.Errorf("again: dropped %d, ok %v, %d bytes; want the older receipt only", dropped, ok, q.bytes)
	}
	if _, ok := push(1, durable, ""); ok {
		t.Error("nothing is left to drop: still ok")
	}
}

func TestATabThatTakesNothingIsTooSlow(t *testing.T) {
	now := time.Unix(1000, 0)
	q := queue{limit: 100, maxAge: time.Minute}
	push := func(after time.Duration) bool {
		_, _, ok := q.push(item{frame: words(1), at: now.Add(after)})
		return ok
	}
	push(0)
	if !push(time.Minute) {
		t.Error("it has taken nothing for a minute: too slow")
	}
	q.take(nil, 1, now.Add(time.Minute))
	if !push(2 * time.Minute) {
		t.Error("it has taken something a minute ago: too slow")
	}
	if push(2*time.Minute + 1) {
		t.Error("it has taken nothing for longer: still ok")
	}
	q.take(nil, 1000, now.Add(time.Hour))
	if !push(10 * time.Hour) {
		t.Error("an empty queue is too old")
	}
}

// Whatever happens in the feeds of a tab, what waits for it stays within the limit, and it learns
// how far each has come.
func TestChangesOfASlowTabCollapse(t *testing.T) {
	q := queue{limit: 200, maxAge: time.Minute}
	for pos := range int64(1000) {
		for _, feed := range []string{"a", "b"} {
			if _, _, ok := q.push(item{frame: words(30), class: change, key: feed, pos: pos + 1}); !ok || q.bytes > q.limit {
				t.Fatalf("%d of %s: ok %v, %d bytes", pos, feed, ok, q.bytes)
			}
		}
	}
	q.push(item{frame: words(50)})
	told := map[string]int64{}
	for !q.empty() {
		for _, it := range q.take(nil, 100, time.Time{}) {
			if it.class != change {
				continue
			}
			if it.pos <= told[it.key] {
				t.Errorf("%s: %d after %d", it.key, it.pos, told[it.key])
			}
			told[it.key] = it.pos
		}
	}
	if told["a"] != 1000 || told["b"] != 1000 {
		t.Errorf("told up to %v, want 1000 of each", told)
	}
	if q.bytes != 0 || q.items != nil || q.bare != nil {
		t.Errorf("the empty queue keeps %+v", q)
	}
}

// A change that came while hello was answered is told after the welcome.
func TestTheWelcomeIsTakenFirst(t *testing.T) {
	now := time.Unix(1000, 0)
	q := queue{limit: 100, maxAge: time.Minute}
	q.push(item{frame: words(90), class: welcome, at: now})
	q.push(item{class: change, key: "feed", pos: 7, at: now})
	q.push(item{frame: words(5), class: durable, at: now})
	var got []class
	for batch := q.take(nil, 50, now); len(batch) > 0; batch = q.take(nil, 50, now) {
		for _, it := range batch {
			got = append(got, it.class)
		}
	}
	if want := []class{welcome, change, durable}; !slices.Equal(got, want) || q.bytes != 0 {
		t.Errorf("taken as %v with %d bytes left, want %v and none", got, q.bytes, want)
	}
}

func TestQueueIsTakenInOrder(t *testing.T) {
	q := queue{limit: 1 << 20, maxAge: time.Minute}
	for i := range 100 {
		q.push(item{frame: &frame{data: fmt.Appendf(nil, "%04d", i)}})
	}
	var got []string
	for q.bytes > 0 {
		for _, it := range q.take(nil, 10, time.Time{}) {
			got = append(got, string(it.frame.data))
		}
	}
	for i, s := range got {
		if s != fmt.Sprintf("%04d", i) {
			t.Fatalf("item %d: got %s", i, s)
		}
	}
	if len(got) != 100 || q.items != nil {
		t.Errorf("got %d items, %d left", len(got), len(q.items))
	}
}

// What was merged away is in what is left.
func TestMergedNotificationsAddUp(t *testing.T) {
	q := queue{limit: 2000, maxAge: time.Minute}
	push := func(key string, f *frame) { q.push(item{frame: f, class: mergeable, key: key}) }
	callWith := func(epoch, from, cseq int64, users ...string) *frame {
		c := wire.CallChange{From: from, AgeMS: 5, Call: call.Snapshot{ID: "c", Epoch: epoch, CSeq: cseq}}
		for _, u := range users {
			c.Call.Participants = append(c.Call.Participants, call.ParticipantView{User: u, Microphone: cseq == 3})
		}
		return callFrame(c)
	}
	push(callKey+"c", callWith(1, 1, 2, "alice", "bob"))
	push(callKey+"c", callWith(1, 2, 3, "bob", "carol"))
	push(callKey+"d", callWith(1, 7, 8, "alice"))
	push(callKey+"d", callWith(2, 0, 9, "bob"))
	marks := func(user string, read int64) *frame {
		return notification(wire.NoteMarks, chat.ConversationMarks{Conversation: "c", Members: []chat.MemberMarks{{User: user, Marks: chat.Marks{Read: read}}}})
	}
	push(marksKey+"c", marks("alice", 1))
	push(marksKey+"c", marks("bob", 1))
	push(marksKey+"c", marks("alice", 2))
	push("p", notification(wire.NotePresence, wire.Presence{User: "alice", State: wire.Away}))
	push("p", notification(wire.NotePresence, wire.Presence{User: "alice", State: wire.Online}))
	q.push(item{frame: words(q.limit - 800)})
	all := q.take(nil, 1<<20, time.Time{})
	if len(all) != 5 {
		t.Fatalf("%d items are left, want one of each key", len(all))
	}
	c, _ := all[0].frame.call()
	if c.From != 1 || c.Call.CSeq != 3 || len(c.Call.Participants) != 3 || !c.Call.Participants[1].Microphone || c.Call.Participants[0].Microphone {
		t.Errorf("of one call: %+v", c)
	}
	if d, _ := all[1].frame.call(); d.From != 0 || len(d.Call.Participants) != 1 {
		t.Errorf("of a call of two epochs: %+v", d)
	}
	got := decoded[struct{ Params chat.ConversationMarks }](t, all[2].frame.data).Params
	read := map[string]int64{}
	for _, m := range got.Members {
		read[m.User] = m.Read
	}
	if len(got.Members) != 2 || read["alice"] != 2 || read["bob"] != 1 {
		t.Errorf("marks: %+v", got)
	}
}
