package turn

import "sync/atomic"

// dropReason says why a packet went no further.
type dropReason int

const (
	dropNoRelay    dropReason = iota // ChannelData or Send from who has no relay
	dropNoChannel                    // a channel that is not bound, or no longer
	dropPermission                   // a peer without permission, in either direction
	dropPeer                         // a port of our own that may not be reached
	dropRate                         // over a bandwidth quota
	dropSocket                       // the kernel did not take it
	dropQueue                        // a TCP client that reads too slowly
	dropMalformed                    // neither STUN nor ChannelData
	dropStranger                     // an answer over the rate for who has proved nothing
	dropReasons
)

func (d dropReason) String() string {
	return [...]string{"no_relay", "no_channel", "permission", "peer", "rate", "socket", "queue", "malformed", "stranger"}[d]
}

// traffic counts what one goroutine moves; others only read it.
// counter is written by one goroutine and read by others.
type counter = atomic.Int64

type traffic struct {
	toPeers, toClients           atomic.Int64
	toPeersBytes, toClientsBytes atomic.Int64
	reads, writes                atomic.Int64 // system calls
	dropped                      [dropReasons]atomic.Int64
}
