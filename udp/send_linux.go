package udp

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	sendMessages = 64   // messages per sendmmsg
	sendPackets  = 1024 // packets per sendmmsg; the most iovecs one message may have is also 1024

	// A kernel buffer that stays full this long belongs to a network card that sends nothing;
	// waiting longer would only make what follows late as well.
	kernelFull = 5 * time.Millisecond
)

// sender owns the arrays that sendmmsg reads. It is used under Conn.sendMu only.
type sender struct {
	conn      *Conn
	v6        bool // the socket is AF_INET6: IPv4 goes as IPv4-in-IPv6
	segmented bool // UDP_SEGMENT works
	narrow    NarrowPaths

	messages  [sendMessages]Message
	addresses [sendMessages]RawAddress
	controls  [sendMessages]SegmentControl
	runs      [sendMessages]run
	vectors   [sendPackets]unix.Iovec

	// The system call, prepared once so that a call allocates nothing.
	call  func(fd uintptr) bool
	from  int // messages from to until-1 are to be sent
	until int
	wait  bool // wait for room in the kernel's buffer instead of giving up
	sent  int  // messages that the last call sent
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
	s.call = s.transmit
}

// transmit returns false to wait until the socket takes more.
func (s *sender) transmit(fd uintptr) bool {
	s.sent, s.errno = SendMessages(fd, s.messages[s.from:s.until])
	return s.errno != unix.EAGAIN || !s.wait
}

// send sends all of q. It is called with Conn.sendMu locked, as are the methods below.
func (s *sender) send(q *queue) {
	maxRun := int32(1)
	if s.segmented {
		maxRun = int32(s.conn.cfg.RunPackets)
	}
	runs := s.conn.plan.make(q.packets, maxRun, s.narrow)
	for len(runs) > 0 {
		n := s.fill(q, runs)
		s.push(q, n)
		runs = runs[n:]
	}
}

// fill prepares as many of runs as the arrays hold, at least one.
func (s *sender) fill(q *queue, runs []run) int {
	n, used := 0, 0
	for n < len(runs) && n < sendMessages && used+int(runs[n].count) <= sendPackets {
		r := runs[n]
		vectors := s.vectors[used : used+int(r.count)]
		used += len(vectors)
		for i, at := 0, r.first; i < len(vectors); i++ {
			p := &q.packets[at]
			vectors[i] = Vector(q.bytes(p))
			at = p.next
		}
		s.addresses[n].set(q.packets[r.first].to, s.v6)
		s.messages[n].ToSend(&s.addresses[n], vectors)
		if r.count > 1 {
			s.messages[n].Segment(&s.controls[n], int(r.size))
		}
		s.runs[n] = r
		n++
	}
	return n
}

// push sends messages 0 to n-1. What the kernel refuses is dropped and counted, and
// the rest goes on.
func (s *sender) push(q *queue, n int) {
	s.from, s.until, s.wait = 0, n, false
	deadline := false
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
			s.wait, deadline = true, true
			_ = s.conn.inner.SetWriteDeadline(time.Now().Add(kernelFull))
		case s.runs[s.from].count > 1 && RefusesSegments(s.errno):
			// From now on the plan makes runs of one; this run is sent again packet by packet.
			if RefusesNarrow(s.errno) {
				s.narrow.Add(q.packets[s.runs[s.from].first].to.Addr())
			} else {
				s.segmented = false
			}
			s.single(q, s.runs[s.from])
			s.from++
		default:
			s.conn.counters.dropKernel.Add(uint64(s.runs[s.from].count))
			s.from++
		}
	}
	if deadline { // left behind, it would fail the next batch
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
		bytes += s.messages[i].Size()
		if r.count > 1 {
			s.conn.counters.segmented.Add(uint64(r.count))
		}
	}
	s.conn.counters.sent(packets, bytes)
}
