package udp

import (
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	sendMessages = 64   // messages per sendmmsg
	sendPackets  = 1024 // packets per sendmmsg; the most iovecs one message may have is also 1024

	// A kernel buffer that stays full this long belongs to a link that is stuck;
	// waiting longer would only make what follows late as well.
	kernelFull = 5 * time.Millisecond
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
}

// sender owns the arrays that sendmmsg reads. It is used under Conn.sendMu only.
type sender struct {
	conn      *Conn
	v6        bool // the socket is AF_INET6: IPv4 goes as IPv4-in-IPv6
	segmented bool // UDP_SEGMENT works

	msgs   [sendMessages]mmsghdr
	names  [sendMessages]unix.RawSockaddrInet6 // or Inet4, which is smaller
	ctrls  [sendMessages][64]byte              // CmsgSpace(2), aligned
	runs   [sendMessages]run
	iovecs [sendPackets]unix.Iovec

	// The system call, prepared once so that a call allocates nothing.
	call  func(fd uintptr) bool
	from  int // first message to send
	until int
	wait  bool // wait for the kernel's buffer
	sent  int
	errno syscall.Errno
}

func (s *sender) open(c *Conn) {
	s.conn = c
	s.v6 = c.AddrPort().Addr().Is6() && !c.AddrPort().Addr().Is4In6()
	_ = c.raw.Control(func(fd uintptr) {
		if domain, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN); err == nil {
			s.v6 = domain == unix.AF_INET6
		}
		// The socket option is there since Linux 4.18; whether the route's card takes
		// it shows with the first message (EIO).
		_, err := unix.GetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT)
		s.segmented = err == nil && !c.cfg.NoSegmentation
	})
	s.call = s.sendmmsg
}

func (s *sender) sendmmsg(fd uintptr) bool {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, fd,
		uintptr(unsafe.Pointer(&s.msgs[s.from])), uintptr(s.until-s.from), unix.MSG_DONTWAIT, 0, 0)
	s.sent, s.errno = int(n), errno
	if errno != 0 {
		s.sent = 0
	}
	return errno != unix.EAGAIN || !s.wait
}

func (s *sender) send(q *queue) {
	maxRun := int32(1)
	if s.segmented {
		maxRun = int32(s.conn.cfg.RunPackets)
	}
	runs := s.conn.plan.make(q.packets, maxRun)
	for len(runs) > 0 {
		n := s.fill(q, runs)
		s.push(q, n)
		runs = runs[n:]
	}
}

// fill prepares as many of runs as the arrays hold, at least one.
func (s *sender) fill(q *queue, runs []run) int {
	n, iov := 0, 0
	for n < len(runs) && n < sendMessages && iov+int(runs[n].count) <= sendPackets {
		r := runs[n]
		first := &q.packets[r.first]
		hdr := &s.msgs[n].hdr
		*hdr = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&s.names[n])), Iov: &s.iovecs[iov]}
		hdr.Namelen = s.name(n, first.to)
		hdr.SetIovlen(int(r.count))
		for i := r.first; iov < sendPackets && r.count > 0; i = q.packets[i].next {
			p := &q.packets[i]
			s.iovecs[iov] = unix.Iovec{Base: unsafe.SliceData(q.bytes(p))}
			s.iovecs[iov].SetLen(int(p.size))
			iov++
			r.count--
		}
		if runs[n].count > 1 {
			s.segment(n, uint16(r.size))
		}
		s.runs[n] = runs[n]
		n++
	}
	return n
}

// segment asks the kernel to cut message i into packets of size bytes.
func (s *sender) segment(i int, size uint16) {
	c := (*unix.Cmsghdr)(unsafe.Pointer(&s.ctrls[i]))
	c.Level, c.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	c.SetLen(unix.CmsgLen(2))
	*(*uint16)(unsafe.Pointer(&s.ctrls[i][unix.CmsgLen(0)])) = size
	s.msgs[i].hdr.Control = &s.ctrls[i][0]
	s.msgs[i].hdr.SetControllen(unix.CmsgSpace(2))
}

// name writes the socket address of message i and returns its length.
func (s *sender) name(i int, to netip.AddrPort) uint32 {
	port := hostPort(to.Port()) // its own inverse
	if !s.v6 {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.names[i]))
		*sa = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: port}
		if a := to.Addr().Unmap(); a.Is4() {
			sa.Addr = a.As4()
		}
		return unix.SizeofSockaddrInet4
	}
	s.names[i] = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: port, Addr: to.Addr().As16()}
	if zone := to.Addr().Zone(); zone != "" {
		s.names[i].Scope_id = zoneID(zone)
	}
	return unix.SizeofSockaddrInet6
}

// push sends messages 0 to n-1. What the kernel refuses is dropped and counted, and
// the rest goes on.
func (s *sender) push(q *queue, n int) {
	s.from, s.until, s.wait = 0, n, false
	bounded := false
	for s.from < s.until {
		if err := s.conn.raw.Write(s.call); err != nil {
			s.stuck()
			break
		}
		switch {
		case s.errno == 0:
			s.count(q, s.from, s.from+s.sent)
			s.from += s.sent
			s.wait = false
		case s.errno == unix.EINTR:
		case s.errno == unix.EAGAIN:
			s.wait, bounded = true, true
			_ = s.conn.inner.SetWriteDeadline(time.Now().Add(kernelFull))
		case s.runs[s.from].count > 1 && refusesSegments(s.errno):
			// From now on the plan makes runs of one; this run is sent again packet by packet.
			s.segmented = false
			s.single(q, s.runs[s.from])
			s.from++
		default:
			s.conn.counters.dropKernel.Add(uint64(s.runs[s.from].count))
			s.from++
		}
	}
	if bounded { // a deadline left behind would fail the next batch
		_ = s.conn.inner.SetWriteDeadline(time.Time{})
	}
}

// stuck drops what is left of a batch that the kernel did not take in time.
func (s *sender) stuck() {
	for _, r := range s.runs[s.from:s.until] {
		s.conn.counters.dropKernel.Add(uint64(r.count))
	}
}

// single sends the packets of one run one by one, after the kernel refused it whole.
func (s *sender) single(q *queue, r run) {
	i := r.first
	for range r.count {
		p := &q.packets[i]
		b := q.bytes(p)
		if _, err := s.conn.inner.WriteToUDPAddrPort(b, p.to); err != nil {
			s.conn.counters.dropKernel.Add(1)
		} else {
			s.conn.counters.sent(1, len(b))
		}
		i = p.next
	}
}

func (s *sender) count(q *queue, from, until int) {
	packets, bytes := 0, 0
	for i := from; i < until; i++ {
		r := s.runs[i]
		packets += int(r.count)
		bytes += int(s.msgs[i].len)
		if r.count > 1 {
			s.conn.counters.segmented.Add(uint64(r.count))
		}
	}
	s.conn.counters.sent(packets, bytes)
}

// refusesSegments: EINVAL comes from a route or kernel without segmentation, EIO from
// a card without checksum offload, ENOPROTOOPT from a kernel before 4.18.
func refusesSegments(errno syscall.Errno) bool {
	return errno == unix.EINVAL || errno == unix.EIO || errno == unix.ENOPROTOOPT
}
