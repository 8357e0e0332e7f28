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

// TCP is ICE-TCP: the server's passive candidate, each datagram comes after its length.
// https://www.rfc-editor.org/rfc/rfc4571#section-2
type TCP struct{}

func (TCP) String() string                     { return "ICE-TCP" }
func (TCP) choose(all []candidate) []candidate { return inOrder(all, true) }

func (TCP) open(ctx context.Context, h *sockets, server netip.AddrPort, r receiver) (transport, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", server.String())
	if err != nil {
		return nil, fmt.Errorf("ice-tcp: %w", err)
	}
	m := h.newMeter()
	w := &tcpTransport{conn: conn, counted: m}
	w.shaper = h.netem.outbound(w.write)
	receive := h.netem.inbound(m, r)
	w.wg.Go(func() { w.readLoop(m, receive) })
	return w, nil
}

type tcpTransport struct {
	conn    net.Conn
	counted *meter
	shaper  *shaper
	wg      sync.WaitGroup

	mu    sync.Mutex
	frame []byte
}

func (w *tcpTransport) send(b []byte) error {
	if w.shaper != nil {
		w.shaper.pass(b, 0)
		return nil
	}
	w.write(b, 0)
	return nil
}

// streamWriteTimeout is after how long a write to a server that does not read is given up,
// since a write must not hold up the pacer.
const streamWriteTimeout = 2 * time.Second

func (w *tcpTransport) write(b []byte, _ int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frame = append(binary.BigEndian.AppendUint16(w.frame[:0], uint16(len(b))), b...)
	_ = w.conn.SetWriteDeadline(time.Now().Add(streamWriteTimeout))
	_, _ = w.conn.Write(w.frame)
}

func (w *tcpTransport) readLoop(m *meter, receive receiver) {
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

func (w *tcpTransport) meter() *meter { return w.counted }

func (w *tcpTransport) local() netip.AddrPort {
	return w.conn.LocalAddr().(*net.TCPAddr).AddrPort()
}

func (w *tcpTransport) close() error {
	err := w.conn.Close()
	w.wg.Wait()
	return err
}
