package sfu

import (
	"testing"
	"time"
)

func TestKeyFrameRequestsAreMergedAndNotForgotten(t *testing.T) {
	var k keyFrameRequests
	want := func(now, every time.Duration) bool { k.want(now, every); return k.due(now) }
	if !want(10*ms, time.Second) || want(20*ms, time.Second) || k.due(900*ms) {
		t.Error("not one request per second")
	}
	if !k.due(1010 * ms) {
		t.Error("a request was forgotten")
	}
	k.want(1020*ms, time.Second)
	k.came()
	if k.due(3 * time.Second) {
		t.Error("asked although a key frame came")
	}
	if !want(4*time.Second, time.Second) || want(4100*ms, time.Second) || want(4200*ms, 500*ms) || !k.due(4500*ms) {
		t.Error("the more urgent of two requests does not decide when they are sent")
	}
}
