package turn

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const quiet = 200 * time.Millisecond // how long nothing must arrive

func TestTwoSecretsLiveDuringRotation(t *testing.T) {
	cfg := testConfig(t)
	cfg.Secrets = []string{"the new one", secret}
	s := start(t, cfg)
	for _, good := range cfg.Secrets {
		name, password := Credential(good, "alice", time.Now().Add(time.Hour))
		talkTo(t, "udp", s.address("udp"), name, password).allocate()
	}
	name, password := Credential("one long gone", "alice", time.Now().Add(time.Hour))
	if got := talkTo(t, "udp", s.address("udp"), name, password).code(methodAllocate, overUDP); got != 401 {
		t.Errorf("a secret we do not have is answered with %d, want 401", got)
	}
	if got := s.ICEServers("bob", time.Now())[0]; got.Credential != sign("the new one", got.Username) {
		t.Error("new credentials are not signed with the first secret")
	}
}

func TestExpiryCountsForAllocateOnly(t *testing.T) {
	s := start(t, testConfig(t))
	name, password := Credential(secret, "alice", time.Now().Add(time.Minute))
	c := talkTo(t, "udp", s.address("udp"), name, password)
	c.allocate()
	s.skew.Add(int64(2 * time.Minute))
	peer := peerIs(echo(t))
	for what, got := range map[string]int{
		"Refresh":          c.code(methodRefresh, number(attrLifetime, 600)),
		"CreatePermission": c.code(methodCreatePermission, peer),
		"ChannelBind":      c.code(methodChannelBind, channelIs(0x4001), peer),
	} {
		if got != 0 {
			t.Errorf("%s with an expired credential is answered with %d", what, got)
		}
	}
	if got := talkTo(t, "udp", s.address("udp"), name, password).code(methodAllocate, overUDP); got != 401 {
		t.Errorf("Allocate with an expired credential is answered with %d, want 401", got)
	}
}

func TestAStaleNonceIsRenewed(t *testing.T) {
	s := start(t, testConfig(t))
	c := s.talk(t, "udp", "alice")
	c.allocate()
	s.skew.Add(int64(nonceLifetime + time.Second))
	if got := c.once(methodRefresh, number(attrLifetime, 600)).errorCode(); got != 438 {
		t.Fatalf("an old nonce is answered with %d, want 438", got)
	}
	if got := c.code(methodRefresh, number(attrLifetime, 600)); got != 0 {
		t.Errorf("the renewed nonce is answered with %d", got)
	}
}

func TestANonceIsGoodForOneAddress(t *testing.T) {
	s := start(t, testConfig(t))
	c := s.talk(t, "udp", "alice")
	c.learn(c.once(methodAllocate, overUDP))
	thief := s.talk(t, "udp", "alice")
	thief.nonce, thief.realm = c.nonce, c.realm
	if got := thief.once(methodAllocate, overUDP).errorCode(); got != 438 {
		t.Errorf("a request recorded elsewhere is answered with %d, want 438", got)
	}
}

func TestARepeatedAllocateGetsTheSameRelay(t *testing.T) {
	s := start(t, testConfig(t))
	c := s.talk(t, "udp", "alice")
	c.learn(c.once(methodAllocate, overUDP))
	id := [12]byte{1, 2, 3}
	request := c.requestWithID(id, methodAllocate, overUDP)
	var relays []string
	for range 2 {
		c.send(request)
		answer := c.answerTo(request, 5*time.Second)
		value, _ := answer.find(attrXORRelayedAddress)
		a, _ := answer.address(value)
		relays = append(relays, a.String())
	}
	if relays[0] != relays[1] || s.Relays() != 1 {
		t.Errorf("got %v and %d relays, want one", relays, s.Relays())
	}
	if got := c.code(methodAllocate, overUDP); got != 437 {
		t.Errorf("another Allocate is answered with %d, want 437", got)
	}
}

func TestReservedPortGoesToWhoHasTheToken(t *testing.T) {
	s := start(t, testConfig(t))
	c := s.talk(t, "udp", "alice")
	answer := c.do(methodAllocate, overUDP, raw(attrEvenPort, 0x80))
	token, ok := answer.find(attrReservationToken)
	value, _ := answer.find(attrXORRelayedAddress)
	first, _ := answer.address(value)
	if !ok || first.Port()%2 != 0 {
		t.Fatalf("no token, or an odd port: %s", first)
	}
	second := s.talk(t, "udp", "bob").allocate(raw(attrReservationToken, token...))
	if second.Port() != first.Port()+1 {
		t.Errorf("got port %d, want the one above %d", second.Port(), first.Port())
	}
	if got := s.talk(t, "udp", "bob").code(methodAllocate, overUDP, raw(attrReservationToken, token...)); got != 508 {
		t.Errorf("a used token is answered with %d, want 508", got)
	}
}

// bound is a relay with a channel to an echo.
func bound(t *testing.T, s *Server, transport, user string, peer netip.AddrPort) *talker {
	t.Helper()
	c := s.talk(t, transport, user)
	c.allocate()
	if got := c.code(methodChannelBind, channelIs(0x4000), peerIs(peer)); got != 0 {
		t.Fatalf("ChannelBind: %d", got)
	}
	return c
}

func TestPermissionsAndChannelsExpire(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			s := start(t, testConfig(t))
			c := bound(t, s, transport, "alice", echo(t))
			payload := []byte("0123456789")
			c.send(c.channelData(0x4000, payload))
			if got, _ := c.data(5 * time.Second); !bytes.Equal(got, payload) {
				t.Fatalf("got %q, want it back", got)
			}
			// The permission lapses: the peer still hears, and is no longer heard.
			s.skew.Add(int64(permitLifetime + time.Second))
			c.send(c.channelData(0x4000, payload))
			if got, _ := c.data(quiet); got != nil {
				t.Errorf("got %q from a peer without permission", got)
			}
			if got := s.sum(count(dropPermission)); got != 1 {
				t.Errorf("%d packets dropped for want of permission, want 1", got)
			}
			// The channel lapses.
			s.skew.Add(int64(channelLifetime - permitLifetime))
			before := s.sum(toPeers)
			c.send(c.channelData(0x4000, payload))
			until(t, "the packet is dropped", func() bool { return s.sum(count(dropNoChannel)) == 1 })
			if got := s.sum(toPeers); got != before {
				t.Error("an expired channel relays")
			}
		})
	}
}

func TestTwoRelaysReachEachOtherUnderTheirPublicAddress(t *testing.T) {
	cfg := testConfig(t)
	cfg.Peers.Policy = PolicyCustom // nothing else is open
	cfg.RelayAddresses = []string{"198.51.100.7/127.0.0.1"}
	s := start(t, cfg)
	for _, transports := range [][2]string{{"udp", "udp"}, {"tcp", "udp"}, {"tls", "tcp"}} {
		t.Run(strings.Join(transports[:], " to "), func(t *testing.T) {
			a, b := s.talk(t, transports[0], "alice"), s.talk(t, transports[1], "bob")
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
			c = s.talk(t, transport, "alice")
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

// relayOf finds the bound address of a client's relay.
func relayOf(s *Server, c *talker) netip.AddrPort {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for at, r := range s.live {
		if r.client.String() == c.conn.LocalAddr().String() {
			return at
		}
	}
	return netip.AddrPort{}
}

func count(d dropReason) func(*traffic) *counter {
	return func(t *traffic) *counter { return &t.dropped[d] }
}

func toPeers(t *traffic) *counter { return &t.toPeers }

func TestQuotasComeBack(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quota.PerUser = 1
	s := start(t, cfg)
	for _, transport := range []string{"udp", "tcp", "tls"} {
		for range 3 {
			c := s.talk(t, transport, "alice")
			c.allocate()
			if got := s.talk(t, "udp", "alice").code(methodAllocate, overUDP); got != 486 {
				t.Fatalf("a second relay is answered with %d, want 486", got)
			}
			if transport == "udp" {
				c.code(methodRefresh, number(attrLifetime, 0))
			} else {
				c.conn.Close()
			}
			until(t, "the relay is given back", func() bool { return s.Relays() == 0 })
		}
	}
	s.quotas.mu.Lock()
	defer s.quotas.mu.Unlock()
	if len(s.quotas.users)+len(s.quotas.addresses)+s.quotas.total != 0 {
		t.Errorf("quotas remember %v, %v, %d", s.quotas.users, s.quotas.addresses, s.quotas.total)
	}
}

func TestQuotaIsPerUserNotPerCredential(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quota.PerUser = 2
	s := start(t, cfg)
	var codes []int
	for i := range 3 {
		name, password := Credential(secret, "alice", time.Now().Add(time.Hour+time.Duration(i)*time.Minute))
		codes = append(codes, talkTo(t, "udp", s.address("udp"), name, password).code(methodAllocate, overUDP))
	}
	if fmt.Sprint(codes) != "[0 0 486]" {
		t.Errorf("three credentials of one user are answered with %v, want 0 0 486", codes)
	}
}

func TestBandwidthQuotas(t *testing.T) {
	for name, set := range map[string]func(*Quota){
		"relay": func(q *Quota) { q.RelayKbps = 80 },
		"user":  func(q *Quota) { q.UserKbps = 160 },
		"total": func(q *Quota) { q.TotalKbps = 160 },
	} {
		for _, transport := range []string{"udp", "tcp"} {
			t.Run(name+" over "+transport, func(t *testing.T) {
				cfg := testConfig(t)
				set(&cfg.Quota)
				s := start(t, cfg)
				c := bound(t, s, transport, "alice", echo(t))
				for range 200 {
					c.send(c.channelData(0x4000, make([]byte, 1000)))
				}
				until(t, "all are handled", func() bool { return s.sum(toPeers)+s.sum(count(dropRate)) >= 200 })
				// 80 kbit/s are 10 packets a second; a burst of a quarter second is free.
				if got := s.sum(toPeers); got < 2 || got > 60 {
					t.Errorf("%d of 200 packets passed, want few", got)
				}
			})
		}
	}
}

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

func TestDrain(t *testing.T) {
	s := start(t, testConfig(t))
	for _, transport := range []string{"udp", "tcp"} {
		c := bound(t, s, transport, "alice", echo(t))
		defer c.conn.Close()
	}
	waiting := s.talk(t, "tcp", "bob")
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
	c := s.talk(t, "tcp", "alice")
	c.allocate()
	c.conn.Close()
	until(t, "the relay ends", func() bool { return s.Relays() == 0 && strings.Contains(log.String(), "connection closed") })
}

func TestCloseTwice(t *testing.T) {
	s := start(t, testConfig(t))
	s.talk(t, "udp", "alice").allocate()
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

// TestRelayingAllocatesNothing counts the allocations of everything between a client's packet
// and its return from the peer.
func TestRelayingAllocatesNothing(t *testing.T) {
	if raceEnabled {
		return // the detector allocates
	}
	s := start(t, testConfig(t))
	for _, by := range []string{"channel", "indication"} {
		peer := echoQuietly(t)
		c := bound(t, s, "udp", "alice", peer)
		packet := c.channelData(0x4000, make([]byte, 1000))
		if by == "indication" {
			packet = c.sendIndication(peer, make([]byte, 1000))
		}
		buffer := make([]byte, 2048)
		pass := func() {
			c.conn.Write(packet)
			c.conn.Read(buffer)
		}
		c.conn.SetDeadline(time.Now().Add(time.Minute))
		for range 100 {
			pass()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 2000 {
			pass()
		}
		runtime.ReadMemStats(&after)
		// The runtime itself allocates a little now and then.
		if got := after.Mallocs - before.Mallocs; got > 100 {
			t.Errorf("%d allocations for 4,000 packets relayed by %s, want none", got, by)
		}
	}
}

// echoQuietly is an echo that allocates nothing.
func echoQuietly(t *testing.T) netip.AddrPort {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			conn.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}
