package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"carillon/udp"
)

// socket is a UDP socket that is read in batches, with the kernel's time stamps. Of the udp
// package it uses the system calls only: what measures must not change when what is measured
// does.
type socket struct {
	// Fixed before start.
	conn    *net.UDPConn
	raw     syscall.RawConn
	address netip.AddrPort
	port    uint16
	v4      bool
	meter   *meter
	receive receiver // of a socket with one peer
	done    chan struct{}
	started bool
	once    sync.Once

	// Guarded by the meter's lock. Receivers by their loopback address; nil: the socket is of one peer.
	table map[netip.Addr]receiver

	// Owned by readLoop.
	overflow uint32 // datagrams that the kernel has dropped so far
}

// A read takes up to readBatch datagrams; with GRO each may hold a whole burst.
const (
	readBatch   = 32
	readBuffer  = 64 << 10
	socketSpace = 64 << 20
)

func openSocket(at netip.AddrPort, m *meter) (*socket, error) {
	network := "udp6"
	if at.Addr().Is4() {
		network = "udp4"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("open socket of the generator: %w", err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s := &socket{conn: conn, raw: raw, meter: m, v4: at.Addr().Is4(), done: make(chan struct{})}
	s.address = conn.LocalAddr().(*net.UDPAddr).AddrPort()
	s.port = s.address.Port()
	var failed error
	err = raw.Control(func(fd uintptr) { failed = s.prepare(int(fd)) })
	if err := errors.Join(err, failed); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare socket of the generator: %w", err), conn.Close())
	}
	return s, nil
}

func (s *socket) prepare(fd int) error {
	// FORCE needs a privilege; without it the kernel clamps to net.core.rmem_max.
	for _, o := range []struct{ force, plain int }{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, o.force, socketSpace) != nil {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, o.plain, socketSpace); err != nil {
				return err
			}
		}
	}
	// Not all kernels have GRO for UDP; without it datagrams come one by one.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1)
	err := errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1))
	if s.v4 {
		err = errors.Join(err, unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1))
	}
	return err
}

func (s *socket) start() {
	s.started = true
	go s.readLoop()
}

// close returns when the read loop has ended.
func (s *socket) close() {
	s.once.Do(func() {
		_ = s.conn.Close()
		if s.started {
			<-s.done
		}
	})
}

// readArrays are what one recvmmsg fills.
type readArrays struct {
	messages [readBatch]udp.Message
	vectors  [readBatch]unix.Iovec
	control  [readBatch][160]byte
	buffers  [readBatch][]byte
}

var readPool = sync.Pool{New: func() any {
	a := new(readArrays)
	slab := make([]byte, readBatch*readBuffer)
	for i := range a.messages {
		a.buffers[i] = slab[i*readBuffer : (i+1)*readBuffer]
		a.vectors[i] = udp.Vector(a.buffers[i])
		a.messages[i].ToReceive(nil, a.vectors[i:i+1])
		a.messages[i].ReceiveControl(a.control[i][:])
	}
	return a
}}

func (s *socket) readLoop() {
	defer close(s.done)
	for {
		// The arrays are taken only when there is something to read: a socket per peer
		// would hold 2 MiB each otherwise.
		err := s.raw.Read(func(fd uintptr) bool {
			a := readPool.Get().(*readArrays)
			defer readPool.Put(a)
			// A flood must not keep the loop from seeing that the socket was closed.
			for range 64 {
				n, errno := receiveMany(fd, a)
				if errno == syscall.EAGAIN {
					return false
				}
				if errno != 0 && errno != syscall.EINTR && errno != syscall.ECONNREFUSED {
					return true // closed: the next Read says so
				}
				s.deliver(a, n)
			}
			return true
		})
		if err != nil {
			return
		}
	}
}

func receiveMany(fd uintptr, a *readArrays) (int, syscall.Errno) {
	for i := range a.messages {
		a.messages[i].Reset(len(a.control[i]))
	}
	return udp.ReceiveMessages(fd, a.messages[:])
}

func (s *socket) deliver(a *readArrays, n int) {
	s.meter.mu.Lock()
	defer s.meter.mu.Unlock()
	for i := range n {
		m := &a.messages[i]
		info := parseControl(a.control[i][:m.Control()])
		if info.overflow != s.overflow {
			s.meter.Dropped += uint64(info.overflow - s.overflow)
			s.overflow = info.overflow
		}
		if info.at == 0 {
			info.at = time.Now().UnixNano()
		}
		receive := s.receive
		if s.table != nil {
			receive = s.table[info.to]
		}
		if receive == nil {
			continue // for a peer that has left
		}
		for rest := a.buffers[i][:m.Size()]; len(rest) > 0; {
			size := len(rest)
			if info.segment > 0 {
				size = min(size, info.segment)
			}
			receive(s.meter, rest[:size], info.at)
			rest = rest[size:]
		}
	}
}

type controlInfo struct {
	to       netip.Addr
	at       int64
	segment  int
	overflow uint32
}

// parseControl reads the ancillary data that prepare asked for. The kernel wrote it.
func parseControl(b []byte) (info controlInfo) {
	for len(b) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(b)
		if err != nil {
			return info
		}
		b = rest
		switch {
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPNS && len(data) >= 16:
			second, nanosecond := binary.NativeEndian.Uint64(data), binary.NativeEndian.Uint64(data[8:])
			info.at = int64(second)*int64(time.Second) + int64(nanosecond)
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
			info.overflow = binary.NativeEndian.Uint32(data)
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			info.to = netip.AddrFrom4([4]byte(data[8:12])) // ipi_addr of struct in_pktinfo
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			info.segment = int(int32(binary.NativeEndian.Uint32(data)))
		}
	}
	return info
}

// attach sets who receives what is sent to one of our loopback addresses; nil: nobody.
func (s *socket) attach(a netip.Addr, r receiver) {
	s.meter.mu.Lock()
	defer s.meter.mu.Unlock()
	if r == nil {
		delete(s.table, a)
	} else {
		s.table[a] = r
	}
}

// sendTo writes one datagram; control names the address it comes from, nil leaves that to the kernel.
func (s *socket) sendTo(b []byte, to netip.AddrPort, control []byte) error {
	_, _, err := s.conn.WriteMsgUDPAddrPort(b, control, to)
	return err
}

func sourceControl(from netip.Addr) []byte {
	return unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: from.As4()})
}
