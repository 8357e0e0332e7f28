package turn

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"carillon/udp"
)

// One client to whom the kernel does not segment, since packets do not fit the path, changes
// nothing for the others of the same socket.
func TestOneNarrowPathLosesNothingAndCostsNoOther(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	fd, err := bindUDP(netip.AddrPortFrom(loopback, 0), false)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	// A socket without checksums refuses as a narrow path does.
	refuse := func(on int) {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NO_CHECK, on); err != nil {
			t.Fatal(err)
		}
	}
	var stats traffic
	b := newBatch(maxBatch, &stats)
	out := sendSocket{fd: fd}
	send := func(to ...*net.UDPConn) (calls int64) {
		before := stats.writes.Load()
		for _, to := range to {
			address := udp.NewRawAddress(to.LocalAddr().(*net.UDPAddr).AddrPort())
			for i := range 10 {
				p := b.add(&out)
				p.body, p.own = []byte{byte(i), 100: 0}, address
				p.to = &p.own
			}
		}
		b.flush()
		got := make([]byte, 200)
		for _, to := range to {
			for i := range 10 {
				to.SetReadDeadline(time.Now().Add(10 * time.Second))
				if n, err := to.Read(got); err != nil || n != 101 || got[0] != byte(i) {
					t.Fatalf("packet %d: got %d bytes, number %d, %v", i, n, got[0], err)
				}
			}
		}
		return stats.writes.Load() - before
	}
	receiver := func(ip string) *net.UDPConn {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	wide, narrow := receiver("127.0.0.1"), receiver("127.0.0.2")
	segmenting := send(wide)
	refuse(1)
	send(narrow)
	send(narrow)
	refuse(0)
	if got := stats.dropped[dropSocket].Load(); got != 0 {
		t.Errorf("%d messages were dropped", got)
	}
	send(wide)
	if segmenting == 1 && !b.messages[0].Segmented() {
		t.Error("the kernel is asked to segment for nobody any more")
	}
	send(narrow)
	if b.messages[0].Segmented() {
		t.Error("the kernel is asked again")
	}
	refuse(1)
	third, fourth := receiver("127.0.0.3"), receiver("127.0.0.4")
	send(narrow, third, fourth, wide) // refused in the middle of a batch
	if got := stats.dropped[dropSocket].Load(); got != 0 {
		t.Errorf("%d messages were dropped", got)
	}
}
