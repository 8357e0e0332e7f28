package signaling

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"carillon/wire"
)

// One thing is told at once. What comes in the pause after it is told together, in order, when the
// pause is over or when too much waits.
func TestManyTabsAreToldInTurns(t *testing.T) {
	var p inTurn
	now := time.Now()
	numbered := func(pos ...int64) (list []notice) {
		for _, one := range pos {
			list = append(list, notice{pos: one, frame: &frame{data: make([]byte, 1000)}})
		}
		return list
	}
	if due, _ := p.add(numbered(1), now); !due || len(p.take()) != 1 {
		t.Fatal("the first change has to wait")
	}
	p.until = now.Add(pauseAfter(900))
	if p.until.Sub(now) < 100*time.Millisecond || p.until.Sub(now) > 200*time.Millisecond {
		t.Errorf("after 900 tabs there is a pause of %v", p.until.Sub(now))
	}
	if due, soon := p.add(numbered(2), now.Add(time.Millisecond)); due || soon <= 0 {
		t.Errorf("in the pause: due %v, told in %v", due, soon)
	}
	if due, soon := p.add(numbered(3), now.Add(2*time.Millisecond)); due || soon != 0 {
		t.Errorf("again in the pause: due %v, told in %v; want no second timer", due, soon)
	}
	if due, _ := p.add(numbered(4), p.until); !due {
		t.Error("after the pause it has to wait still")
	}
	var got []int64
	for _, n := range p.take() {
		got = append(got, n.pos)
	}
	if !slices.Equal(got, []int64{2, 3, 4}) {
		t.Errorf("told %v, want 2, 3, 4", got)
	}
	for i, due := int64(5), false; !due; i++ {
		if due, _ = p.add(numbered(i), now.Add(time.Millisecond)); len(p.waiting) > maxInPause+1 || p.bytes > maxBytesInPause+1000 {
			t.Fatalf("%d changes of %d bytes wait", len(p.waiting), p.bytes)
		}
	}
	if pauseAfter(pauseFrom-1) != 0 || pauseAfter(1_000_000) != maxPause {
		t.Errorf("pauses of %v after few tabs and of %v after very many", pauseAfter(pauseFrom-1), pauseAfter(1_000_000))
	}
}

// A member writes and types without end: all tabs get all messages, in order.
func TestAFloodInAGroupReachesManyTabs(t *testing.T) {
	w := newLargeWorld(t, 2)
	id := w.group("alice", "bob", "mallory").ID
	var tabs []*tab
	for i := range 120 {
		tb := w.open(i%2, []string{"alice", "bob"}[i/2%2])
		if err := tb.ask(wire.MethodConversationWatch, wire.ConversationWatch{Conversations: []string{id}}, nil); err != nil {
			t.Fatal(err)
		}
		tabs = append(tabs, tb)
	}
	mallory := w.open(0, "mallory")
	const messages = 100
	var want []string
	for i := range messages {
		want = append(want, fmt.Sprint(i))
		mallory.say(id, want[i])
		for range 5 {
			if err := mallory.Notify(wire.NoteTyping, wire.Typing{Conversation: id}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tb := range tabs {
		tb.awaitTexts(want...)
	}
	for _, tb := range tabs[:2] {
		tb.await("that somebody types", func() bool { return len(noted[wire.Typing](tb, wire.NoteTyping)) > 0 })
	}
}

// Of many who type where many look on, not everyone is told of.
func TestTypingBeforeManyIsToldNowAndThen(t *testing.T) {
	w := newWorld(t, Config{})
	watches := w.nodes[0].watches
	told := func() (n int) {
		now := time.Now()
		for i := range 1000 { // in a second
			if watches.mayTellTyping("a group", now.Add(time.Duration(i)*time.Millisecond)) {
				n++
			}
		}
		return n
	}
	if n := told(); n != 1000 {
		t.Errorf("nobody has the group open here, and %d of 1000 go to other nodes", n)
	}
	for range 1000 {
		watches.watch(newConnection(w.nodes[0], &discard{}, true), []string{"a group"})
	}
	if n := told(); n < 5 || n > 10 {
		t.Errorf("a thousand tabs are told of %d in a second", n)
	}
}
