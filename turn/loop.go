//go:build linux

package turn

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"carillon/udp"
)

const (
	// receiveBuffers is how many datagrams, or runs that the kernel joined, a loop receives before it sends.
	receiveBuffers = 64
	// receiveSize is room for the longest run that the kernel joins (UDP_GRO).
	receiveSize = 1 << 16
	// messagesPerSocket is how many messages are read from one socket before the next is read.
	messagesPerSocket = 32
	maxEvents         = 256 // of one epoll_pwait
)

// loop is the packet loop of one core. It owns one socket of every UDP listener, and the relay
// sockets of the clients that the kernel assigns to that one. It reads in batches, forwards,
// and sends in batches; a packet costs no allocation and no lock.
//
// It waits with an epoll of its own, which Go's poller watches as one file.
type loop struct {
	server *Server
	epoll  int
	file   *os.File
	raw    syscall.RawConn
	wake   int // eventfd that post writes to
	wait   func(uintptr) bool
	stats  traffic

	// Owned by run.
	listenSockets []*listenSocket
	owners        []fdOwner // by file descriptor
	ready         []int32   // sockets that may have more than was read from them
	again         []int32   // ready of the next round
	events        [maxEvents]unix.EpollEvent
	polled        int // how many events are filled
	out           *batch
	now           int64   // time of this round
	request       message // of the datagram in hand
	stopped       bool

	// Receive buffers. The first used of them hold packets that are queued in out and not sent.
	slab     []byte
	incoming [receiveBuffers]udp.Message
	vectors  [receiveBuffers]unix.Iovec
	from     [receiveBuffers]udp.RawAddress
	controls [receiveBuffers]udp.SegmentControl
	used     int

	// Written under mu by any goroutine.
	mu     sync.Mutex
	posted []func() // to run on the loop
	closed bool     // run has ended
}

// fdOwner is what a file descriptor of the loop belongs to: a listener or a relay. The eventfd
// belongs to neither.
type fdOwner struct {
	listenSocket *listenSocket
	relay        *relay
}

// listenSocket is one socket of a UDP listener, and the relays of the clients whose packets
// the kernel delivers to it. The loop owns it.
type listenSocket struct {
	address     listenAddress
	libraryConn *libraryConn
	out         sendSocket
	clients     map[udp.Key]*relay
}

func newLoop(s *Server) (*loop, error) {
	l := &loop{server: s, slab: make([]byte, receiveBuffers*receiveSize)}
	l.out = newBatch(maxBatch, &l.stats)
	l.wait = func(uintptr) bool { l.polled = l.poll(); return l.polled != 0 }
	var err error
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("open epoll: %w", err)
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		unix.Close(l.epoll)
		return nil, fmt.Errorf("open eventfd: %w", err)
	}
	unix.SetNonblock(l.epoll, true)
	l.file = os.NewFile(uintptr(l.epoll), "turn")
	if l.raw, err = l.file.SyscallConn(); err == nil {
		err = l.watch(l.wake, fdOwner{})
	}
	if err != nil {
		l.file.Close()
		unix.Close(l.wake)
		return nil, fmt.Errorf("watch epoll: %w", err)
	}
	for i := range l.incoming {
		l.vectors[i] = udp.Vector(l.slab[i*receiveSize : (i+1)*receiveSize])
		l.incoming[i].ToReceive(&l.from[i], l.vectors[i:i+1])
		l.incoming[i].ReceiveSegments(&l.controls[i])
	}
	return l, nil
}

// watch is called by run, or before it starts. A descriptor that cannot be watched has no owner.
func (l *loop) watch(fd int, s fdOwner) error {
	for len(l.owners) <= fd {
		l.owners = append(l.owners, fdOwner{})
	}
	err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET&(1<<32-1), Fd: int32(fd)})
	if err == nil {
		l.owners[fd] = s
	}
	return err
}

// post runs f on the loop. It never blocks; what is posted is bounded by the relays there are.
func (l *loop) post(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return // run has closed everything
	}
	l.posted = append(l.posted, f)
	if len(l.posted) == 1 {
		one := [8]byte{1}
		unix.Write(l.wake, one[:])
	}
}

// run ends after stop, with every socket closed.
func (l *loop) run() {
	for !l.stopped {
		l.polled = l.poll()
		if l.polled == 0 && len(l.ready) == 0 && l.raw.Read(l.wait) != nil {
			break
		}
		l.now = l.server.clock()
		l.again = l.again[:0]
		for _, e := range l.events[:l.polled] {
			l.read(e.Fd)
		}
		for _, fd := range l.ready {
			l.read(fd)
		}
		l.ready, l.again = l.again, l.ready
		l.flush()
	}
	for _, s := range l.owners {
		if s.relay != nil {
			s.relay.end("server closed")
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for fd, s := range l.owners {
		if s != (fdOwner{}) {
			unix.Close(fd)
		}
	}
	unix.Close(l.wake)
	l.file.Close()
}

func (l *loop) poll() int { return udp.PollEvents(l.epoll, l.events[:]) }

func (l *loop) stop() { l.post(func() { l.stopped = true }) }

// runPosted runs what was posted.
func (l *loop) runPosted() {
	var eight [8]byte
	unix.Read(l.wake, eight[:])
	l.mu.Lock()
	list := l.posted
	l.posted = nil
	l.mu.Unlock()
	for _, f := range list {
		f()
	}
}

func (l *loop) flush() {
	l.out.flush()
	l.used = 0
}

// read reads one socket, up to messagesPerSocket messages.
func (l *loop) read(fd int32) {
	if int(fd) == l.wake {
		l.runPosted()
		return
	}
	s := l.owners[fd]
	if s == (fdOwner{}) {
		return
	}
	for got := 0; ; {
		if l.used == receiveBuffers {
			l.flush()
		}
		want := min(receiveBuffers-l.used, messagesPerSocket)
		n := l.receive(int(fd), want)
		for i := l.used; i < l.used+n; i++ {
			l.dispatch(s, i)
		}
		l.used += n
		got += n
		if n < want {
			return // drained; epoll tells when there is more
		}
		if got >= messagesPerSocket {
			l.again = append(l.again, fd)
			return
		}
	}
}

func (l *loop) receive(fd, want int) int {
	into := l.incoming[l.used : l.used+want]
	for i := range into {
		into[i].Reset(udp.SegmentControlSize)
	}
	for {
		n, errno := udp.ReceiveMessages(uintptr(fd), into)
		l.stats.reads.Add(1)
		if errno != unix.EINTR {
			return n
		}
	}
}

// dispatch handles each of the datagrams that the kernel has joined in buffer i.
func (l *loop) dispatch(s fdOwner, i int) {
	m := &l.incoming[i]
	data := l.slab[i*receiveSize : i*receiveSize+m.Size()]
	size := m.SegmentSize(&l.controls[i])
	for {
		piece := data[:min(size, len(data))]
		if s.listenSocket != nil {
			l.fromClient(s.listenSocket, &l.from[i], piece)
		} else {
			l.fromPeer(s.relay, &l.from[i], piece)
		}
		if data = data[len(piece):]; len(data) == 0 {
			return
		}
	}
}

// removeRelay closes a relay's socket, also one that could not be watched. The relay has ended
// before. It is called once for a relay.
func (l *loop) removeRelay(r *relay) {
	l.flush()
	l.owners[r.out.fd] = fdOwner{}
	r.sending.Lock()
	unix.Close(r.out.fd)
	r.out.fd = -1
	r.sending.Unlock()
	if r.listenSocket != nil && r.listenSocket.clients[r.clientRaw.Key()] == r {
		delete(r.listenSocket.clients, r.clientRaw.Key())
	}
}

// addRelay starts to read a relay's socket.
func (l *loop) addRelay(r *relay) error { return l.watch(r.out.fd, fdOwner{relay: r}) }
