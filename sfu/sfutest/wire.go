package sfutest

import (
	"net"
	"sync"
	"time"
)

// wire is a client's socket on a network that loses datagrams and whose NAT may give the
// client another port.
type wire struct {
	// Fixed at construction.
	lose  func(datagram []byte, incoming bool) bool // nil: none is lost
	local net.Addr                                  // what the client believes its address is

	mu     sync.Mutex
	conn   *net.UDPConn // replaced by rebind
	closed bool
}

func newWire(lose func([]byte, bool) bool) (*wire, error) {
	w := &wire{lose: lose}
	if err := w.rebind(); err != nil {
		return nil, err
	}
	w.local = w.conn.LocalAddr()
	return w, nil
}

// rebind makes what the client sends come from another port. What is sent to the port before
// is lost.
func (w *wire) rebind() error {
	next, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return next.Close()
	}
	if w.conn != nil {
		_ = w.conn.Close()
	}
	w.conn = next
	return nil
}

func (w *wire) now() (conn *net.UDPConn, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn, w.closed
}

func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		conn, _ := w.now()
		n, from, err := conn.ReadFrom(b)
		if err != nil {
			if next, closed := w.now(); next != conn && !closed {
				continue
			}
			return n, from, err
		}
		if w.lose == nil || !w.lose(b[:n], true) {
			return n, from, nil
		}
	}
}

func (w *wire) WriteTo(b []byte, to net.Addr) (int, error) {
	if w.lose != nil && w.lose(b, false) {
		return len(b), nil
	}
	conn, _ := w.now()
	n, err := conn.WriteTo(b, to)
	if next, closed := w.now(); err != nil && next != conn && !closed {
		return len(b), nil // lost on the way
	}
	return n, err
}

func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return w.conn.Close()
}

func (w *wire) LocalAddr() net.Addr               { return w.local }
func (w *wire) SetDeadline(t time.Time) error     { conn, _ := w.now(); return conn.SetDeadline(t) }
func (w *wire) SetReadDeadline(t time.Time) error { conn, _ := w.now(); return conn.SetReadDeadline(t) }
func (w *wire) SetWriteDeadline(t time.Time) error {
	conn, _ := w.now()
	return conn.SetWriteDeadline(t)
}

// IsDTLS returns whether a datagram holds DTLS records.
// https://www.rfc-editor.org/rfc/rfc7983#section-7
func IsDTLS(b []byte) bool { return len(b) > 12 && b[0] >= 20 && b[0] < 64 }

// IsRTP returns whether a datagram is an RTP packet: "[packet type] values in the range
// [192,223]" are RTCP.
// https://www.rfc-editor.org/rfc/rfc5761#section-4
func IsRTP(b []byte) bool {
	return len(b) > 12 && b[0] >= 128 && b[0] < 192 && (b[1] < 192 || b[1] > 223)
}
