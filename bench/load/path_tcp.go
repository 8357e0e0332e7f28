package load

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// directTCP is ICE-TCP: the server's passive candidate, each datagram behind its length.
// https://www.rfc-editor.org/rfc/rfc4571#section-2
type TCP struct{}

func (TCP) String() string                     { return "ICE-TCP" }
func (TCP) choose(all []candidate) []candidate { return nearest(all, true) }

func (TCP) open(ctx context.Context, h *hub, server netip.AddrPort, r receiver) (wire, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", server.String())
	if err != nil {
		return nil, fmt.Errorf("ice-tcp: %w", err)
	}
	m := h.newMeter()
	w := &tcpWire{conn: conn, count: m}
	w.shape = h.shape.outbound(w.write)
	receive := h.shape.inbound(m, r)
	w.wg.Go(func() { w.readLoop(m, receive) })
	return w, nil
}

type tcpWire struct {
	conn  net.Conn
	count *meter
	shape *shaper
	wg    sync.WaitGroup

	mu    sync.Mutex
	frame []byte
}

func (w *tcpWire) send(b []byte) error {
	if w.shape != nil {
		w.shape.pass(b, 0)
		return nil
	}
	w.write(b, 0)
	return nil
}

// A server that does not read for this long is gone; a write must not hold the pacer.
const streamWriteTimeout = 2 * time.Second

func (w *tcpWire) write(b []byte, _ int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frame = append(binary.BigEndian.AppendUint16(w.frame[:0], uint16(len(b))), b...)
	_ = w.conn.SetWriteDeadline(time.Now().Add(streamWriteTimeout))
	_, _ = w.conn.Write(w.frame)
}

func (w *tcpWire) readLoop(m *meter, receive receiver) {
	r := bufio.NewReaderSize(w.conn, 64<<10)
	b := make([]byte, 64<<10)
	for {
		if _, err := io.ReadFull(r, b[:2]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint16(b))
		if _, err := io.ReadFull(r, b[:n]); err != nil {
			return
		}
		at := time.Now().UnixNano()
		m.mu.Lock()
		receive(m, b[:n], at)
		m.mu.Unlock()
	}
}

func (w *tcpWire) meter() *meter { return w.count }

func (w *tcpWire) local() netip.AddrPort {
	return w.conn.LocalAddr().(*net.TCPAddr).AddrPort()
}

func (w *tcpWire) close() error {
	err := w.conn.Close()
	w.wg.Wait()
	return err
}
