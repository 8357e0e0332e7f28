package load

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/pion/transport/v4/packetio"
)

// dtlsPackets is the DTLS datagrams of a transport as a net.PacketConn. It is also the
// net.Addr of both ends.
type dtlsPackets struct {
	buffer    *packetio.Buffer
	transport atomic.Pointer[transport]
}

func newDTLSPackets() *dtlsPackets {
	b := packetio.NewBuffer()
	b.SetLimitSize(256 << 10) // a full buffer loses datagrams; DTLS sends again
	return &dtlsPackets{buffer: b}
}

func (d *dtlsPackets) attach(t transport) { d.transport.Store(&t) }

// put is called for each DTLS datagram that arrives.
func (d *dtlsPackets) put(b []byte) { _, _ = d.buffer.Write(b) }

func (d *dtlsPackets) send(b []byte) error {
	t := d.transport.Load()
	if t == nil {
		return net.ErrClosed
	}
	(*t).send(b)
	return nil
}

func (d *dtlsPackets) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := d.buffer.Read(b)
	return n, d, err
}

func (d *dtlsPackets) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), d.send(b) }
func (d *dtlsPackets) Close() error                              { return d.buffer.Close() }
func (d *dtlsPackets) LocalAddr() net.Addr                       { return d }
func (d *dtlsPackets) SetDeadline(t time.Time) error             { return d.buffer.SetReadDeadline(t) }
func (d *dtlsPackets) SetReadDeadline(t time.Time) error         { return d.buffer.SetReadDeadline(t) }
func (d *dtlsPackets) SetWriteDeadline(time.Time) error          { return nil } // writes do not block
func (d *dtlsPackets) Network() string                           { return "bench" }
func (d *dtlsPackets) String() string                            { return "bench" }
