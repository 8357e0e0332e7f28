package turn

import "sync/atomic"

// dropReason says why a packet was dropped.
type dropReason int

const (
	dropNoRelay         dropReason = iota // ChannelData or Send of a client without a relay
	dropNoChannel                         // ChannelData of a channel that is not bound
	dropPermission                        // from or to a peer without a permission
	dropPeer                              // to a port of our own addresses that may not be reached
	dropRate                              // over a bandwidth limit
	dropSocket                            // refused by the kernel
	dropQueue                             // to a TCP or TLS client that reads too slowly
	dropMalformed                         // neither STUN nor ChannelData
	dropUnauthenticated                   // a request over the rate of senders that have not authenticated
	dropReasons
)

func (d dropReason) String() string {
	return [...]string{"no_relay", "no_channel", "permission", "peer", "rate", "socket", "queue", "malformed", "unauthenticated"}[d]
}

// traffic counts what one goroutine forwards and drops. Others only read it.
type traffic struct {
	toPeers, toClients           atomic.Int64
	toPeersBytes, toClientsBytes atomic.Int64
	reads, writes                atomic.Int64 // system calls
	dropped                      [dropReasons]atomic.Int64
}
