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

	trust := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}
	attacker, err := tls.Dial("tcp", l.Addr().String(), trust)
	if err != nil {
		t.Fatal(err)
	}
	defer attacker.Close()
	if _, err := io.WriteString(attacker, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	cutOff := make(chan struct{})
	go func() {
		defer close(cutOff)
		_, _ = io.Copy(io.Discard, attacker) // the server is never blocked by us
	}()
	frames := http2.NewFramer(attacker, nil)
	if err := frames.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	var head bytes.Buffer
	encode := hpack.NewEncoder(&head)
	for sent := range 10_000 {
		head.Reset()
		for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/slow"}} {
			_ = encode.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
		}
		id := uint32(2*sent + 1)
		if frames.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: head.Bytes(), EndStream: true, EndHeaders: true}) != nil ||
			frames.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			break // the server has had enough
		}
	}
	<-cutOff // else it would take all 10,000
	if n := most.Load(); n == 0 || n > 250 {
		t.Errorf("it worked on %d of them at a time, want some and at most 250", n)
	}
	honest := &http.Client{Transport: &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
	answer, err := honest.Get("https://" + l.Addr().String() + "/")
	if err != nil {
		t.Fatalf("somebody else: %v", err)
	}
	answer.Body.Close()
}
