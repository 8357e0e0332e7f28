package turn

import (
	"net"
	"net/netip"
	"testing"

	"carillon/udp"
)

// BenchmarkRelay sends packets through a channel to a peer and back, so the server relays two
// packets for each operation. The client and the peer cost about as much again.
func BenchmarkRelay(b *testing.B) {
	const burst = 64
	s := start(b, Config{Secrets: []string{secret}, UDP: []string{"127.0.0.1:0"}})
	open := func() *udp.Conn {
		c, err := udp.Listen("udp4", "127.0.0.1:0", udp.Config{WaitMicroseconds: -1})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		return c
	}
	client, peer := open(), open()
	server := netip.MustParseAddrPort(s.address("udp"))
	control := s.newClient(b, "udp", "alice")
	control.conn.Close()
	control.conn = &connectedUDP{client, server}
	control.allocate()
	if code := control.code(methodChannelBind, channelIs(0x4000), peerIs(peer.AddrPort())); code != 0 {
		b.Fatalf("ChannelBind: %d", code)
	}
	packet, in := control.channelData(0x4000, make([]byte, 1200)), make([]byte, udp.MaxPacket)
	read := func(c *udp.Conn) (n int, from netip.AddrPort) {
		n, from, err := c.ReadFromAddrPort(in)
		if err != nil {
			b.Fatal(err)
		}
		return n, from
	}
	b.SetBytes(1200)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, _ = client.WriteToAddrPort(packet, server)
		if i%burst != burst-1 {
			continue
		}
		client.Flush()
		for range burst {
			n, relay := read(peer)
			_, _ = peer.WriteToAddrPort(in[:n], relay)
		}
		peer.Flush()
		for range burst {
			read(client)
		}
	}
}

// connectedUDP is a udp.Conn that speaks to one address.
type connectedUDP struct {
	*udp.Conn
	to netip.AddrPort
}

func (c *connectedUDP) Read(b []byte) (int, error) {
	n, _, err := c.ReadFromAddrPort(b)
	return n, err
}
func (c *connectedUDP) Write(b []byte) (int, error) { return c.WriteToAddrPort(b, c.to) }
func (c *connectedUDP) RemoteAddr() net.Addr        { return net.UDPAddrFromAddrPort(c.to) }
