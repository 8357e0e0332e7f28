package front

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"carillon/tcp"
)

// Fields that HTTP/2 forbids, because whoever translates them to HTTP/1.1 makes another request
// of them, never reach what answers requests.
func TestFieldsThatHTTP2ForbidsAreRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := New(within(l, tcp.Config{}), certificate(t))
	hosts := make(chan string, 1)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- Serve(ctx, f.HTTP(), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hosts <- r.Host }), quiet)
	}()
	defer func() {
		cancel()
		if err := errors.Join(<-served, f.Close()); err != nil {
			t.Error(err)
		}
	}()
	for name, c := range map[string]struct {
		field  hpack.HeaderField
		passes bool
	}{
		"an ordinary field":               {hpack.HeaderField{Name: "x", Value: "1"}, true},
		"another host, which counts not":  {hpack.HeaderField{Name: "host", Value: "evil.example"}, true},
		"a field of the connection":       {hpack.HeaderField{Name: "connection", Value: "keep-alive"}, false},
		"an encoding of the body":         {hpack.HeaderField{Name: "transfer-encoding", Value: "chunked"}, false},
		"an upgrade":                      {hpack.HeaderField{Name: "upgrade", Value: "websocket"}, false},
		"TE for what is no trailer":       {hpack.HeaderField{Name: "te", Value: "gzip"}, false},
		"a line break in a value":         {hpack.HeaderField{Name: "x", Value: "1\r\nContent-Length: 40"}, false},
		"a line break in a name":          {hpack.HeaderField{Name: "x\r\ny", Value: "1"}, false},
		"a NUL in a value":                {hpack.HeaderField{Name: "x", Value: "\x00"}, false},
		"a capital letter":                {hpack.HeaderField{Name: "X", Value: "1"}, false},
		"a second path":                   {hpack.HeaderField{Name: ":path", Value: "/other"}, false},
		"an unknown field of the request": {hpack.HeaderField{Name: ":protocol", Value: "websocket"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			client := dialBare(t, l.Addr().String())
			_ = client.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := client.get("/", c.field); err != nil {
				t.Fatal(err)
			}
			client.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
			status := ""
			for status == "" {
				frame, err := client.ReadFrame()
				if err != nil {
					t.Fatal(err)
				}
				switch frame := frame.(type) {
				case *http2.MetaHeadersFrame:
					status = frame.PseudoValue("status")
				case *http2.RSTStreamFrame, *http2.GoAwayFrame:
					status = "refused"
				}
			}
			select {
			case host := <-hosts:
				if !c.passes || host != "localhost" {
					t.Errorf("answered with %s as a request for %q", status, host)
				}
			default:
				if c.passes || status == "200" {
					t.Errorf("ended with %s", status)
				}
			}
		})
	}
}
