package turn

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestCertificateIsReloadedAndRelaysLive(t *testing.T) {
	cfg := testConfig(t)
	folder := t.TempDir()
	cfg.Cert, cfg.Key = certificate(t, folder, "before")
	s := start(t, cfg)
	c := bound(t, s, "tls", "alice", echo(t))
	certificate(t, folder, "after")
	until(t, "new connections get the new certificate", func() bool {
		conn, err := tls.Dial("tcp", s.address("tls"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return false
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName == "after"
	})
	c.send(c.channelData(0x4000, []byte("still here")))
	if got, _ := c.data(5 * time.Second); string(got) != "still here" {
		t.Errorf("the relay of before the reload gives %q", got)
	}
}

func TestDrainEndsWithTheLastRelay(t *testing.T) {
	s := start(t, testConfig(t))
	for _, transport := range []string{"udp", "tcp"} {
		c := bound(t, s, transport, "alice", echo(t))
		defer c.conn.Close()
	}
	waiting := s.newClient(t, "tcp", "bob")
	if got := waiting.once(methodBinding).class(); got != classSuccess {
		t.Fatal("no answer to Binding")
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Drain(short); err == nil || !strings.Contains(err.Error(), "2 relays") {
		t.Errorf("drain with live relays: %v, want the deadline and their number", err)
	}
	if got := waiting.code(methodAllocate, overUDP); got != 508 {
		t.Errorf("a new relay while draining is answered with %d, want 508", got)
	}
	if conn, err := net.Dial("tcp", s.address("tcp")); err == nil {
		conn.Close()
		t.Error("a new connection is accepted while draining")
	}
	done := make(chan error, 1)
	go func() { done <- s.Drain(t.Context()) }()
	s.mu.RLock()
	for _, r := range s.live {
		r.loop.post(func() { r.end("test") })
	}
	s.mu.RUnlock()
	if err := <-done; err != nil {
		t.Errorf("drain after the last relay: %v", err)
	}
}

func TestStreamEndsItsRelay(t *testing.T) {
	s, log := startLogged(t, testConfig(t))
	c := s.newClient(t, "tcp", "alice")
	c.allocate()
	c.conn.Close()
	until(t, "the relay ends", func() bool { return s.Relays() == 0 && strings.Contains(log.String(), "connection closed") })
}

func TestCloseMayBeCalledTwice(t *testing.T) {
	s := start(t, testConfig(t))
	s.newClient(t, "udp", "alice").allocate()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestATakenAddressIsAnError(t *testing.T) {
	s := start(t, testConfig(t))
	for key, cfg := range map[string]Config{
		"turn.udp": {UDP: []string{s.address("udp")}}, // though ours share it among themselves
		"turn.tcp": {TCP: []string{s.address("tcp")}},
	} {
		if _, err := New(cfg, discard, nil); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("got %v, want an error that names %s", err, key)
		}
	}
}

func TestMetricsNameNoUser(t *testing.T) {
	reg := prometheus.NewRegistry()
	s, err := New(testConfig(t), discard, reg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := bound(t, s, "udp", "alice-the-user", echo(t))
	c.send(c.channelData(0x4000, []byte("12345")))
	c.data(5 * time.Second)
	c.code(methodChannelBind, channelIs(0x4001), peerIs(netip.MustParseAddrPort("10.0.0.1:1")))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(families)
	if strings.Contains(text, "alice") {
		t.Error("a label names the user")
	}
	for _, want := range []string{"carillon_turn_relays", "carillon_turn_packets_total", "carillon_turn_bytes_total", "carillon_turn_dropped_total", "forbidden_peer"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}
