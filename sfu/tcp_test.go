package sfu

import (
	"net"
	"testing"
)

// A silent connection would hold up SFU.Close for as long as pion lets it be silent.
func TestClosingTheListenerClosesTheConnectionsItAccepted(t *testing.T) {
	l, client, server := acceptOne(t)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives on")
	}
	if _, err := server.Read(make([]byte, 1)); err == nil {
		t.Error("the server can still read")
	}
	if _, err := l.Accept(); err == nil {
		t.Error("a closed listener accepted")
	}
}

func TestAConnectionThatEndedIsForgotten(t *testing.T) {
	l, _, server := acceptOne(t)
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if n := len(l.conns); n != 0 {
		t.Errorf("%d connections are kept", n)
	}
}

// acceptOne returns a listener with one accepted connection, both of its ends.
func acceptOne(t *testing.T) (l *tcpListener, client, server net.Conn) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l = newTCPListener(inner)
	t.Cleanup(func() { l.Close() })
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return l, client, server
}
