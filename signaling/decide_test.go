package signaling

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"carillon/chat"
	"carillon/wire"
)

// The decisions: plain structs, no clock, no socket.

func TestOrigins(t *testing.T) {
	allowed := []string{"https://shop.example"}
	for _, c := range []struct {
		origin, host string
		want         bool
	}{
		{"", "chat.example", true}, // not a browser
		{"https://chat.example", "chat.example", true},
		{"https://shop.example", "chat.example", true},
		{"http://shop.example", "chat.example", false},
		{"https://shop.example.evil.example", "chat.example", false},
		{"https://evil.example", "chat.example", false},
		{"null", "chat.example", false}, // a sandboxed frame, a file
		{"http://127.0.0.1:8080", "127.0.0.1:8080", true},
		{"http://127.0.0.1:8081", "127.0.0.1:8080", false},
		{"://", "", false},
	} {
		if got := originAllowed(c.origin, c.host, allowed); got != c.want {
			t.Errorf("%q at %q: got %v, want %v", c.origin, c.host, got, c.want)
		}
	}
	if !originAllowed("https://evil.example", "chat.example", []string{"*"}) {
		t.Error(`"*" does not allow any origin`)
	}
}

func TestVitals(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	v := vitals{pace: pace{25 * time.Second, 8 * time.Second}, helloBy: at(10)}
	expect := func(s float64, want verdict, next time.Time) {
		t.Helper()
		do, n := v.due(at(s))
		if do != want || !n.Equal(next) {
			t.Errorf("at %v s: got %v, next %v; want %v, next %v", s, do, n, want, next)
		}
	}
	expect(9, nothing, at(10))
	late := v
	if do, _ := late.due(at(10)); do != helloLate {
		t.Errorf("no hello in 10 s: got %v", do)
	}
	v.greeted(at(5))
	v.tokenUntil = at(100)
	expect(29, nothing, at(30))
	expect(30, sendPing, at(38))
	v.pong()
	expect(38, nothing, at(55))
	expect(55, sendPing, at(63))
	late = v
	if do, _ := late.due(at(63)); do != pongLate {
		t.Errorf("no pong in 8 s: got %v", do)
	}
	v.pong()
	v.keep(pace{5 * time.Second, 5 * time.Second}, at(56))
	expect(61, sendPing, at(66))
	v.pong()
	v.probe(at(64))
	late = v
	if do, _ := late.due(at(64)); do != pongLate {
		t.Errorf("no answer to a probe: got %v", do)
	}
	v.pong()
	expect(100, tokenOver, time.Time{})
}

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

func TestFollowSendsEachOffsetOnce(t *testing.T) {
	var f cursor
	if f.announced(8) != skip {
		t.Error("a notice while greeting is only noted")
	}
	f.start(5)
	f.sent = 7 // read from the log
	if f.atEnd() {
		t.Error("8 has been heard of but not sent, yet the log seems read")
	}
	f.sent = 8
	if !f.atEnd() {
		t.Error("all sent, not live")
	}
	for _, c := range []struct {
		offset int64
		want   step
	}{{8, skip}, {9, send}, {9, skip}, {3, skip}, {10, send}, {12, readLog}, {13, skip}} {
		if got := f.announced(c.offset); got != c.want {
			t.Errorf("notice %d: got %v, want %v", c.offset, got, c.want)
		}
	}
	f.sent = 13
	if f.lost() {
		t.Error("a gap while reading starts a second read")
	}
	if f.atEnd() || !f.atEnd() {
		t.Error("a gap while reading must cause exactly one more read")
	}
	if !f.lost() {
		t.Error("a gap while live starts no read")
	}
}

func TestNoRequestTellsTheTime(t *testing.T) {
	// A client whose clock is an hour off cannot do harm with it: no request holds a time.
	for _, r := range requestFields() {
		if strings.HasSuffix(r, "_at") || strings.Contains(r, "time") || strings.HasSuffix(r, ".at") {
			t.Errorf("%s is a time by the client's clock", r)
		}
	}
}

func requestFields() (fields []string) {
	var walk func(name string, t reflect.Type)
	walk = func(name string, t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(name, t.Elem())
		case reflect.Struct:
			for f := range t.Fields() {
				walk(name+"."+strings.Split(f.Tag.Get("json"), ",")[0], f.Type)
			}
		default:
			fields = append(fields, name)
		}
	}
	for _, r := range wire.Requests() {
		walk(r.Method, reflect.TypeOf(r.Params))
	}
	for _, n := range wire.ClientNotes() {
		walk(n.Name, reflect.TypeOf(n.Data))
	}
	return fields
}

func TestEventThatWaitedTellsItsAgeAgain(t *testing.T) {
	sent := time.Now().Add(-10 * time.Second)
	f := eventFrame(chat.Event{Offset: 7, Type: chat.EventCall, At: sent.UnixMilli(), Data: []byte(`{"id":"c"}`)}, sent)
	batch := refresh([]item{{frame: f, at: sent}, {frame: f, at: time.Now()}})
	for i, want := range []int64{10_000, 0} {
		var got struct{ Params chat.Event }
		if err := json.Unmarshal(batch[i].frame.data, &got); err != nil {
			t.Fatal(err)
		}
		if age := got.Params.AgeMS; age < want || age > want+5000 || got.Params.Offset != 7 || string(got.Params.Data) != `{"id":"c"}` {
			t.Errorf("item %d: %s, want an age of %d ms or a little more", i, batch[i].frame.data, want)
		}
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
