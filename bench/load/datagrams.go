package load

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/pion/transport/v4/packetio"
)

// datagrams is the part of a wire that belongs to DTLS, as a net.PacketConn. It is
// also the address that DTLS thinks it talks to.
type datagrams struct {
	buffer *packetio.Buffer
	wire   atomic.Pointer[wire]
}

func newDatagrams() *datagrams {
	b := packetio.NewBuffer()
	b.SetLimitSize(256 << 10) // a full buffer loses datagrams; DTLS sends again
	return &datagrams{buffer: b}
}

func (d *datagrams) attach(w wire) { d.wire.Store(&w) }

// put takes a datagram off the wire; called by the reader.
func (d *datagrams) put(b []byte) { _, _ = d.buffer.Write(b) }

func (d *datagrams) send(b []byte) error {
	w := d.wire.Load()
	if w == nil {
		return net.ErrClosed
	}
	return (*w).send(b)
}

func (d *datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := d.buffer.Read(b)
	return n, d, err
}

func (d *datagrams) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), d.send(b) }
func (d *datagrams) Close() error                              { return d.buffer.Close() }
func (d *datagrams) LocalAddr() net.Addr                       { return d }
func (d *datagrams) SetDeadline(t time.Time) error             { return d.buffer.SetReadDeadline(t) }
func (d *datagrams) SetReadDeadline(t time.Time) error         { return d.buffer.SetReadDeadline(t) }
func (d *datagrams) SetWriteDeadline(time.Time) error          { return nil } // writes do not block
func (d *datagrams) Network() string                           { return "bench" }
func (d *datagrams) String() string                            { return "bench" }
