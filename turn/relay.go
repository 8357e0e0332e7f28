//go:build linux

package turn

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"carillon/limit"
	"carillon/udp"
)

// relay is one allocation: a socket on which peers reach a client. It is live from openRelay
// until Close, which the library calls when the allocation expires or is released, and end
// calls for other reasons. A relay that is not live forwards nothing and stays in no table.
type relay struct {
	// Fixed at construction.
	server       *Server
	loop         *loop
	client       netip.AddrPort
	transport    string
	advertised   netip.AddrPort // what the client is told
	bound        netip.AddrPort // what the socket is bound to
	name         string         // the name that opened it
	key          []byte         // and its key, good for as long as the relay lives
	token        []byte         // of the port reserved beside it
	share        share
	began        time.Time
	requests     limit.Bucket
	toPeer       limit.Bucket
	toClient     limit.Bucket
	limited      bool // there is a bandwidth limit, so toPeer and toClient are to be asked
	clientRaw    udp.RawAddress
	listenSocket *listenSocket // UDP: the socket the client speaks to
	stream       *stream       // TCP and TLS: its connection

	// Written by the goroutine that reads the client, read by the loop.
	peers atomic.Pointer[peerTable] // replaced, never edited

	// out is the socket. Its owner is the loop; the reader of a stream sends on it too, which
	// needs sending locked, as closing it does.
	out     sendSocket
	sending sync.Mutex

	ended  chan struct{}
	once   sync.Once
	reason atomic.Pointer[string]

	sentPackets, sentBytes         atomic.Int64
	receivedPackets, receivedBytes atomic.Int64
}

// live reports whether packets are still forwarded. No relay at all is not live.
func (r *relay) live() bool {
	if r == nil {
		return false
	}
	select {
	case <-r.ended:
		return false
	default:
		return true
	}
}

// reasonRefused ends a relay whose Allocate the library refused: it never was one.
const reasonRefused = "refused"

// end is Close with a reason for the usage log. It is called by the goroutine that reads the
// client and never while the library handles a request of that client: the library would use
// the allocation after its end.
func (r *relay) end(reason string) {
	r.reason.CompareAndSwap(nil, &reason)
	r.Close()
}

// Close is called by the library when the allocation expires or is released, and by end. The
// loop closes the socket later.
func (r *relay) Close() error {
	r.once.Do(func() {
		close(r.ended)
		r.server.ended(r)
		r.loop.post(func() { r.loop.removeRelay(r) })
	})
	return nil
}

// ReadFrom keeps the library's reader waiting until the relay ends: packets do not pass
// through the library.
func (r *relay) ReadFrom([]byte) (int, net.Addr, error) {
	<-r.ended
	return 0, nil, net.ErrClosed
}

func (r *relay) WriteTo(p []byte, _ net.Addr) (int, error) { return len(p), nil }

func (r *relay) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(r.bound) }

func (r *relay) SetDeadline(time.Time) error { return nil }

func (r *relay) SetReadDeadline(time.Time) error { return nil }

func (r *relay) SetWriteDeadline(time.Time) error { return nil }

// admitToPeer and admitToClient report whether n bytes are within the bandwidth limits.
func (r *relay) admitToPeer(n int, now int64) bool { return !r.limited || r.admit(&r.toPeer, n, now) }

func (r *relay) admitToClient(n int, now int64) bool {
	return !r.limited || r.admit(&r.toClient, n, now)
}

func (r *relay) admit(own *limit.Bucket, n int, now int64) bool {
	return within(own.TakeAt(n, now) == 0, r.server.counts.relayKbps) &&
		within(r.share.user.bandwidth.TakeAt(n, now) == 0, r.server.counts.userKbps) &&
		within(r.server.total.TakeAt(n, now) == 0, r.server.counts.totalKbps)
}
