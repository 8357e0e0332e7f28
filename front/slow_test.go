package front

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
)

// inMemory is a listener whose connections are handed over by dial.
type inMemory struct {
	conns chan net.Conn
	done  chan struct{}
}

func (m inMemory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

func (m inMemory) Close() error {
	select {
	case <-m.done:
	default:
		close(m.done)
	}
	return nil
}

func (m inMemory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (m inMemory) dial() net.Conn {
	ours, theirs := net.Pipe()
	m.conns <- theirs
	return ours
}

// Who sends a request a byte at a time holds a connection for a while and no longer, and so does
// who asks for nothing more. A header without end is refused.
func TestSlowAndEndlessRequestsAreCutOff(t *testing.T) {
	for _, c := range []struct {
		name, head, again string
		every             time.Duration
		most              time.Duration // until it is cut off
	}{
		{"a header a byte at a time", "GET / HTTP/1.1\r\nHost: x\r\nX: ", "x", time.Second, 11 * time.Second},
		{"a body a byte at a time", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", "x", time.Second, 61 * time.Second},
		{"nothing after the first request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", time.Second, 121 * time.Second},
		{"a header without end", "GET / HTTP/1.1\r\nHost: x\r\n", "X: " + strings.Repeat("x", 1000) + "\r\n", 0, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := inMemory{make(chan net.Conn), make(chan struct{})}
				ctx, cancel := context.WithCancel(t.Context())
				served := make(chan error, 1)
				go func() {
					served <- Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }), quiet)
				}()
				conn := l.dial()
				defer conn.Close()
				closed := make(chan struct{})
				go func() {
					defer close(closed)
					_, _ = io.Copy(io.Discard, bufio.NewReader(conn))
				}()
				began := time.Now()
				var writing sync.WaitGroup
				writing.Go(func() {
					_, err := io.WriteString(conn, c.head)
					for err == nil && c.again != "" {
						time.Sleep(c.every)
						_, err = io.WriteString(conn, c.again)
					}
				})
				<-closed
				if took := time.Since(began); took > c.most {
					t.Errorf("cut off after %v, want %v at most", took, c.most)
				}
				writing.Wait()
				cancel()
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Who does not read the answer holds a connection no longer than who does not write, and over
// HTTP/2 holds nobody at work who waits for permission to send.
func TestAnAnswerThatNobodyReadsIsCutOff(t *testing.T) {
	for version, dial := range map[string]func(*testing.T, inMemory) net.Conn{
		"HTTP/1.1": func(t *testing.T, l inMemory) net.Conn {
			conn := l.dial()
			if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			return conn
		},
		"HTTP/2": func(t *testing.T, l inMemory) net.Conn {
			ours, theirs := net.Pipe()
			l.conns <- tls.Server(theirs, certificate(t))
			client := newBare(t, tls.Client(ours, trustAnyone), http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			go func() { _, _ = io.Copy(io.Discard, client.conn) }() // ends with the connection
			if _, err := client.get("/"); err != nil {
				t.Fatal(err)
			}
			return client.conn
		},
	} {
		t.Run(version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := inMemory{make(chan net.Conn), make(chan struct{})}
				ctx, cancel := context.WithCancel(t.Context())
				served, answered := make(chan error, 1), make(chan error, 1)
				go func() {
					served <- Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						_, err := w.Write(make([]byte, 1<<20))
						answered <- err
					}), quiet)
				}()
				began := time.Now()
				conn := dial(t, l)
				defer conn.Close()
				if err := <-answered; err == nil {
					t.Error("it was written")
				}
				if took := time.Since(began); took > 121*time.Second {
					t.Errorf("cut off after %v, want 121 s at most", took)
				}
				cancel()
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
