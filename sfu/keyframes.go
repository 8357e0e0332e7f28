package sfu

import "time"

// keyFrameRequests decides when to ask the sender of a layer for a key frame. It merges
// the requests of all slots: a least time lies between two, and none is forgotten.
type keyFrameRequests struct {
	asked  bool          // at least once
	last   time.Duration // when it was asked
	wanted bool          // a request waits until at
	at     time.Duration
}

const (
	// Least time between two requests.
	keyFrameEveryLow  = 500 * time.Millisecond // of the low layer: its key frames are small
	keyFrameEveryHigh = time.Second

	// startEvery is the least time before a request for a slot that shows nothing yet. It
	// need not be less: a key frame that came later than this is replayed (replayTime).
	startEvery = 500 * time.Millisecond
)

// want notes a request, to be sent when at least every has passed since the one before.
func (k *keyFrameRequests) want(now, every time.Duration) {
	at := now
	if k.asked {
		at = max(now, k.last+every)
	}
	if !k.wanted || at < k.at {
		k.wanted, k.at = true, at
	}
}

// due returns whether a request must be sent now. The caller sends it.
func (k *keyFrameRequests) due(now time.Duration) bool {
	if !k.wanted || now < k.at {
		return false
	}
	k.wanted, k.asked, k.last = false, true, now
	return true
}

// came notes that a key frame has arrived, which answers what was asked so far.
func (k *keyFrameRequests) came() { k.wanted = false }
