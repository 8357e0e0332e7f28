package preview

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"carillon/chat"
	"carillon/limit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// here is where the pages of tests are. It is allowed to a service as an operator would allow an intranet.
var here = netip.MustParseAddr("127.0.0.1")

// world is a service, and the Internet that it sees.
type world struct {
	*Service
	t     *testing.T
	pages *httptest.Server
	port  int // of pages
	kept  *memory

	mu    sync.Mutex
	names map[string][]netip.Addr // those that are not here
	asked []string                // names that were resolved
}

// newWorld serves pages under every name and makes a service that may ask for them.
func newWorld(t *testing.T, pages http.HandlerFunc, change func(*Config, *Deps)) *world {
	t.Helper()
	w := &world{t: t, names: map[string][]netip.Addr{}, kept: &memory{links: map[string]chat.Preview{}, pictures: map[string][]byte{}}}
	w.pages = httptest.NewServer(pages)
	t.Cleanup(w.pages.Close)
	w.port = w.pages.Listener.Addr().(*net.TCPAddr).Port
	cfg := Config{AllowAddresses: []string{here.String()}, Ports: []int{80, 443, w.port}}
	deps := Deps{
		Store: w.kept, Agent: "Carillon", Log: slog.New(slog.DiscardHandler), Resolve: w.resolve,
		Set: func(context.Context, string, int64, int, chat.Preview) error { return nil },
	}
	if testing.Verbose() {
		deps.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if change != nil {
		change(&cfg, &deps)
	}
	var err error
	if w.Service, err = New(deps, cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func (w *world) resolve(_ context.Context, _, host string) ([]netip.Addr, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, host)
	if list, ok := w.names[host]; ok {
		return list, nil
	}
	return []netip.Addr{here}, nil
}

// url is a page of a host.
func (w *world) url(host, path string) string {
	return fmt.Sprintf("http://%s:%d%s", host, w.port, path)
}

// get is the preview of a link; nil: there is none.
func (w *world) get(link string) *chat.Preview {
	w.t.Helper()
	p, err := w.Get(limit.Payer{User: "alice"}, link)
	if err != nil {
		w.t.Errorf("%s: %v", link, err)
	}
	return p
}

// titleOf is the title of the preview of a link; empty: there is none.
func (w *world) titleOf(link string) string {
	w.t.Helper()
	if p := w.get(link); p != nil {
		return p.Title
	}
	return ""
}

func page200(w http.ResponseWriter, html string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, html)
}

func titled(title string) string {
	return "<!doctype html><head><title>" + title + "</title></head><body>"
}

// quiet is the log of servers whose clients go away in the middle.
var quiet = log.New(io.Discard, "", 0)
