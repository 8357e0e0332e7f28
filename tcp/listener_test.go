package tcp

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a listener that accepts, with its clients.
type world struct {
	*testing.T
	*Listener
	accepted chan *Conn
}

func listen(t *testing.T, cfg Config, exempt func(netip.Addr) bool) *world {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, accepted: make(chan *Conn, 100)}
	w.Listener = NewLimiter(cfg, "test", exempt, slog.New(slog.DiscardHandler)).Listen(inner)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := w.AcceptConn()
			if err != nil {
				return
			}
			w.accepted <- c
		}
	}()
	t.Cleanup(func() {
		if err := w.End(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return w
}

// dial connects from an address of the loopback network.
func (w *world) dial(from string) net.Conn {
	w.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	c, err := d.Dial("tcp", w.Addr().String())
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { c.Close() })
	return c
}

// admitted connects, and returns both ends.
func (w *world) admitted(from string) (client net.Conn, server *Conn) {
	w.Helper()
	client = w.dial(from)
	select {
	case server = <-w.accepted:
	case <-time.After(10 * time.Second):
		w.Fatal("it was not accepted")
	}
	return client, server
}

// ends waits until the server has closed a connection.
func (w *world) ends(c net.Conn, which string) {
	w.Helper()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		w.Errorf("%s lives on: %v", which, err)
	}
}

// lives shows that both ends of a connection are open.
func (w *world) lives(client net.Conn, server *Conn, which string) {
	w.Helper()
	if _, err := client.Write([]byte{1}); err != nil {
		w.Errorf("%s: %v", which, err)
	}
	server.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
		w.Errorf("%s: %v", which, err)
	}
}

// counts shows how often each limit closed a connection: connections, those per address,
// silent ones, those per address.
func (w *world) counts(want ...int64) {
	w.Helper()
	l := w.limiter
	got := []int64{l.connections.Value(), l.perAddress.Value(), l.silents.Value(), l.silentsPerAddress.Value()}
	if !slices.Equal(got, want) {
		w.Errorf("the limits were counted %v times, want %v", got, want)
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

const one, two = "127.0.0.1", "127.0.0.2"

func TestTheOldestSilentConnectionMakesRoom(t *testing.T) {
	for name, c := range map[string]struct {
		cfg    Config
		counts []int64
	}{
		"connections in all":         {Config{Connections: 3}, []int64{1, 0, 0, 0}},
		"connections of one address": {Config{ConnectionsPerAddress: 3}, []int64{0, 1, 0, 0}},
		"silent ones in all":         {Config{Silent: 3}, []int64{0, 0, 1, 0}},
		"silent ones of an address":  {Config{SilentPerAddress: 3}, []int64{0, 0, 0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := listen(t, c.cfg, nil)
			first, _ := w.admitted(one)
			second, server2 := w.admitted(one)
			third, server3 := w.admitted(one)
			server2.Spoke()
			server2.Spoke()
			_, _ = w.admitted(one) // as silent ones are counted there is room: the second has spoken
			if c.cfg.Silent+c.cfg.SilentPerAddress > 0 {
				_, _ = w.admitted(one)
			}
			w.ends(first, "the oldest silent one")
			w.lives(second, server2, "the one that has spoken")
			w.lives(third, server3, "the second oldest")
			w.counts(c.counts...)
		})
	}
}

func TestWhoHasSpokenIsNotClosedForANewOne(t *testing.T) {
	for name, c := range map[string]struct {
		cfg    Config
		counts []int64
	}{
		"in all":         {Config{Connections: 2}, []int64{1, 0, 0, 0}},
		"of one address": {Config{ConnectionsPerAddress: 2}, []int64{0, 1, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			w := listen(t, c.cfg, nil)
			var clients []net.Conn
			var servers []*Conn
			for range 2 {
				client, server := w.admitted(one)
				server.Spoke()
				clients, servers = append(clients, client), append(servers, server)
			}
			w.ends(w.dial(one), "the third")
			w.counts(c.counts...)
			w.lives(clients[0], servers[0], "the first")
			servers[0].Close()
			servers[0].Close()
			_, fourth := w.admitted(one)
			w.lives(clients[1], servers[1], "the second")
			if open, silent := w.limiter.Connections(); open != 2 || silent != 1 {
				t.Errorf("%d are counted and %d of them silent, want 2 and 1", open, silent)
			}
			fourth.Close()
		})
	}
}

func TestAnAddressShutsOutNoOther(t *testing.T) {
	for name, cfg := range map[string]Config{
		"with a limit of its own": {ConnectionsPerAddress: 2, SilentPerAddress: 2},
		"with the limit in all":   {Silent: 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := listen(t, cfg, nil)
			honest, server := w.admitted(two)
			for range 20 {
				w.admitted(one)
			}
			w.lives(honest, server, "a silent one of another address")
			if open, silent := w.limiter.Connections(); open != 3 || silent != 3 {
				t.Errorf("%d are counted, %d of them silent, want 3", open, silent)
			}
		})
	}
}

func TestProxiesHaveNoLimitOfTheirOwn(t *testing.T) {
	proxy := netip.MustParseAddr(two)
	w := listen(t, Config{Connections: 100, ConnectionsPerAddress: 2, SilentPerAddress: 2}, func(a netip.Addr) bool { return a == proxy })
	for range 20 {
		w.admitted(two)
	}
	if open, _ := w.limiter.Connections(); open != 20 {
		t.Errorf("%d are counted, want 20", open)
	}
}

// Listeners that share a limiter share its limits.
func TestListenersShareALimiter(t *testing.T) {
	w := listen(t, Config{Connections: 1}, nil)
	_, server := w.admitted(one)
	server.Spoke()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	other := w.limiter.Listen(inner)
	client, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ended := make(chan error, 1)
	go func() { _, err := other.Accept(); ended <- err }()
	w.ends(client, "the second")
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != net.ErrClosed {
		t.Errorf("Accept ended with %v", err)
	}
}

func TestCloseLeavesConnectionsAndEndDoesNot(t *testing.T) {
	w := listen(t, Config{}, nil)
	client, server := w.admitted(one)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	w.lives(client, server, "a connection of a closed listener")
	if err := w.End(); err != nil {
		t.Error(err)
	}
	w.ends(client, "a connection of a listener that has ended")
	if open, _ := w.limiter.Connections(); open != 0 {
		t.Errorf("%d are counted", open)
	}
}

// After a restart an office behind one address comes back at once, and each of its tabs is
// silent until TLS is done.
func TestAnOfficeMayConnectAtOnce(t *testing.T) {
	w := listen(t, Config{}, nil)
	const tabs = 600
	first, server := w.admitted(one)
	for range tabs - 1 {
		w.admitted(one)
	}
	if open, _ := w.limiter.Connections(); open != tabs {
		t.Errorf("%d of %d connections are open", open, tabs)
	}
	w.lives(first, server, "the first")
}

// Who is silent leaves descriptors to others, such as the database.
func TestSilentConnectionsLeaveDescriptors(t *testing.T) {
	for _, c := range []struct{ silent, descriptors, want int }{
		{0, 100_000, Defaults().Silent}, {0, 1024, 128}, {50, 1024, 50}, {-1, 1024, 128}, {0, 1, 1},
	} {
		if got := (Config{Silent: c.silent}).within(c.descriptors).Silent; got != c.want {
			t.Errorf("silent = %d with %d descriptors: %d, want %d", c.silent, c.descriptors, got, c.want)
		}
	}
}

// However many connections there may be, some descriptors are left for the rest of the process.
func TestConnectionsLeaveDescriptors(t *testing.T) {
	for _, c := range []struct{ connections, descriptors, want int }{
		{0, 100_000, Defaults().Connections}, {0, 1024, 896}, {50, 1024, 50}, {-1, 1024, 896}, {0, 1, 1},
	} {
		if got := (Config{Connections: c.connections}).within(c.descriptors).Connections; got != c.want {
			t.Errorf("connections = %d with %d descriptors: %d, want %d", c.connections, c.descriptors, got, c.want)
		}
	}
}
