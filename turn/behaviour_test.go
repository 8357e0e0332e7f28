package turn

import (
	"bytes"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

const quiet = 200 * time.Millisecond // how long nothing must arrive

func TestTwoSecretsLiveDuringRotation(t *testing.T) {
	cfg := testConfig(t)
	cfg.Secrets = []string{"the new one", secret}
	s := start(t, cfg)
	for _, good := range cfg.Secrets {
		name, password := Credential(good, "alice", time.Now().Add(time.Hour))
		dialTestClient(t, "udp", s.address("udp"), name, password).allocate()
	}
	name, password := Credential("one long gone", "alice", time.Now().Add(time.Hour))
	if got := dialTestClient(t, "udp", s.address("udp"), name, password).code(methodAllocate, overUDP); got != 401 {
		t.Errorf("a secret we do not have is answered with %d, want 401", got)
	}
	if got := s.ICEServers("bob", time.Now())[0]; got.Credential != sign("the new one", got.Username) {
		t.Error("new credentials are not signed with the first secret")
	}
}

func TestExpiryCountsForAllocateOnly(t *testing.T) {
	s := start(t, testConfig(t))
	name, password := Credential(secret, "alice", time.Now().Add(time.Minute))
	c := dialTestClient(t, "udp", s.address("udp"), name, password)
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
	if got := dialTestClient(t, "udp", s.address("udp"), name, password).code(methodAllocate, overUDP); got != 401 {
		t.Errorf("Allocate with an expired credential is answered with %d, want 401", got)
	}
}

func TestAStaleNonceIsRenewed(t *testing.T) {
	s := start(t, testConfig(t))
	c := s.newClient(t, "udp", "alice")
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
	c := s.newClient(t, "udp", "alice")
	c.learn(c.once(methodAllocate, overUDP))
	thief := s.newClient(t, "udp", "alice")
	thief.nonce, thief.realm = c.nonce, c.realm
	if got := thief.once(methodAllocate, overUDP).errorCode(); got != 438 {
		t.Errorf("a request recorded elsewhere is answered with %d, want 438", got)
	}
}

func TestARepeatedAllocateGetsTheSameRelay(t *testing.T) {
	s := start(t, testConfig(t))
	c := s.newClient(t, "udp", "alice")
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
	c := s.newClient(t, "udp", "alice")
	answer := c.do(methodAllocate, overUDP, raw(attrEvenPort, 0x80))
	token, ok := answer.find(attrReservationToken)
	value, _ := answer.find(attrXORRelayedAddress)
	first, _ := answer.address(value)
	if !ok || first.Port()%2 != 0 {
		t.Fatalf("no token, or an odd port: %s", first)
	}
	second := s.newClient(t, "udp", "alice").allocate(raw(attrReservationToken, token...))
	if second.Port() != first.Port()+1 {
		t.Errorf("got port %d, want the one above %d", second.Port(), first.Port())
	}
	if got := s.newClient(t, "udp", "alice").code(methodAllocate, overUDP, raw(attrReservationToken, token...)); got != 508 {
		t.Errorf("a used token is answered with %d, want 508", got)
	}
}

// bound is a relay with a channel to an echo.
func bound(t *testing.T, s *Server, transport, user string, peer netip.AddrPort) *testClient {
	t.Helper()
	c := s.newClient(t, transport, user)
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
			// The permission expires: the peer still receives, and what it sends is dropped.
			s.skew.Add(int64(permissionLifetime + time.Second))
			c.send(c.channelData(0x4000, payload))
			if got, _ := c.data(quiet); got != nil {
				t.Errorf("got %q from a peer without permission", got)
			}
			until(t, "it is dropped for want of permission", func() bool { return s.sum(count(dropPermission)) == 1 })
			// The channel lapses.
			s.skew.Add(int64(channelLifetime - permissionLifetime))
			before := s.sum(toPeers)
			c.send(c.channelData(0x4000, payload))
			until(t, "the packet is dropped", func() bool { return s.sum(count(dropNoChannel)) == 1 })
			if got := s.sum(toPeers); got != before {
				t.Error("an expired channel relays")
			}
		})
	}
}

func count(d dropReason) func(*traffic) *atomic.Int64 {
	return func(t *traffic) *atomic.Int64 { return &t.dropped[d] }
}

func toPeers(t *traffic) *atomic.Int64 { return &t.toPeers }
