package turn

import (
	"crypto/tls"
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestDecryptedConnectionsAreServed is carillon with everything on 443.
func TestDecryptedConnectionsAreServed(t *testing.T) {
	cfg := testConfig(t)
	pair, err := tls.LoadX509KeyPair(cfg.Cert, cfg.Key)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Decrypted, err = tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}}); err != nil {
		t.Fatal(err)
	}
	cfg.Cert, cfg.Key = "", ""
	s := start(t, cfg)
	if got, want := s.address("tls"), cfg.Decrypted.Addr().String(); got != want {
		t.Fatalf("TLS is at %s, want %s", got, want)
	}
	c := bound(t, s, "tls", "alice", echo(t))
	c.send(c.channelData(0x4000, []byte("through 443")))
	if got, _ := c.data(5 * time.Second); string(got) != "through 443" {
		t.Errorf("got %q", got)
	}
}

// TestIPv6ClientsGetIPv6Relays: the library opens only IPv4 relays; ours are opened by us.
func TestIPv6ClientsGetIPv6Relays(t *testing.T) {
	conn, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Fatalf("this test needs ::1 on the loopback interface: %v", err)
	}
	defer conn.Close()
	peer := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	cfg := testConfig(t)
	cfg.UDP = []string{"127.0.0.1:0", "[::1]:0"}
	cfg.RelayAddresses = []string{"127.0.0.1", "::1"}
	s := start(t, cfg)
	for name, address := range map[string]string{"client on IPv4": s.address("udp"), "client on IPv6": s.facts.listens[1].address.String()} {
		t.Run(name, func(t *testing.T) {
			user, password := Credential(secret, "alice", time.Now().Add(time.Hour))
			c := dialTestClient(t, "udp", address, user, password)
			at := c.allocate(raw(attrRequestedFamily, 2, 0, 0, 0))
			if at.Addr() != netip.IPv6Loopback() {
				t.Fatalf("the relay is at %s", at)
			}
			if got := c.code(methodCreatePermission, peerIs(netip.MustParseAddrPort("127.0.0.1:9"))); got != 443 {
				t.Errorf("an IPv4 peer is answered with %d, want 443", got)
			}
			if got := c.code(methodCreatePermission, peerIs(peer)); got != 0 {
				t.Fatalf("CreatePermission: %d", got)
			}
			c.send(c.sendIndication(peer, []byte("six")))
			b := make([]byte, 100)
			conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			n, from, err := conn.ReadFrom(b)
			if err != nil || string(b[:n]) != "six" || from.String() != at.String() {
				t.Fatalf("the peer gets %q from %v, %v", b[:n], from, err)
			}
			conn.WriteTo([]byte("back"), from)
			if got, from := c.data(5 * time.Second); string(got) != "back" || from != peer.String() {
				t.Errorf("got %q from %s", got, from)
			}
		})
	}
}
