package turn

import (
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

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
