package udp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

var bigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1

// reader owns the arrays that recvmmsg fills. It is used under Conn.readMu only.
type reader struct {
	conn *Conn

	msgs    []mmsghdr
	names   []unix.RawSockaddrInet6
	iovecs  []unix.Iovec
	buffers []byte

	// What the last call brought.
	at, count int

	call  func(fd uintptr) bool
	errno syscall.Errno
}

func (r *reader) open(c *Conn) {
	n := c.cfg.ReadPackets
	r.conn = c
	r.msgs = make([]mmsghdr, n)
	r.names = make([]unix.RawSockaddrInet6, n)
	r.iovecs = make([]unix.Iovec, n)
	r.buffers = make([]byte, n*MaxPacket)
	for i := range n {
		r.iovecs[i].Base = &r.buffers[i*MaxPacket]
		r.iovecs[i].SetLen(MaxPacket)
		r.msgs[i].hdr.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		r.msgs[i].hdr.Iov = &r.iovecs[i]
		r.msgs[i].hdr.SetIovlen(1)
	}
	r.call = r.recvmmsg
}

func (r *reader) recvmmsg(fd uintptr) bool {
	for i := range r.msgs[:r.count] {
		r.msgs[i].hdr.Flags = 0
	}
	for i := range r.msgs {
		r.msgs[i].hdr.Namelen = unix.SizeofSockaddrInet6
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd,
		uintptr(unsafe.Pointer(&r.msgs[0])), uintptr(len(r.msgs)), unix.MSG_DONTWAIT, 0, 0)
	r.at, r.count, r.errno = 0, int(n), errno
	if errno != 0 {
		r.count = 0
	}
	return errno != unix.EAGAIN
}

func (r *reader) next(b []byte) (int, netip.AddrPort, error) {
	for {
		for r.at < r.count {
			i := r.at
			r.at++
			if r.msgs[i].hdr.Flags&unix.MSG_TRUNC != 0 {
				r.conn.counters.dropTooLarge.Add(1)
				continue
			}
			return copy(b, r.buffers[i*MaxPacket:][:r.msgs[i].len]), r.from(i), nil
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
	for i := range r.msgs[:r.count] {
		bytes += int(r.msgs[i].len)
	}
	r.conn.counters.readCalls.Add(1)
	r.conn.counters.packetsIn.Add(uint64(r.count))
	r.conn.counters.bytesIn.Add(uint64(bytes))
	return nil
}

func (r *reader) from(i int) netip.AddrPort {
	if r.names[i].Family == unix.AF_INET {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&r.names[i]))
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), hostPort(sa.Port))
	}
	sa := &r.names[i]
	addr := netip.AddrFrom16(sa.Addr).Unmap()
	if sa.Scope_id != 0 && addr.Is6() && addr.IsLinkLocalUnicast() {
		addr = addr.WithZone(strconv.Itoa(int(sa.Scope_id)))
	}
	return netip.AddrPortFrom(addr, hostPort(sa.Port))
}

func hostPort(p uint16) uint16 {
	if bigEndian {
		return p
	}
	return p<<8 | p>>8
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
