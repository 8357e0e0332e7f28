package sfu

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pion/sdp/v3"

	"carillon/refusal"
	"carillon/sfu/sfutest"
)

// Pion would pick the best candidate of a lite agent unasked.
func TestALiteOfferIsRefused(t *testing.T) {
	s := start(t, Config{})
	for _, before := range []string{"t=0 0\r\n", "a=mid:1\r\n"} {
		eve := prepareOffering(t, s, func(offer string) string { return strings.Replace(offer, before, before+"a=ice-lite\r\n", 1) })
		if err := eve.Dial(t.Context()); !refusal.Is(err, refusal.BadSDP) {
			t.Errorf("a lite offer: got %v", err)
		}
	}
}

// The candidates of an offer name addresses that may be anybody's. A server that only
// answers needs none of them.
func TestNobodyIsContactedForACandidateInAnOffer(t *testing.T) {
	s := start(t, Config{})
	bob := join(t, s.Room("call"), "bob", sfutest.Config{})
	bob.Talk(30)
	v := newVictim(t)
	dialed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int64
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			c, err := dialed.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = dialed.Close()
		<-accepted
	})
	candidates := fmt.Sprintf("a=candidate:1 1 udp 2130706432 127.0.0.1 %d typ host\r\na=candidate:2 1 tcp 2130706432 127.0.0.1 %d typ host tcptype passive\r\n",
		v.conn.LocalAddr().(*net.UDPAddr).Port, dialed.Addr().(*net.TCPAddr).Port)
	eve := prepareOffering(t, s, func(offer string) string {
		return strings.ReplaceAll(offer, "a=mid:", candidates+"a=mid:")
	})
	if err := eve.Dial(t.Context()); err != nil {
		t.Fatal(err)
	}
	eve.gets(t, bob, Camera)
	if err := eve.Negotiate(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		eve.gets(t, bob, Camera)
	}
	v.escaped(t)
	if n := connections.Load(); n > 0 {
		t.Errorf("the server connected %d times to an address in an offer", n)
	}
}

// prepareOffering makes a leg whose client changes its offers.
func prepareOffering(t *testing.T, s *SFU, change func(offer string) string) *person {
	t.Helper()
	p := &person{name: "eve", listener: &listener{}}
	var err error
	if p.peer, err = s.Room("call").Join("leg-eve", "eve", nobody, p.listener); err != nil {
		t.Fatal(err)
	}
	if p.Client, err = sfutest.New(sfutest.Config{}, func(ctx context.Context, offer string) (string, error) {
		return p.peer.Offer(ctx, change(offer))
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.peer.Close()
		_ = p.Client.Close()
	})
	return p
}

// Each line of an offer may have other credentials. Pion takes those of the line whose
// transport all use, and so must the gate.
func TestTheCredentialsAreThoseOfTheBundle(t *testing.T) {
	line := func(mid, ufrag string) string {
		return "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:" + mid + "\r\n" + ufrag
	}
	head := "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
	for name, c := range map[string]struct{ text, want string }{
		"of the session":   {head + "a=ice-ufrag:s\r\n" + line("0", "a=ice-ufrag:a\r\n"), "s"},
		"of the first":     {head + line("0", "a=ice-ufrag:a\r\n") + line("1", "a=ice-ufrag:b\r\n"), "a"},
		"of the bundle":    {head + "a=group:BUNDLE 1 0\r\n" + line("0", "a=ice-ufrag:a\r\n") + line("1", "a=ice-ufrag:b\r\n"), "b"},
		"of one not there": {head + "a=group:BUNDLE 7\r\n" + line("0", "a=ice-ufrag:a\r\n"), "a"},
		"a refused line":   {head + line("0", "") + line("1", "a=ice-ufrag:b\r\n"), "b"},
		"none":             {head, ""},
	} {
		var d sdp.SessionDescription
		if err := d.UnmarshalString(c.text); err != nil {
			t.Fatal(err)
		}
		if got := credentials(&d).Ufrag; got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
