package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"carillon/auth"
	"carillon/bench/target"
	"carillon/client"
)

// signingKey is the key with which the site's backend would sign tokens.
const signingKey = "tabs on loopback that need no secret"

// proxyAddress is trusted to tell the addresses of clients, since the server does not tell users on its
// own machine apart: all tabs come by it.
const proxyAddress = "127.0.0.9"

// siteConfig leaves every limit at its default. Whoever is named can be written to.
const siteConfig = `log = "error"
[http]
trusted_proxies = ["` + proxyAddress + `"]
[auth.keys]
site = "` + signingKey + `"
[reach]
known = ["*"]
`

// site is a server and how its users come to it.
type site struct {
	*target.Server
	signer    *auth.Verifier
	addresses int
}

func openSite(ctx context.Context, p program, signer *auth.Verifier, addresses int) (*site, error) {
	server, err := target.StartServer(ctx, []string{p.path, "serve"}, nil, siteConfig)
	if err != nil {
		return nil, err
	}
	return &site{Server: server, signer: signer, addresses: addresses}, nil
}

func (s *site) webSocketURL() string {
	return "ws" + strings.TrimPrefix(s.Process.Ready.URL, "http") + "/ws"
}

func (s *site) token(user string) (string, error) { return s.signer.Mint(user, user, 12*time.Hour) }

// dialer makes connections that come by the proxy. The buffers are small, for there are many.
var dialer = &websocket.Dialer{
	NetDialContext:   (&net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(proxyAddress)}}).DialContext,
	HandshakeTimeout: 10 * time.Second, ReadBufferSize: 512, WriteBufferSize: 512, WriteBufferPool: &writeBuffers,
}

var writeBuffers sync.Pool

// header tells the address of the nth tab, as the proxy would.
func (s *site) header(n int) http.Header {
	n %= s.addresses
	return http.Header{"X-Forwarded-For": {fmt.Sprintf("198.18.%d.%d", n/250, 1+n%250)}}
}

// page makes the options of a tab that behaves as the page does.
func (s *site) page(user string, n int) (client.Options, error) {
	token, err := s.token(user)
	return client.Options{
		URL: s.webSocketURL(), Dialer: dialer, Header: s.header(n), Backoff: pageBackoff,
		Token: func(context.Context) (string, error) { return token, nil },
	}, err
}

// pageBackoff is how long a page waits before it connects again (web/sdk/connection.ts).
func pageBackoff(attempt int) (time.Duration, bool) {
	const least = 500 * time.Millisecond
	most := min(time.Second<<min(attempt, 10), 20*time.Second)
	return least + rand.N(most-least), true
}

// get asks the server's private listener.
func (s *site) get(ctx context.Context, path string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Process.Ready.Private+path, nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
	}
	if err != nil {
		return "", fmt.Errorf("%s of the server: %w", path, err)
	}
	return string(text), nil
}

// metrics are what the server counts, by name with its labels.
func (s *site) metrics(ctx context.Context) (map[string]float64, error) {
	text, err := s.get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for line := range strings.Lines(text) {
		if at := strings.LastIndexByte(line, ' '); at > 0 && line[0] != '#' {
			if v, err := strconv.ParseFloat(strings.TrimSpace(line[at+1:]), 64); err == nil {
				all[line[:at]] = v
			}
		}
	}
	return all, nil
}

// memory of the server, in bytes.
type memory struct {
	live     float64 // heap that is in use and stacks, after the garbage was collected
	resident float64 // of the process, the collector's slack and free pages included
}

func (s *site) memory(ctx context.Context) (m memory, err error) {
	for range 3 { // stacks shrink and pools empty over two cycles
		if _, err := s.get(ctx, "/debug/pprof/heap?gc=1"); err != nil {
			return m, err
		}
	}
	all, err := s.metrics(ctx)
	m.live = all["go_memstats_heap_alloc_bytes"] + all["go_memstats_stack_inuse_bytes"]
	m.resident = float64(target.ResidentMemory(s.Process.PID))
	return m, err
}

// saveProfile writes a profile of the server into a folder; without a folder it does nothing.
func (s *site) saveProfile(ctx context.Context, folder, name, path string) error {
	if folder == "" {
		return nil
	}
	text, err := s.get(ctx, path)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644)
}
