package sfu

import "sync/atomic"

// source is what a peer sends on one line of its offer.
type source struct {
	// Fixed at construction.
	peer *Peer
	kind SourceKind
	id   uint32 // CSRC of the packets that show it
	mid  string

	muted atomic.Bool // set under room.mu, read for each packet

	// Owned by room.mu.
	layers []*layer // worst first
}
