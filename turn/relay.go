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

// relay is one allocation: a socket on which peers reach a client. The library decides when
// it ends, by closing it.
type relay struct {
	// Fixed at construction.
	server    *Server
	loop      *loop
	client    netip.AddrPort
	transport string
	shown     netip.AddrPort // what the client is told
	bound     netip.AddrPort // what the socket is bound to
	name      string         // the name that opened it
	key       []byte         // and its key, good for as long as the relay lives
	token     []byte         // of the port reserved beside it
	share     share
	began     time.Time
	requests  limit.Bucket
	up, down  limit.Bucket
	limited   bool
	clientRaw udp.RawAddress
	door      *door   // UDP: the socket the client speaks to
	stream    *stream // TCP and TLS: its connection

	// Written by the goroutine that reads the client, read by the loop.
	peers atomic.Pointer[peerTable] // replaced, never edited

	// out is the socket. Its owner is the loop; a stream's reader also sends, under sending.
	out     outlet
	sending sync.Mutex

	ended chan struct{}
	once  sync.Once
	why   atomic.Pointer[string]

	sentPackets, sentBytes         atomic.Int64
	receivedPackets, receivedBytes atomic.Int64
}

// live is false once the library has closed the relay, and for no relay at all.
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

// whyRefused ends a relay that the library did not want.
const whyRefused = "refused"

// end is Close with a reason for the usage log. It is called by the goroutine that reads the
// client: the library does not bear it that an allocation ends while it handles its request.
func (r *relay) end(why string) {
	r.why.CompareAndSwap(nil, &why)
	r.Close()
}

// Close is called by the library when the allocation expires or is given up, and by end. The
// loop closes the socket.
func (r *relay) Close() error {
	r.once.Do(func() {
		close(r.ended)
		r.server.ended(r)
		r.loop.post(func() { r.loop.retire(r) })
	})
	return nil
}

// ReadFrom holds the library's reader until the relay ends: packets do not pass through it.
func (r *relay) ReadFrom([]byte) (int, net.Addr, error) {
	<-r.ended
	return 0, nil, net.ErrClosed
}

func (r *relay) WriteTo(p []byte, _ net.Addr) (int, error) { return len(p), nil }

func (r *relay) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(r.bound) }

func (r *relay) SetDeadline(time.Time) error { return nil }

func (r *relay) SetReadDeadline(time.Time) error { return nil }

func (r *relay) SetWriteDeadline(time.Time) error { return nil }

// admitUp and admitDown hold the bandwidth quotas.
func (r *relay) admitUp(n int, now int64) bool { return !r.limited || r.admit(&r.up, n, now) }

func (r *relay) admitDown(n int, now int64) bool { return !r.limited || r.admit(&r.down, n, now) }

func (r *relay) admit(own *limit.Bucket, n int, now int64) bool {
	return own.TakeAt(n, now) == 0 && r.share.user.bandwidth.TakeAt(n, now) == 0 && r.server.total.TakeAt(n, now) == 0
}
