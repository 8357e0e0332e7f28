// Package front lets HTTPS, WebSockets, TURN over TLS and ICE-TCP share one TCP port, so
// that a network which lets nothing out but 443 lets a call out.
//
//	            first byte 0x16 ─ TLS ─┬─ ALPN h2 ─────────────────────▶ HTTP
//	accept ─┬─                         ├─ STUN or ChannelData inside ──▶ relay
//	        │                          └─ anything else inside ────────▶ HTTP
//	        ├─ a length, then STUN (RFC 4571) ─────────────────────────▶ ICE
//	        └─ a capital letter, where there is no TLS ────────────────▶ HTTP
//
// Browsers send no ALPN for TURN, so TURN is recognised by its first decrypted bytes.
//
// [Listen] and [Serve] are how all HTTP servers of carillon are bound and run.
package front

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"

	"carillon/tcp"
)

const (
	handshakeTime = 10 * time.Second // for TLS
	firstBytes    = 5 * time.Second  // to say what the connection is for
	maxWaiting    = 256              // connections that a service has not accepted yet; more are closed
)

// Front owns a listener and hands over what it accepts to the service that it is for. Close it.
type Front struct {
	// Fixed at construction.
	listener *tcp.Listener
	secure   *tls.Config // nil: no TLS
	http     *service
	relay    *service
	ice      *service

	work sync.WaitGroup
}

// New begins to accept from l, whose limits say how many connections there may be that have
// not said what they are for. Close those of the listeners HTTP, Relay and ICE that nothing
// accepts from.
func New(l *tcp.Listener, secure *tls.Config) *Front {
	f := &Front{
		listener: l, secure: secure,
		http: newService(l.Addr()), relay: newService(l.Addr()), ice: newService(l.Addr()),
	}
	f.work.Go(f.accept)
	return f
}

// Secure reports whether HTTP is HTTPS here.
func (f *Front) Secure() bool { return f.secure != nil }

// HTTP yields connections for an HTTP server, out of TLS if there is any.
func (f *Front) HTTP() net.Listener { return f.http }

// Relay yields TURN connections, already decrypted.
func (f *Front) Relay() net.Listener { return f.relay }

// ICE yields ICE-TCP connections.
func (f *Front) ICE() net.Listener { return f.ice }

// Close stops accepting, closes all connections, also those that were handed over, and
// waits. It may be called twice.
func (f *Front) Close() error {
	err := f.listener.End()
	f.work.Wait()
	for _, s := range []*service{f.http, f.relay, f.ice} {
		s.Close()
	}
	return err
}

// accept ends with the listener.
func (f *Front) accept() {
	for {
		conn, err := f.listener.AcceptConn()
		if err != nil {
			return
		}
		f.work.Go(func() { f.handOver(conn) })
	}
}

// handOver finds out what a connection is for and hands it over, or closes it.
func (f *Front) handOver(conn *tcp.Conn) {
	to, decided := f.destination(conn)
	if to == nil {
		conn.Close()
		return
	}
	conn.Spoke()
	if decided.SetDeadline(time.Time{}) != nil || !to.put(decided) {
		conn.Close()
	}
}

// destination is the service that a connection is for and what it gets instead of conn. Nil:
// none.
func (f *Front) destination(conn net.Conn) (*service, net.Conn) {
	if conn.SetDeadline(time.Now().Add(firstBytes)) != nil {
		return nil, nil
	}
	first := &peekConn{Conn: conn}
	switch f.classify(first, classifyPlain) {
	case kindTLS:
		if f.secure == nil {
			return nil, nil
		}
		return f.insideTLS(first)
	case kindICE:
		return f.ice, first
	case kindHTTP:
		if f.secure != nil {
			_, _ = io.WriteString(conn, "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nThis port speaks HTTPS.\n")
			return nil, nil
		}
		return f.http, first
	}
	return nil, nil
}

// insideTLS is destination for a connection that begins with TLS.
func (f *Front) insideTLS(conn net.Conn) (*service, net.Conn) {
	secure := tls.Server(conn, f.secure)
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTime)
	defer cancel()
	if conn.SetDeadline(time.Now().Add(handshakeTime)) != nil || secure.HandshakeContext(ctx) != nil {
		return nil, nil
	}
	switch secure.ConnectionState().NegotiatedProtocol {
	case "h2":
		return f.http, secure // net/http asks for *tls.Conn
	case "acme-tls/1":
		return nil, nil // the handshake was all the authority wanted
	}
	if conn.SetDeadline(time.Now().Add(firstBytes)) != nil {
		return nil, nil
	}
	first := &peekConn{Conn: secure}
	switch f.classify(first, classifyDecrypted) {
	case kindRelay:
		return f.relay, first
	case kindHTTP:
		return f.http, first
	}
	return nil, nil
}

// classify reads no more than of needs.
func (f *Front) classify(p *peekConn, of func([]byte) (kind, int)) kind {
	for {
		k, need := of(p.head)
		if k != kindUnknown || need <= len(p.head) {
			return k
		}
		if p.peek(need) != nil {
			return kindUnknown
		}
	}
}

// peekConn is a connection whose first bytes were read to classify it. Read returns them again.
type peekConn struct {
	net.Conn
	head []byte
}

// peek reads until n bytes are in head.
func (p *peekConn) peek(n int) error {
	at := len(p.head)
	p.head = append(p.head, make([]byte, n-at)...)
	_, err := io.ReadFull(p.Conn, p.head[at:])
	return err
}

func (p *peekConn) Read(b []byte) (int, error) {
	if len(p.head) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.head)
	p.head = p.head[n:]
	return n, nil
}
