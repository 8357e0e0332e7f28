// Package front lets HTTPS, WebSockets, TURN over TLS and ICE-TCP share one TCP port, so
// that a network which lets nothing out but 443 lets a call out.
//
//	            first byte 0x16 ─ TLS ─┬─ ALPN h2 ─────────────────────▶ HTTP
//	accept ─┬─                         ├─ STUN or ChannelData inside ──▶ relay
//	        │                          └─ anything else inside ────────▶ HTTP
//	        ├─ a length, then STUN (RFC 4571) ─────────────────────────▶ ICE
//	        └─ a capital letter, where there is no TLS ────────────────▶ HTTP
//
// Browsers send no ALPN for TURN, so that is told apart by its first decrypted bytes.
package front

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

const (
	handshakeTime = 10 * time.Second // for TLS
	firstBytes    = 5 * time.Second  // to say what the connection is for
	maxSorting    = 4096             // connections that have not said yet; more are closed at once
	maxWaiting    = 256              // sorted ones that a service has not taken; more are closed
)

// Front owns a listener and sorts what it accepts. Close it.
type Front struct {
	// Fixed at construction.
	listener net.Listener
	secure   *tls.Config // nil: no TLS
	log      *slog.Logger
	http     *service
	relay    *service
	ice      *service
	done     chan struct{}

	work    sync.WaitGroup
	closing sync.Once

	mu      sync.Mutex
	sorting map[net.Conn]struct{}
}

// New begins to accept. Close the listeners of HTTP, Relay and ICE that
// nobody takes from.
func New(l net.Listener, secure *tls.Config, log *slog.Logger) *Front {
	f := &Front{
		listener: l, secure: secure, log: log,
		http: newService(l.Addr()), relay: newService(l.Addr()), ice: newService(l.Addr()),
		done: make(chan struct{}), sorting: map[net.Conn]struct{}{},
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

// Close stops accepting, closes what is not sorted yet and waits. Sorted connections
// belong to whoever took them. Twice is fine.
func (f *Front) Close() error {
	err := net.ErrClosed
	f.closing.Do(func() {
		close(f.done)
		err = f.listener.Close()
		f.mu.Lock()
		for c := range f.sorting {
			c.Close()
		}
		f.mu.Unlock()
	})
	f.work.Wait()
	for _, s := range []*service{f.http, f.relay, f.ice} {
		s.Close()
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (f *Front) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			// Out of descriptors, most often: what is open goes on, and closing gives some back.
			f.log.Warn("accept", "err", err)
			select {
			case <-f.done:
				return
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		if !f.begin(conn) {
			conn.Close()
			continue
		}
		f.work.Go(func() { f.sort(conn) })
	}
}

func (f *Front) begin(conn net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.done:
		return false
	default:
	}
	if len(f.sorting) >= maxSorting {
		return false
	}
	f.sorting[conn] = struct{}{}
	return true
}

// sort finds out what a connection is for and hands it over, or closes it.
func (f *Front) sort(conn net.Conn) {
	to, sorted := f.destination(conn)
	f.mu.Lock()
	delete(f.sorting, conn)
	f.mu.Unlock()
	if to == nil || sorted.SetDeadline(time.Time{}) != nil || !to.put(sorted) {
		conn.Close()
	}
}

func (f *Front) destination(conn net.Conn) (*service, net.Conn) {
	if conn.SetDeadline(time.Now().Add(firstBytes)) != nil {
		return nil, nil
	}
	first := &peeked{Conn: conn}
	switch f.classify(first, plain) {
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
	first := &peeked{Conn: secure}
	switch f.classify(first, decrypted) {
	case kindRelay:
		return f.relay, first
	case kindHTTP:
		return f.http, first
	}
	return nil, nil
}

// classify reads only as much as it needs.
func (f *Front) classify(p *peeked, sort func([]byte) (kind, int)) kind {
	for {
		k, need := sort(p.head)
		if k != kindUnknown || need <= len(p.head) {
			return k
		}
		if p.peek(need) != nil {
			return kindUnknown
		}
	}
}

// peeked is a connection whose first bytes were looked at. They are read again.
type peeked struct {
	net.Conn
	head []byte
}

func (p *peeked) peek(n int) error {
	at := len(p.head)
	p.head = append(p.head, make([]byte, n-at)...)
	_, err := io.ReadFull(p.Conn, p.head[at:])
	return err
}

func (p *peeked) Read(b []byte) (int, error) {
	if len(p.head) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.head)
	p.head = p.head[n:]
	return n, nil
}
