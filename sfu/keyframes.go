package sfu

import "time"

// keyFrameRequests merges the key-frame requests of all watchers of a layer: at most one
// per interval reaches the sender, and none is forgotten.
type keyFrameRequests struct {
	every  time.Duration
	last   time.Duration
	asked  bool // ever
	wanted bool
}

const (
	keyFrameEveryLow  = 500 * time.Millisecond // the low layer: its key frames are small
	keyFrameEveryHigh = time.Second
)

// want notes a request and says whether to send one now.
func (k *keyFrameRequests) want(now time.Duration) bool {
	k.wanted = true
	return k.due(now)
}

// due says whether a noted request may be sent now.
func (k *keyFrameRequests) due(now time.Duration) bool {
	if !k.wanted || k.asked && now-k.last < k.every {
		return false
	}
	k.wanted, k.asked, k.last = false, true, now
	return true
}

// came notes that a key frame arrived, which answers what was asked so far.
func (k *keyFrameRequests) came() { k.wanted = false }
