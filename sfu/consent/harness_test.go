package consent

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a gate on a real socket under pion's real mux, whose time the test owns.
type server struct {
	gate *Gate
	mux  ice.UDPMux
	at   netip.AddrPort
	now  atomic.Int64
}

// socket gives a *net.UDPConn the methods of a Socket.
type socket struct{ *net.UDPConn }

func (s socket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := s.ReadFromUDPAddrPort(b)
	return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
}

func (s socket) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return s.WriteToUDPAddrPort(b, to)
}

func listen(t testing.TB) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func newServer(t testing.TB) *server {
	t.Helper()
	conn := listen(t)
	s := &server{at: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	s.now.Store(int64(time.Hour))
	s.gate = NewGate(socket{conn}, func() time.Duration { return time.Duration(s.now.Load()) })
	s.mux = s.gate.Datagrams(ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: s.gate, Logger: logging.NewDefaultLeveledLoggerForScope("", logging.LogLevelDisabled, io.Discard)}), true)
	t.Cleanup(func() { _ = s.mux.Close() })
	return s
}

// pass lets time pass, as much of it as the gate would notice.
func (s *server) pass(d time.Duration) {
	for end := s.now.Load() + int64(d); s.now.Load() < end; {
		s.now.Add(int64(min(50*time.Millisecond, time.Duration(end-s.now.Load()))))
		s.gate.Tick()
	}
}

// agent is pion's side of one leg: what it is shown and what it sends.
type agent struct {
	*datagramConn
	ours, theirs Credentials
	shown        chan []byte
}

func (s *server) agent(t testing.TB, name string) *agent {
	t.Helper()
	conn, err := s.mux.GetConn("our-"+name, net.UDPAddrFromAddrPort(s.at))
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{
		datagramConn: conn.(*datagramConn), shown: make(chan []byte, 1000),
		ours: Credentials{"our-" + name, "our password of " + name}, theirs: Credentials{"their-" + name, "their password of " + name},
	}
	if s.gate.Expect(a.ours, a.theirs) != a.leg {
		t.Fatal("the leg is not known")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 2048)
		for {
			n, _, err := a.ReadFromAddrPort(b)
			if err != nil {
				return
			}
			a.shown <- bytes.Clone(b[:n])
		}
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return a
}

// see waits for the next message that pion is shown.
func (a *agent) see(t testing.TB) *stun.Message {
	t.Helper()
	select {
	case b := <-a.shown:
		m := &stun.Message{Raw: b}
		if err := m.Decode(); err != nil {
			t.Fatalf("pion was shown %x", b)
		}
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("pion was shown nothing")
		return nil
	}
}

// client is a host with one socket.
type client struct {
	*net.UDPConn
	server *server
	agent  *agent        // of whose leg it is
	got    int           // bytes
	check  *stun.Message // the newest that drain found
}

func (s *server) client(t testing.TB, a *agent) *client {
	return &client{UDPConn: listen(t), server: s, agent: a}
}

func (c *client) at() place {
	return place{AddrPort: c.LocalAddr().(*net.UDPAddr).AddrPort()}
}

func (c *client) write(t testing.TB, b []byte) int {
	t.Helper()
	if _, err := c.WriteToUDPAddrPort(b, c.server.at); err != nil {
		t.Fatal(err)
	}
	return len(b)
}

// ask sends a request and returns it.
func (c *client) ask(t testing.TB, more ...stun.Setter) *stun.Message {
	t.Helper()
	a := c.agent
	setters := append([]stun.Setter{stun.BindingRequest, stun.TransactionID, stun.NewUsername(a.ours.Ufrag + ":" + a.theirs.Ufrag)}, more...)
	setters = append(setters, ice.PriorityAttr(1), ice.AttrControlling(2), stun.NewShortTermIntegrity(a.ours.Password), stun.Fingerprint)
	m, err := stun.Build(setters...)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, m.Raw)
	return m
}

// get waits for the next STUN message of this type.
func (c *client) get(t testing.TB, kind stun.MessageType) *stun.Message {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 2048)
	for {
		n, err := c.Read(b)
		if err != nil {
			t.Fatalf("no %v came: %v", kind, err)
		}
		c.got += n
		m := &stun.Message{Raw: bytes.Clone(b[:n])}
		if m.Decode() == nil && m.Type == kind {
			return m
		}
	}
}

// newest returns the newest check that has come.
func (c *client) newest(t testing.TB) *stun.Message {
	t.Helper()
	c.drain(t)
	if c.check == nil {
		t.Fatal("no check came")
	}
	return c.check
}

// drain takes what has come until now.
func (c *client) drain(t testing.TB) (stuns, others int) {
	t.Helper()
	b := make([]byte, 2048)
	for {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		n, err := c.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return stuns, others
		} else if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		c.got += n
		if m := (&stun.Message{Raw: bytes.Clone(b[:n])}); stun.IsMessage(b[:n]) {
			stuns++
			if m.Decode() == nil && m.Type == stun.BindingRequest {
				c.check = m
			}
		} else {
			others++
		}
	}
}

// answer answers a check as its leg's client does.
func (c *client) answer(t testing.TB, check *stun.Message) {
	t.Helper()
	m, err := stun.Build(stun.BindingSuccess, stun.NewTransactionIDSetter(check.TransactionID),
		stun.NewShortTermIntegrity(c.agent.theirs.Password), stun.Fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, m.Raw)
}

// prove makes the client's address proven, and returns its request.
func (c *client) prove(t testing.TB, more ...stun.Setter) *stun.Message {
	t.Helper()
	request := c.ask(t, more...)
	c.answer(t, c.get(t, stun.BindingRequest))
	for {
		if m := c.agent.see(t); m.TransactionID == request.TransactionID {
			return m
		}
	}
}

// settle waits until the gate has seen all that the client has sent.
func (c *client) settle(t testing.TB) {
	t.Helper()
	refused := c.server.gate.Counts().Refused
	m := stun.MustBuild(stun.BindingRequest, stun.TransactionID, stun.NewUsername("nobody:nobody"))
	c.write(t, m.Raw)
	for deadline := time.Now().Add(10 * time.Second); c.server.gate.Counts().Refused == refused; {
		if time.Now().After(deadline) {
			t.Fatal("the gate reads nothing")
		}
		time.Sleep(time.Millisecond)
	}
}

var media = append([]byte{0x80}, make([]byte, 1000)...)

// gets returns whether media of the leg reaches the client.
func (c *client) gets(t testing.TB) bool {
	t.Helper()
	c.drain(t)
	if _, err := c.agent.WriteToAddrPort(media, c.at().AddrPort); err != nil {
		t.Fatal(err)
	}
	_, others := c.drain(t)
	return others > 0
}
