package front

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"carillon/tcp"
)

// bareClient speaks HTTP/2 frame by frame.
type bareClient struct {
	*http2.Framer
	conn   *tls.Conn
	stream uint32 // of the next request
	head   bytes.Buffer
	encode *hpack.Encoder
}

var trustAnyone = &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}

func dialBare(t *testing.T, address string) *bareClient {
	t.Helper()
	conn, err := tls.Dial("tcp", address, trustAnyone)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return newBare(t, conn)
}

func newBare(t *testing.T, conn *tls.Conn, settings ...http2.Setting) *bareClient {
	t.Helper()
	c := &bareClient{Framer: http2.NewFramer(conn, conn), conn: conn, stream: 1}
	c.encode = hpack.NewEncoder(&c.head)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteSettings(settings...); err != nil {
		t.Fatal(err)
	}
	return c
}

// get asks for a path and returns the stream on which it did.
func (c *bareClient) get(path string, more ...hpack.HeaderField) (stream uint32, err error) {
	c.head.Reset()
	for _, field := range append([]hpack.HeaderField{
		{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "localhost"}, {Name: ":path", Value: path},
	}, more...) {
		_ = c.encode.WriteField(field)
	}
	stream = c.stream
	c.stream += 2
	return stream, c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: c.head.Bytes(), EndStream: true, EndHeaders: true})
}

// A client that takes back each of its requests at once (CVE-2023-44487, "rapid reset") makes
// the server work on no more of them than it may have open, and others get their answers.
func TestRapidResetIsBounded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := New(within(l, tcp.Config{}), certificate(t))
	var working, most atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	served := make(chan error, 1)
	go func() {
		served <- Serve(ctx, f.HTTP(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/slow" {
				return
			}
			for n := working.Add(1); ; {
				if old := most.Load(); n <= old || most.CompareAndSwap(old, n) {
					break
				}
			}
			<-release // work that the reset does not stop
			working.Add(-1)
		}), quiet)
	}()
	defer func() {
		cancel()
		if err := errors.Join(<-served, f.Close()); err != nil {
			t.Error(err)
		}
	}()
	defer close(release)

	attacker := dialBare(t, l.Addr().String())
	cutOff := make(chan struct{})
	go func() {
		defer close(cutOff)
		_, _ = io.Copy(io.Discard, attacker.conn) // the server is never blocked by us
	}()
	for range 10_000 {
		stream, err := attacker.get("/slow")
		if err != nil || attacker.WriteRSTStream(stream, http2.ErrCodeCancel) != nil {
			break // the server has had enough
		}
	}
	<-cutOff // else it would take all 10,000
	if n := most.Load(); n == 0 || n > 250 {
		t.Errorf("it worked on %d of them at a time, want some and at most 250", n)
	}
	honest := &http.Client{Transport: &http.Transport{TLSClientConfig: trustAnyone.Clone(), ForceAttemptHTTP2: true, DisableKeepAlives: true}}
	answer, err := honest.Get("https://" + l.Addr().String() + "/")
	if err != nil {
		t.Fatalf("somebody else: %v", err)
	}
	answer.Body.Close()
}
