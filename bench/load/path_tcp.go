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

func (TCP) open(ctx context.Context, s *sockets, server netip.AddrPort, r receiver) (transport, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", server.String())
	if err != nil {
		return nil, fmt.Errorf("ice-tcp: %w", err)
	}
	m := s.newMeter()
	t := &tcpTransport{conn: conn, counted: m}
	t.shaped = s.netem.outbound(t.write)
	receive := s.netem.inbound(m, r)
	t.wg.Go(func() { t.readLoop(m, receive) })
	return t, nil
}

type tcpTransport struct {
	conn    net.Conn
	counted *meter
	shaped  func([]byte)
	wg      sync.WaitGroup

	mu    sync.Mutex
	frame []byte
}

func (t *tcpTransport) send(b []byte) { t.shaped(b) }

// streamWriteTimeout is after how long a write to a server that does not read is given up,
// since a write must not hold up the pacer.
const streamWriteTimeout = 2 * time.Second

func (t *tcpTransport) write(b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.frame = append(binary.BigEndian.AppendUint16(t.frame[:0], uint16(len(b))), b...)
	_ = t.conn.SetWriteDeadline(time.Now().Add(streamWriteTimeout))
	_, _ = t.conn.Write(t.frame)
}

func (t *tcpTransport) readLoop(m *meter, receive receiver) {
	r := bufio.NewReaderSize(t.conn, 64<<10)
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

func (t *tcpTransport) meter() *meter { return t.counted }

func (t *tcpTransport) local() netip.AddrPort {
	return t.conn.LocalAddr().(*net.TCPAddr).AddrPort()
}

func (t *tcpTransport) close() error {
	err := t.conn.Close()
	t.wg.Wait()
	return err
}
