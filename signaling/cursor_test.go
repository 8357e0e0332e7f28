package signaling

import "testing"

func TestCursorSendsEachOffsetOnce(t *testing.T) {
	var c cursor
	if c.announced(8) != skip {
		t.Error("an event announced while greeting is only remembered")
	}
	c.start(5)
	c.sent = 7 // read from the log
	if c.atEnd() {
		t.Error("8 has been heard of but not sent, yet the log seems read")
	}
	c.sent = 8
	if !c.atEnd() {
		t.Error("all sent, not live")
	}
	for _, n := range []struct {
		offset int64
		want   step
	}{{8, skip}, {9, send}, {9, skip}, {3, skip}, {10, send}, {12, readLog}, {13, skip}} {
		if got := c.announced(n.offset); got != n.want {
			t.Errorf("event %d: got %v, want %v", n.offset, got, n.want)
		}
	}
	c.sent = 13
	if c.lost() {
		t.Error("a gap while reading starts a second read")
	}
	if c.atEnd() || !c.atEnd() {
		t.Error("a gap while reading must cause exactly one more read")
	}
	if !c.lost() {
		t.Error("a gap while live starts no read")
	}
}
