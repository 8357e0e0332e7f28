package sfu

import (
	"context"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/webrtc/v4"

	"carillon/sfu/sfutest"
)

// There is no cookie exchange before DTLS: a connectivity check takes its place. Hellos from
// addresses that made none reach no peer, make no state and get no byte, also while a peer waits
// for its client.
func TestAHelloWithoutACheckCreatesNoState(t *testing.T) {
	s := start(t, Config{})
	alice, bob := join(t, s.Room("call"), "alice", sfutest.Config{}), join(t, s.Room("call"), "bob", sfutest.Config{})
	alice.Talk(30)
	bob.gets(t, alice, Camera)
	waiting := prepareAs(t, s.Room("call"), "leg-carol", "carol", sfutest.Config{})
	offer, err := waiting.PC.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := waiting.peer.Offer(t.Context(), offer.SDP); err != nil {
		t.Fatal(err)
	}
	hello, before := firstFlight(t), runtime.NumGoroutine()
	var strangers []*net.UDPConn
	for range 50 {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		strangers = append(strangers, conn)
	}
	for range 40 {
		for _, conn := range strangers {
			if _, err := conn.WriteToUDPAddrPort(hello, s.conn.AddrPort()); err != nil {
				t.Fatal(err)
			}
		}
	}
	bob.gets(t, alice, Camera) // packets that came after the hellos were handled
	for _, conn := range strangers {
		_ = conn.SetReadDeadline(time.Now().Add(-time.Second))
		if n, err := conn.Read(make([]byte, 1500)); err == nil {
			t.Fatalf("a stranger got %d bytes", n)
		}
	}
	if got := waiting.peer.pc.SCTP().Transport().State(); got != webrtc.DTLSTransportStateNew {
		t.Errorf("the DTLS of a peer without a client is %s", got)
	}
	until(t, "nothing is left of the hellos", func() bool { return runtime.NumGoroutine() <= before })
}

// firstFlight is what a client of DTLS sends first.
func firstFlight(t *testing.T) []byte {
	t.Helper()
	trap, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	certificate, err := selfsign.GenerateSelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	client, err := dtls.DialWithOptions("udp4", trap.LocalAddr().(*net.UDPAddr), dtls.WithCertificates(certificate), dtls.WithInsecureSkipVerify(true))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = client.HandshakeContext(ctx)
	}()
	defer func() {
		cancel()
		<-ended
		_ = client.Close()
	}()
	b := make([]byte, 1500)
	n, err := trap.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if !sfutest.IsDTLS(b[:n]) {
		t.Fatalf("%x is no DTLS", b[:n])
	}
	return b[:n]
}

// A member who opens channel after channel and writes to them without end gets what one of each
// takes. The others go on as before, and nothing is left of it.
func TestAFloodOfDataChannelsHarmsNobody(t *testing.T) {
	s := start(t, Config{LossyPerSecond: 10, LossyBytes: 100, MessageBytes: 1000})
	r := s.Room("call")
	alice, bob := join(t, r, "alice", sfutest.Config{}), join(t, r, "bob", sfutest.Config{})
	mallory := join(t, r, "mallory", sfutest.Config{NoCamera: true})
	alice.Talk(30)
	bob.gets(t, alice, Camera)
	until(t, "the channels are open", func() bool {
		return bob.listener.chat() != nil && bob.peer.lossy.Load() != nil && mallory.listener.chat() != nil && mallory.peer.lossy.Load() != nil
	})
	before := runtime.NumGoroutine()
	var got, closed atomic.Int32
	bob.Lossy.OnMessage(func(webrtc.DataChannelMessage) { got.Add(1) })
	const channels = 200
	for n := range channels {
		c, err := mallory.PC.CreateDataChannel([]string{"x", "lossy"}[n%2], nil)
		if err != nil {
			t.Fatal(err)
		}
		c.OnClose(func() { closed.Add(1) })
		_ = mallory.Lossy.SendText("flood")
		_ = mallory.Chat.SendText("flood")
	}
	until(t, "what is not wanted is closed", func() bool { return closed.Load() == channels })
	dropped := s.metrics.dropLossy.Load()
	for range 1000 {
		_ = mallory.Lossy.SendText(strings.Repeat("x", 50))
	}
	until(t, "the flood is dropped", func() bool { return s.metrics.dropLossy.Load() > dropped+900 })
	if n := got.Load(); n > 200 {
		t.Errorf("bob got %d messages", n)
	}
	bob.gets(t, alice, Camera)
	if err := bob.listener.chat().WriteMessage([]byte("still there")); err != nil {
		t.Errorf("bob's channel: %v", err)
	}
	until(t, "the channels have ended", func() bool { return runtime.NumGoroutine() <= before+10 })
}
