package signaling

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"carillon/chat"
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

func TestOneItemThatIsLargerThanTheQueueIsTaken(t *testing.T) {
	q := queue{limit: 100, maxAge: time.Minute}
	push := func(n int) bool {
		_, _, ok := q.push(item{frame: words(n)})
		return ok
	}
	if !push(10) || !push(101) || !push(90) {
		t.Error("an answer of 101 bytes is too much for a queue of 100 bytes: who asks for it never gets it")
	}
	if push(1) {
		t.Error("beside it more than 100 bytes wait: still ok")
	}
}

func TestOldQueueIsTooSlow(t *testing.T) {
	now := time.Unix(1000, 0)
	q := queue{limit: 100, maxAge: time.Minute}
	q.push(item{frame: words(1), at: now})
	if _, _, ok := q.push(item{frame: words(1), at: now.Add(time.Minute)}); !ok {
		t.Error("a minute old: too slow")
	}
	if _, _, ok := q.push(item{frame: words(1), at: now.Add(time.Minute + 1)}); ok {
		t.Error("older than a minute: still ok")
	}
}

func TestQueueIsTakenInOrder(t *testing.T) {
	q := queue{limit: 1 << 20, maxAge: time.Minute}
	for i := range 100 {
		q.push(item{frame: &frame{data: fmt.Appendf(nil, "%04d", i)}})
	}
	var got []string
	for q.bytes > 0 {
		for _, it := range q.take(nil, 10) {
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

func TestNewerReceiptReplacesOlder(t *testing.T) {
	receipt := func(user string, read int64) chat.Event {
		return chat.Event{Type: chat.EventReceipt, Data: raw(chat.Receipt{Conversation: "c", User: user, Read: read})}
	}
	c1, k1 := classOf(receipt("bob", 1))
	c2, k2 := classOf(receipt("bob", 2))
	_, k3 := classOf(receipt("carol", 1))
	if c1 != mergeable || c2 != mergeable || k1 != k2 || k1 == k3 {
		t.Errorf("keys %q %q %q: want bob's equal, carol's apart", k1, k2, k3)
	}
	if c, _ := classOf(chat.Event{Type: chat.EventMessage}); c != durable {
		t.Error("a message may be merged")
	}
}
