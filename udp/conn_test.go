package udp

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t testing.TB, cfg Config) *Conn {
	t.Helper()
	c, err := Listen("udp4", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestPacketsArriveWholeAndInOrderPerDestination(t *testing.T) {
	for name, cfg := range map[string]Config{
		"segmented": {},
		"single":    {NoSegmentation: true},
		"run of 3":  {RunPackets: 3},
		"tiny":      {QueuePackets: 4, QueueBytes: 3000},
		"no wait":   {WaitMicroseconds: -1},
	} {
		t.Run(name, func(t *testing.T) {
			from := listen(t, cfg)
			to := []*Conn{listen(t, Config{}), listen(t, Config{}), listen(t, Config{})}
			const n = 200
			var wg sync.WaitGroup
			wg.Go(func() {
				b := make([]byte, 1200)
				for i := range n {
					// Sizes change, so runs end at different places.
					size := 1200
					if i%7 == 6 {
						size = 100 + i
					}
					binary.BigEndian.PutUint32(b, uint32(i))
					for _, d := range to {
						if _, err := from.WriteToAddrPort(b[:size], d.AddrPort()); err != nil {
							t.Error(err)
						}
					}
				}
			})
			for _, d := range to {
				b := make([]byte, MaxPacket)
				for i := range n {
					got, sender, err := d.ReadFromAddrPort(b)
					if err != nil {
						t.Fatal(err)
					}
					want := 1200
					if i%7 == 6 {
						want = 100 + i
					}
					if got != want || binary.BigEndian.Uint32(b) != uint32(i) || sender != from.AddrPort() {
						t.Fatalf("packet %d: got %d bytes, number %d from %s, want %d bytes", i, got, binary.BigEndian.Uint32(b), sender, want)
					}
				}
			}
			wg.Wait()
			from.Flush() // waits for the loop to have counted
			s := from.Stats()
			if drops := s.DropQueueFull + s.DropKernel; s.PacketsOut != 3*n || drops != 0 {
				t.Errorf("sent %d and dropped %d, want %d and 0", s.PacketsOut, drops, 3*n)
			}
		})
	}
}

func TestOtherSocketsUnderstandUs(t *testing.T) {
	c := listen(t, Config{})
	plain, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := c.WriteTo([]byte("there"), plain.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, from, err := plain.ReadFromUDP(b)
	if err != nil || string(b[:n]) != "there" {
		t.Fatalf("got %q, %v", b[:n], err)
	}
	if _, err := plain.WriteTo([]byte("back"), from); err != nil {
		t.Fatal(err)
	}
	n, addr, err := c.ReadFrom(b)
	if err != nil || string(b[:n]) != "back" || addr.String() != plain.LocalAddr().String() {
		t.Fatalf("got %q from %v, %v", b[:n], addr, err)
	}
}

func TestDualStackSocketReachesIPv4(t *testing.T) {
	c, err := Listen("udp", ":0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d := listen(t, Config{})
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), c.AddrPort().Port())
	if _, err := d.WriteToAddrPort([]byte("x"), to); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	_, from, err := c.ReadFromAddrPort(b)
	if err != nil || from != d.AddrPort() {
		t.Fatalf("read from %v, %v, want %v", from, err, d.AddrPort())
	}
	if _, err := c.WriteToAddrPort([]byte("y"), from); err != nil {
		t.Fatal(err)
	}
	if n, _, err := d.ReadFromAddrPort(b); err != nil || string(b[:n]) != "y" {
		t.Fatalf("got %q, %v", b[:n], err)
	}
}

func TestTooLargePacketsAreDroppedAndCounted(t *testing.T) {
	c := listen(t, Config{})
	d := listen(t, Config{})
	if _, err := c.WriteToAddrPort(make([]byte, MaxPacket+1), d.AddrPort()); !errors.Is(err, errTooLarge) {
		t.Errorf("write of %d bytes: got %v", MaxPacket+1, err)
	}
	plain, err := net.Dial("udp4", d.AddrPort().String())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for _, b := range [][]byte{make([]byte, 20_000), []byte("ok")} {
		if _, err := plain.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, MaxPacket)
	n, _, err := d.ReadFromAddrPort(b)
	if err != nil || string(b[:n]) != "ok" {
		t.Errorf("got %q, %v, want the packet after the oversized one", b[:n], err)
	}
	if in, out := d.Stats().DropTooLarge, c.Stats().DropTooLarge; in != 1 || out != 1 {
		t.Errorf("counted %d in and %d out, want 1 and 1", in, out)
	}
}

func TestUnreachableDestinationsDisturbNobody(t *testing.T) {
	c := listen(t, Config{})
	d := listen(t, Config{})
	gone := listen(t, Config{})
	_ = gone.Close()
	none := netip.MustParseAddrPort("127.0.0.1:0") // the kernel says EINVAL
	for _, to := range []netip.AddrPort{gone.AddrPort(), none, d.AddrPort(), none, gone.AddrPort(), d.AddrPort()} {
		if _, err := c.WriteToAddrPort([]byte("hello"), to); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 100)
	for range 2 {
		if n, _, err := d.ReadFromAddrPort(b); err != nil || n != 5 {
			t.Fatalf("got %d bytes, %v", n, err)
		}
	}
	c.Flush() // waits for the loop to have counted
	if got := c.Stats().DropKernel; got != 2 {
		t.Errorf("counted %d refused packets, want 2", got)
	}
}

func TestDeadlineAndCloseEndReads(t *testing.T) {
	c := listen(t, Config{})
	if err := c.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.ReadFromAddrPort(make([]byte, 10)); !os.IsTimeout(err) {
		t.Errorf("read past its deadline: got %v", err)
	}
	_ = c.SetReadDeadline(time.Time{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, _, err := c.ReadFromAddrPort(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read from a closed socket: got %v", err)
		}
	})
	_ = c.Close()
	wg.Wait()
	if _, err := c.WriteToAddrPort([]byte("x"), c.AddrPort()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write to a closed socket: got %v", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestNothingAllocatesPerPacket(t *testing.T) {
	c := listen(t, Config{WaitMicroseconds: -1})
	d := listen(t, Config{})
	b := make([]byte, 1200)
	to := d.AddrPort()
	lean := func() {
		for range 32 {
			_, _ = c.WriteToAddrPort(b, to)
		}
		c.Flush()
		for range 32 {
			_, _, _ = d.ReadFromAddrPort(b)
		}
	}
	lean() // the arrays grow
	if got := testing.AllocsPerRun(50, lean); got >= 1 {
		t.Errorf("%v allocations for 32 packets, want 0", got)
	}
}

func BenchmarkSend(b *testing.B) {
	for name, cfg := range map[string]Config{"segmented": {}, "sendmmsg": {NoSegmentation: true}} {
		for _, burst := range []int{1, 6, 21} {
			b.Run(name+"/"+map[int]string{1: "single", 6: "bursts of 6", 21: "bursts of 21"}[burst], func(b *testing.B) {
				c := listen(b, cfg)
				var to []netip.AddrPort
				for range 16 {
					to = append(to, listen(b, Config{BufferBytes: 1 << 16}).AddrPort()) // full soon, and then costs nothing
				}
				p := make([]byte, 1200)
				b.SetBytes(1200)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					_, _ = c.WriteToAddrPort(p, to[i/burst%len(to)])
				}
				c.Flush()
				s := c.Stats()
				b.ReportMetric(float64(s.PacketsOut)/float64(max(1, s.SendCalls)), "packets/call")
			})
		}
	}
}

// BenchmarkPlain is what one write per packet costs, for comparison.
func BenchmarkPlain(b *testing.B) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	to := listen(b, Config{BufferBytes: 1 << 16}).AddrPort()
	p := make([]byte, 1200)
	b.SetBytes(1200)
	for b.Loop() {
		_, _ = c.WriteToUDPAddrPort(p, to)
	}
}
