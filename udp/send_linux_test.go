package udp

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestRefusedSegmentationFallsBack(t *testing.T) {
	c := listen(t, Config{WaitMicroseconds: -1})
	d := listen(t, Config{})
	if !segmented(c) {
		t.Log("this kernel has no UDP_SEGMENT; the fallback is all there is")
	}
	// A socket without checksums cannot be segmented: the kernel says EINVAL or EIO,
	// as it does for cards without checksum offload.
	_ = c.raw.Control(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_NO_CHECK, 1); err != nil {
			t.Fatal(err)
		}
	})
	b := make([]byte, 1000)
	for range 2 {
		c.sendMu.Lock() // so that the flush loop finds all of them together
		for i := range 10 {
			b[0] = byte(i)
			if _, err := c.WriteToAddrPort(b, d.AddrPort()); err != nil {
				t.Fatal(err)
			}
		}
		c.sendMu.Unlock()
		c.Flush()
		for i := range 10 {
			if _, _, err := d.ReadFromAddrPort(b); err != nil || b[0] != byte(i) {
				t.Fatalf("packet %d: got %d, %v", i, b[0], err)
			}
		}
	}
	if s := c.Stats(); s.PacketsOut != 20 || s.DropKernel != 0 || s.Segmented != 0 {
		t.Errorf("sent %d, dropped %d, segmented %d, want 20, 0, 0", s.PacketsOut, s.DropKernel, s.Segmented)
	}
}

// The way to a destination may be narrower than our packets, or somebody says so by a forged ICMP
// message. The kernel then sends fragments, but does not segment.
func TestOneNarrowPathLosesNothingAndCostsNoOther(t *testing.T) {
	for _, refusal := range []unix.Errno{unix.EMSGSIZE, unix.EINVAL} { // since and before Linux 6.14
		t.Run(refusal.Error(), func(t *testing.T) {
			c := listen(t, Config{WaitMicroseconds: -1})
			narrow := listen(t, Config{})
			wide, err := Listen("udp4", "127.0.0.2:0", Config{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = wide.Close() })
			c.sendMu.Lock()
			refused := 0
			kernel := c.sender.call
			c.sender.call = func(fd uintptr) bool {
				s := &c.sender
				if s.messages[s.from].Segmented() && s.addresses[s.from].AddrPort() == narrow.AddrPort() {
					refused++
					s.sent, s.errno = 0, refusal
					return true
				}
				until := s.until
				s.until = s.from + 1
				defer func() { s.until = until }()
				return kernel(fd)
			}
			c.sendMu.Unlock()
			b := make([]byte, 1000)
			for range 2 {
				for _, d := range []*Conn{narrow, wide} {
					c.sendMu.Lock() // so that the flush loop finds all of them together
					for i := range 10 {
						b[0] = byte(i)
						_, _ = c.WriteToAddrPort(b, d.AddrPort())
					}
					c.sendMu.Unlock()
					c.Flush()
					for i := range 10 {
						if _, _, err := d.ReadFromAddrPort(b); err != nil || b[0] != byte(i) {
							t.Fatalf("packet %d: got %d, %v", i, b[0], err)
						}
					}
				}
			}
			c.Flush() // waits for the loop to have counted
			s := c.Stats()
			if s.PacketsOut != 40 || s.DropKernel != 0 || segmented(c) && s.Segmented != 20 {
				t.Errorf("sent %d, dropped %d, segmented %d, want 40, 0, 20", s.PacketsOut, s.DropKernel, s.Segmented)
			}
			if refused > 1 {
				t.Errorf("the kernel was asked %d times", refused)
			}
		})
	}
}

func TestBurstsLeaveInFewCalls(t *testing.T) {
	c := listen(t, Config{})
	d := listen(t, Config{})
	to := d.AddrPort()
	b := make([]byte, 1200)
	c.sendMu.Lock()
	for range 40 {
		_, _ = c.WriteToAddrPort(b, to)
	}
	c.sendMu.Unlock()
	for range 40 {
		if _, _, err := d.ReadFromAddrPort(b); err != nil {
			t.Fatal(err)
		}
	}
	c.Flush() // waits for the loop to have counted
	if s := c.Stats(); s.SendCalls > 2 || segmented(c) && s.Segmented < 39 {
		t.Errorf("%d calls and %d segmented packets for one burst of 40", s.SendCalls, s.Segmented)
	}
}

func TestFullQueueSlowsTheWriterAndLosesNothing(t *testing.T) {
	c := listen(t, Config{QueuePackets: 8})
	d := listen(t, Config{})
	to := d.AddrPort()
	b := make([]byte, 100)
	for range 500 {
		if _, err := c.WriteToAddrPort(b, to); err != nil {
			t.Fatal(err)
		}
	}
	for range 500 {
		if _, _, err := d.ReadFromAddrPort(b); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.Stats().DropQueueFull; got != 0 {
		t.Errorf("dropped %d", got)
	}
}

func TestAFullKernelDelaysOnlyTheBatchThatMeetsIt(t *testing.T) {
	c := listen(t, Config{})
	d := listen(t, Config{})
	c.sendMu.Lock()
	kernel, full := c.sender.call, true
	c.sender.call = func(fd uintptr) bool {
		if !full {
			return kernel(fd)
		}
		full = false
		c.sender.sent, c.sender.errno = 0, unix.EAGAIN
		return true
	}
	c.sendMu.Unlock()
	b := make([]byte, 10)
	for i := range 2 {
		if _, err := c.WriteToAddrPort([]byte("hello"), d.AddrPort()); err != nil {
			t.Fatal(err)
		}
		c.Flush()
		if s := c.Stats(); s.DropKernel != 0 {
			t.Fatalf("batch %d: dropped %d packets", i, s.DropKernel)
		}
		if n, _, err := d.ReadFromAddrPort(b); err != nil || n != 5 {
			t.Fatalf("batch %d: got %d bytes, %v", i, n, err)
		}
		<-time.After(2 * kernelFull) // what bounded the first batch must not end the second
	}
}

func segmented(c *Conn) bool {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	return c.sender.segmented
}
