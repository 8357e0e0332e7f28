package sfu

import "testing"

func TestAMediaStateThatFindsTheQueueFullIsToldLater(t *testing.T) {
	l := &listener{}
	n := newNotifications(l)
	n.media(MediaUp)
	for range mostCalls {
		n.phase("a call of a listener that is stuck", 0)
	}
	n.media(MediaDown) // finds the queue full
	done := make(chan struct{})
	go func() { defer close(done); n.loop() }()
	until(t, "the queue is delivered", func() bool { return l.is(MediaUp) })
	until(t, "the state is told", func() bool {
		n.media(MediaDown) // as the tick does
		return l.is(MediaDown)
	})
	close(n.done)
	<-done
}
