package turn

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestTwoRelaysReachEachOtherUnderTheirPublicAddress(t *testing.T) {
	cfg := testConfig(t)
	cfg.Peers.Policy = PolicyCustom // nothing else is open
	cfg.RelayAddresses = []string{"198.51.100.7/127.0.0.1"}
	s := start(t, cfg)
	for _, transports := range [][2]string{{"udp", "udp"}, {"tcp", "udp"}, {"tls", "tcp"}} {
		t.Run(strings.Join(transports[:], " to "), func(t *testing.T) {
			a, b := s.newClient(t, transports[0], "alice"), s.newClient(t, transports[1], "bob")
			atA, atB := a.allocate(), b.allocate()
			if atA.Addr().String() != "198.51.100.7" {
				t.Fatalf("the relay is shown as %s", atA)
			}
			if got := a.code(methodChannelBind, channelIs(0x4000), peerIs(atB)); got != 0 {
				t.Fatalf("ChannelBind: %d", got)
			}
			if got := b.code(methodCreatePermission, peerIs(atA)); got != 0 {
				t.Fatalf("CreatePermission: %d", got)
			}
			a.send(a.channelData(0x4000, []byte("ping")))
			if got, from := b.data(5 * time.Second); string(got) != "ping" || from != atA.String() {
				t.Fatalf("got %q from %s, want ping from %s", got, from, atA)
			}
			b.send(b.sendIndication(atA, []byte("pong")))
			if got, from := a.data(5 * time.Second); string(got) != "pong" || from != "channel 0x4000" {
				t.Fatalf("got %q from %s, want pong from the channel", got, from)
			}
			// A port of ours that is no relay stays closed.
			if got := a.code(methodChannelBind, channelIs(0x4001), peerIs(netip.AddrPortFrom(atB.Addr(), 22))); got != 403 {
				t.Errorf("a channel to port 22 of the relay's address is answered with %d, want 403", got)
			}
			// So does a relay that is gone.
			b.code(methodRefresh, number(attrLifetime, 0))
			before := s.sum(count(dropPeer))
			a.send(a.channelData(0x4000, []byte("ping")))
			until(t, "the packet is dropped", func() bool { return s.sum(count(dropPeer)) == before+1 })
		})
	}
}

// TestEmbeddedReachesOnlyOurMedia has an SFU (an echo) bound to the wildcard that clients know
// under a public address.
func TestEmbeddedReachesOnlyOurMedia(t *testing.T) {
	at := echo(t)
	advertised := netip.AddrPortFrom(netip.MustParseAddr("198.51.100.7"), at.Port())
	cfg := testConfig(t)
	cfg.Media = []Media{{Advertised: advertised, Bound: netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port())}}
	s := start(t, cfg)
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			c := bound(t, s, transport, "alice", advertised)
			c.send(c.channelData(0x4000, []byte("media")))
			if got, _ := c.data(5 * time.Second); string(got) != "media" {
				t.Errorf("got %q over the channel to the media address", got)
			}
			c = s.newClient(t, transport, "alice")
			c.allocate()
			if got := c.code(methodCreatePermission, peerIs(advertised)); got != 0 {
				t.Fatalf("permission for the media address: %d", got)
			}
			c.send(c.sendIndication(advertised, []byte("media")))
			if got, from := c.data(5 * time.Second); string(got) != "media" || from != advertised.String() {
				t.Errorf("got %q from %s by indication, want it from %s", got, from, advertised)
			}
			other := echo(t)
			for _, peer := range []string{"8.8.8.8:53", "127.0.0.1:22", "198.51.100.7:22", "169.254.169.254:80", other.String()} {
				if got := c.code(methodChannelBind, channelIs(0x4005), peerIs(netip.MustParseAddrPort(peer))); got != 403 {
					t.Errorf("a channel to %s is answered with %d, want 403", peer, got)
				}
			}
			// The permission is for an address; the port is looked at packet by packet.
			before := s.sum(count(dropPeer))
			c.send(c.sendIndication(netip.AddrPortFrom(advertised.Addr(), other.Port()), []byte("x")))
			until(t, "a packet to another port is dropped", func() bool { return s.sum(count(dropPeer)) == before+1 })
			// Nor may another program here send to the client.
			stranger, err := net.Dial("udp", relayOf(s, c).String())
			if err != nil {
				t.Fatal(err)
			}
			defer stranger.Close()
			stranger.Write([]byte("x"))
			until(t, "a packet from another port is dropped", func() bool { return s.sum(count(dropPeer)) == before+2 })
		})
	}
}

func TestEmbeddedReachesNoRelayOfOthers(t *testing.T) {
	media := echo(t)
	cfg := testConfig(t)
	cfg.Media = []Media{{Advertised: media, Bound: media}}
	s := start(t, cfg)
	alice := bound(t, s, "udp", "alice", media)
	mallory := s.newClient(t, "udp", "mallory")
	mallory.allocate()
	if got := mallory.code(methodChannelBind, channelIs(0x4000), peerIs(relayOf(s, alice))); got != 403 {
		t.Errorf("a channel to another user's relay is answered with %d, want 403", got)
	}
	if got := mallory.code(methodCreatePermission, peerIs(media)); got != 0 {
		t.Fatalf("permission for the media address: %d", got)
	}
	before := s.sum(count(dropPeer))
	mallory.send(mallory.sendIndication(relayOf(s, alice), []byte("x")))
	until(t, "a packet to it is dropped", func() bool { return s.sum(count(dropPeer)) == before+1 })
	// carillon turn test sends from one relay of a user to another.
	own := s.newClient(t, "udp", "alice")
	own.allocate()
	if got := own.code(methodCreatePermission, peerIs(media)); got != 0 {
		t.Fatalf("permission for the own address: %d", got)
	}
	own.send(own.sendIndication(relayOf(s, alice), []byte("mine")))
	if got, _ := alice.data(5 * time.Second); string(got) != "mine" {
		t.Errorf("the user's other relay gets %q", got)
	}
}

// relayOf finds the bound address of a client's relay.
func relayOf(s *Server, c *testClient) netip.AddrPort {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for at, r := range s.live {
		if r.client.String() == c.conn.LocalAddr().String() {
			return at
		}
	}
	return netip.AddrPort{}
}
