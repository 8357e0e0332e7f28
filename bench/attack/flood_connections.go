package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// silentICE holds connections to the port of ICE-TCP that say nothing.
func silentICE(ctx context.Context, w *world) (string, error) {
	return w.silent(ctx, w.server.address("media-tcp").String(), 3000)
}

// silentHTTP holds connections to the HTTP port that say nothing.
func silentHTTP(ctx context.Context, w *world) (string, error) {
	_, address, _ := strings.Cut(w.server.url("http"), "://")
	return w.silent(ctx, address, 4096)
}

// silent opens connections from one address, opens those again that were closed, and tells how
// many are still held at the end.
func (w *world) silent(ctx context.Context, address string, most int) (string, error) {
	var mu sync.Mutex
	held := map[net.Conn]struct{}{}
	var opened outcomes
	repeatedly(ctx, 32, 4*most, most, func(ctx context.Context, _, _ int) {
		mu.Lock()
		full := len(held) >= most
		mu.Unlock()
		if full {
			sleep(ctx, 10*time.Millisecond)
			return
		}
		conn, err := dialFrom(ctx, attackerAddress, address)
		if err != nil {
			opened.add("not opened")
			return
		}
		opened.add("opened")
		mu.Lock()
		held[conn] = struct{}{}
		mu.Unlock()
		go func() { // ends when either side closes it
			_, _ = conn.Read(make([]byte, 1))
			mu.Lock()
			delete(held, conn)
			mu.Unlock()
			_ = conn.Close()
		}()
	})
	mu.Lock()
	defer mu.Unlock()
	w.release = func() {
		mu.Lock()
		defer mu.Unlock()
		for conn := range held {
			_ = conn.Close()
		}
	}
	return fmt.Sprintf("%s; %d held at the end", &opened, len(held)), nil
}
