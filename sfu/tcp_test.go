package sfu

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"carillon/sfu/sfutest"
	"carillon/tcp"
)

// connectTCP opens a connection of ICE-TCP from an address of the loopback network.
func connectTCP(t testing.TB, to, from string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 20 * time.Second}
	c, err := d.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// strangersCheck is a connectivity check for a peer that does not exist, as on ICE-TCP.
func strangersCheck(t testing.TB, n int) []byte {
	t.Helper()
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(fmt.Sprintf("nobody%d:stranger", n)), stun.Fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{byte(len(m.Raw) >> 8), byte(len(m.Raw))}, m.Raw...)
}

// TestTCPConnectionsOfStrangersShutNobodyOut holds connections that say nothing, or ask for
// peers that do not exist, and calls over ICE-TCP meanwhile.
func TestTCPConnectionsOfStrangersShutNobodyOut(t *testing.T) {
	s := start(t, Config{ICETCP: tcp.Config{Connections: 400, ConnectionsPerAddress: 300, Silent: 200, SilentPerAddress: 100}})
	_, at := s.Addresses()
	for n := range 1500 {
		connectTCP(t, at.String(), fmt.Sprintf("127.0.0.%d", 10+n%3))
		c := connectTCP(t, at.String(), fmt.Sprintf("127.0.0.%d", 20+n%3))
		_, _ = c.Write(strangersCheck(t, n)) // it may have had to make room already
	}
	r := s.Room("call")
	a, b := join(t, r, "alice", sfutest.Config{TCP: true}), join(t, r, "bob", sfutest.Config{TCP: true})
	a.Talk(30)
	b.gets(t, a, Camera)
	if open, silent := s.streams.Connections(); silent > 200 || open > 400 {
		t.Errorf("%d connections are open, %d of them silent", open, silent)
	}
	b.smooth(t)
}

// Whoever checks for a peer that does not exist is not kept for as long as one who may still
// say something.
func TestATCPConnectionForNobodyEnds(t *testing.T) {
	s := start(t, Config{})
	_, at := s.Addresses()
	c := connectTCP(t, at.String(), "127.0.0.1")
	if _, err := c.Write(strangersCheck(t, 1)); err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(tcpSilence / 2))
	if n, err := c.Read(make([]byte, 100)); n > 0 || isTimeout(err) {
		t.Errorf("got %d bytes and %v, want its end", n, err)
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

func TestClosingDoesNotWaitForTCPConnections(t *testing.T) {
	s := start(t, Config{})
	_, at := s.Addresses()
	r := s.Room("call")
	join(t, r, "alice", sfutest.Config{TCP: true})
	for n := range 20 {
		connectTCP(t, at.String(), "127.0.0.1")
		_, _ = connectTCP(t, at.String(), "127.0.0.1").Write(strangersCheck(t, n))
	}
	until(t, "they are accepted", func() bool { open, _ := s.streams.Connections(); return open > 20 })
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(tcpSilence / 2):
		t.Fatal("Close waits for them")
	}
	if open, _ := s.streams.Connections(); open != 0 {
		t.Errorf("%d connections are open", open)
	}
}
