package udp

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// reader owns the arrays that recvmmsg fills. It is used under Conn.readMu only.
type reader struct {
	conn *Conn

	messages  []Message
	addresses []RawAddress
	vectors   []unix.Iovec
	buffers   []byte

	// What the last call brought: messages at to count-1 are not read yet.
	at, count int

	// The system call, prepared once so that a call allocates nothing, and its error.
	call  func(fd uintptr) bool
	errno syscall.Errno
}

func (r *reader) open(c *Conn) {
	n := c.cfg.ReadPackets
	r.conn = c
	r.messages = make([]Message, n)
	r.addresses = make([]RawAddress, n)
	r.vectors = make([]unix.Iovec, n)
	r.buffers = make([]byte, n*MaxPacket)
	for i := range n {
		r.vectors[i] = Vector(r.buffers[i*MaxPacket : (i+1)*MaxPacket])
		r.messages[i].ToReceive(&r.addresses[i], r.vectors[i:i+1])
	}
	r.call = r.receive
}

// receive returns false to wait until there is something to read.
func (r *reader) receive(fd uintptr) bool {
	for i := range r.messages {
		r.messages[i].Reset(0)
	}
	r.at = 0
	r.count, r.errno = ReceiveMessages(fd, r.messages)
	return r.errno != unix.EAGAIN
}

func (r *reader) next(b []byte) (int, netip.AddrPort, error) {
	for {
		for r.at < r.count {
			i := r.at
			r.at++
			if r.messages[i].Truncated() {
				r.conn.counters.dropTooLarge.Add(1)
				continue
			}
			return copy(b, r.buffers[i*MaxPacket:][:r.messages[i].Size()]), r.from(i), nil
		}
		if err := r.fill(); err != nil {
			return 0, netip.AddrPort{}, err
		}
	}
}

// fill waits for packets. Errors that the network reports about an earlier send
// (ECONNREFUSED and its like) are not errors of reading.
func (r *reader) fill() error {
	select {
	case <-r.conn.done:
		return net.ErrClosed
	default:
	}
	if err := r.conn.raw.Read(r.call); err != nil {
		return err
	}
	if r.errno != 0 {
		return nil
	}
	bytes := 0
	for i := range r.messages[:r.count] {
		bytes += r.messages[i].Size()
	}
	r.conn.counters.readCalls.Add(1)
	r.conn.counters.packetsIn.Add(uint64(r.count))
	r.conn.counters.bytesIn.Add(uint64(bytes))
	return nil
}

func (r *reader) from(i int) netip.AddrPort {
	a := r.addresses[i].AddrPort()
	if scope := r.addresses[i].scope(); scope != 0 && a.Addr().IsLinkLocalUnicast() {
		return netip.AddrPortFrom(a.Addr().WithZone(strconv.Itoa(int(scope))), a.Port())
	}
	return a
}

// zoneID reads a zone that from wrote, or one that is the name of an interface.
func zoneID(zone string) uint32 {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	return 0
}
