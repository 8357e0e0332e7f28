package turn

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	pion "github.com/pion/turn/v3"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "a secret that only tests know"

// testConfig listens on free ports of loopback, with everything on.
func testConfig(t *testing.T) Config {
	cert, key := certificate(t, t.TempDir(), "one")
	return Config{
		Secrets: []string{secret}, Users: map[string]string{"static": "password"},
		UDP: []string{"127.0.0.1:0"}, TCP: []string{"127.0.0.1:0"}, TLS: []string{"127.0.0.1:0"},
		Cert: cert, Key: key,
	}
}

// logged is a log that tests read.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, _ := startLogged(t, cfg)
	return s
}

func startLogged(t testing.TB, cfg Config) (*Server, *logged) {
	t.Helper()
	var log logged
	s, err := New(cfg, slog.New(slog.NewTextHandler(&log, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s, &log
}

// address is where a transport listens.
func (s *Server) address(transport string) string {
	for _, l := range s.facts.listens {
		if l.transport == transport {
			return l.address.String()
		}
	}
	return ""
}

// pionClient is a client of the library, which has its own idea of how TURN is spoken.
func pionClient(t *testing.T, s *Server, transport string) *pion.Client {
	t.Helper()
	name, password := Credential(secret, "pion", time.Now().Add(time.Hour))
	c, err := pion.NewClient(&pion.ClientConfig{
		STUNServerAddr: s.address(transport), TURNServerAddr: s.address(transport), Conn: dialPacket(t, s, transport),
		Username: name, Password: password, RTO: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	return c
}

func dialPacket(t *testing.T, s *Server, transport string) net.PacketConn {
	t.Helper()
	if transport == "udp" {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	conn := dial(t, s, transport)
	return pion.NewSTUNConn(conn)
}

// echo is a peer that sends everything back.
func echo(t *testing.T) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			conn.WriteTo(b[:n], from)
		}
	})
	t.Cleanup(func() { conn.Close(); wg.Wait() })
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestPionClientRelays(t *testing.T) {
	s := start(t, testConfig(t))
	peer := echo(t)
	for _, transport := range []string{"udp", "tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			relay, err := pionClient(t, s, transport).Allocate()
			if err != nil {
				t.Fatal(err)
			}
			defer relay.Close()
			// The first goes as a Send indication, later ones over a channel.
			for i := range 50 {
				sent := bytes.Repeat([]byte{byte(i)}, 100+i)
				exchange(t, relay, peer, sent)
			}
		})
	}
}

// exchange sends a payload through a relay and wants it back.
func exchange(t *testing.T, relay net.PacketConn, peer netip.AddrPort, sent []byte) {
	t.Helper()
	got := make([]byte, 2048)
	relay.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := relay.WriteTo(sent, net.UDPAddrFromAddrPort(peer)); err != nil {
		t.Fatalf("send through the relay: %v", err)
	}
	n, from, err := relay.ReadFrom(got)
	if err != nil {
		t.Fatalf("receive through the relay: %v", err)
	}
	if from.String() != peer.String() || !bytes.Equal(got[:n], sent) {
		t.Fatalf("got %d bytes from %s, want %d from %s", n, from, len(sent), peer)
	}
}

func TestUsageIsLoggedOncePerRelay(t *testing.T) {
	s, log := startLogged(t, testConfig(t))
	relay, err := pionClient(t, s, "udp").Allocate()
	if err != nil {
		t.Fatal(err)
	}
	exchange(t, relay, echo(t), []byte("twelve bytes"))
	relay.Close()
	until(t, "the relay is gone", func() bool { return s.Relays() == 0 && strings.Contains(log.String(), "turn usage") })
	for _, want := range []string{"user=pion", "transport=udp", "sent_bytes=12", "received_bytes=12", "reason=released"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("usage line lacks %s: %s", want, log)
		}
	}
}

// until waits for a condition that another goroutine brings about.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

var discard = slog.New(slog.NewTextHandler(io.Discard, nil))
