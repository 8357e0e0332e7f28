package turn

import (
	"net/netip"
	"testing"
	"time"
)

// reserve asks for a relay with the port above it reserved.
var reserve = raw(attrEvenPort, 0x80)

func TestReservedPortsCountAsRelays(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quota.PerUser = 3
	s := start(t, cfg)
	for range 2 {
		c := s.newClient(t, "udp", "alice")
		if got := c.code(methodAllocate, overUDP, reserve); got != 0 {
			t.Fatalf("a relay with a reservation is answered with %d", got)
		}
		if got := c.code(methodRefresh, number(attrLifetime, 0)); got != 0 {
			t.Fatalf("its end is answered with %d", got)
		}
	}
	// Two reserved ports are left of them, so there is room for one relay, and not for another port.
	if got := s.newClient(t, "udp", "alice").code(methodAllocate, overUDP, reserve); got != 486 {
		t.Errorf("a third reservation is answered with %d, want 486", got)
	}
	s.newClient(t, "udp", "alice").allocate()
	if got := s.newClient(t, "udp", "alice").code(methodAllocate, overUDP); got != 486 {
		t.Errorf("a relay beside three ports is answered with %d, want 486", got)
	}
}

func TestWhoTakesTheReservedPortKeepsItsShare(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quota.PerUser = 2
	s := start(t, cfg)
	first := s.newClient(t, "udp", "alice")
	token, _ := first.do(methodAllocate, overUDP, reserve).find(attrReservationToken)
	second := s.newClient(t, "udp", "alice")
	second.allocate(raw(attrReservationToken, token...))
	for _, c := range []*testClient{first, second} {
		if got := c.code(methodRefresh, number(attrLifetime, 0)); got != 0 {
			t.Fatalf("the end of a relay is answered with %d", got)
		}
	}
	s.quotas.mu.Lock()
	defer s.quotas.mu.Unlock()
	if len(s.quotas.users)+len(s.quotas.addresses)+s.quotas.total != 0 {
		t.Errorf("quotas remember %v, %v, %d", s.quotas.users, s.quotas.addresses, s.quotas.total)
	}
}

func TestAReservedPortIsForItsUser(t *testing.T) {
	s := start(t, testConfig(t))
	token, _ := s.newClient(t, "udp", "alice").do(methodAllocate, overUDP, reserve).find(attrReservationToken)
	if got := s.newClient(t, "udp", "mallory").code(methodAllocate, overUDP, raw(attrReservationToken, token...)); got != 508 {
		t.Errorf("another user's Allocate with the token is answered with %d, want 508", got)
	}
	s.newClient(t, "udp", "alice").allocate(raw(attrReservationToken, token...))
}

// Who opens and ends relays again and again holds none, but each costs a socket, a line in the
// log and work of the library.
func TestRelaysMayNotBeOpenedWithoutEnd(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quota.PerUser = 50
	s := start(t, cfg)
	c := s.newClient(t, "udp", "mallory")
	opened := 0
	for ; opened < 1000 && c.code(methodAllocate, overUDP) == 0; opened++ {
		c.code(methodRefresh, number(attrLifetime, 0))
	}
	if opened < 200 || opened >= 300 {
		t.Errorf("%d relays were opened at once, one after the other, want 200 and what a few seconds bring", opened)
	}
	s.newClient(t, "udp", "bob").allocate() // whom it does not concern
	s.skew.Add(int64(10 * time.Second))
	if got := c.code(methodAllocate, overUDP); got != 0 {
		t.Errorf("an Allocate 10 seconds later is answered with %d", got)
	}
}

// A request may name dozens of peers, each of which costs about as much as a request of its own.
func TestARequestCostsWhatItNames(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.RequestsPerRelay = 100
	s := start(t, cfg)
	c := s.newClient(t, "udp", "mallory")
	c.allocate()
	var peers []with
	for i := range 50 {
		peers = append(peers, peerIs(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 1, byte(i)}), 9)))
	}
	request := c.request(methodCreatePermission, peers...)
	for range 10 {
		c.send(request)
	}
	until(t, "requests are refused", func() bool { return s.counts.requestsPerRelay.Value() > 0 })
}
