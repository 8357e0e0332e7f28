package udp

import (
	"encoding/binary"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file is what this package, turn and the generator of bench share below their
// batching: the arrays that sendmmsg(2) and recvmmsg(2) take, and the control message that
// carries the size of segments. Nothing else of the three needs package unsafe for packets.

// Message is struct mmsghdr: one datagram, or a run of datagrams of one size to or from one
// address, which the kernel cuts (UDP_SEGMENT) or has joined (UDP_GRO). It points to what
// the caller owns, which must stay in place until the call returns.
type Message struct {
	header unix.Msghdr
	size   uint32 // written by the kernel
}

// ToSend makes m a message to an address. The bytes of all vectors follow each other.
func (m *Message) ToSend(to *RawAddress, vectors []unix.Iovec) {
	m.header = unix.Msghdr{Name: &to.bytes[0], Namelen: to.size()}
	m.setVectors(vectors)
}

// Segment asks the kernel to cut the message into datagrams of size bytes; the last may be
// shorter. A kernel, route or card that cannot refuses the message, see [RefusesSegments].
func (m *Message) Segment(c *SegmentControl, size int) {
	c.header.Level, c.header.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	c.header.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(c.value[:], uint16(size))
	m.header.Control = (*byte)(unsafe.Pointer(c))
	m.header.SetControllen(unix.CmsgSpace(2))
}

// Segmented reports whether the kernel was asked to cut this message.
func (m *Message) Segmented() bool { return m.header.Control != nil }

// ToReceive makes m room for a message: the sender goes to from (nil: nobody asks), the
// bytes to vectors. Call Reset before each ReceiveMessages.
func (m *Message) ToReceive(from *RawAddress, vectors []unix.Iovec) {
	m.header = unix.Msghdr{}
	if from != nil {
		m.header.Name = &from.bytes[0]
	}
	m.setVectors(vectors)
}

// ReceiveSegments lets the kernel say in c into which datagrams a joined message comes apart.
func (m *Message) ReceiveSegments(c *SegmentControl) {
	m.header.Control = (*byte)(unsafe.Pointer(c))
}

// ReceiveControl lets the kernel write other control messages.
func (m *Message) ReceiveControl(room []byte) { m.header.Control = &room[0] }

// Reset makes m ready to receive: the kernel has replaced the lengths of the room there was
// by those it used. Control is the size of the room for control messages.
func (m *Message) Reset(control int) {
	m.header.Namelen = unix.SizeofSockaddrInet6
	m.header.SetControllen(control)
}

func (m *Message) setVectors(vectors []unix.Iovec) {
	if len(vectors) > 0 {
		m.header.Iov = &vectors[0]
		m.header.SetIovlen(len(vectors))
	}
}

// Size is how many bytes were sent or received.
func (m *Message) Size() int { return int(m.size) }

// Truncated reports whether a received message was larger than its vectors.
func (m *Message) Truncated() bool { return m.header.Flags&unix.MSG_TRUNC != 0 }

// Control is how many bytes of control messages were received.
func (m *Message) Control() int { return int(m.header.Controllen) }

// SegmentSize is the size of the datagrams that the kernel has joined to this message; the
// last may be shorter. It is Size for a datagram that came alone.
func (m *Message) SegmentSize(c *SegmentControl) int {
	if m.header.Controllen == 0 || c.header.Level != unix.SOL_UDP || c.header.Type != unix.UDP_GRO {
		return m.Size()
	}
	return max(1, int(int32(binary.NativeEndian.Uint32(c.value[:]))))
}

// Vector points to bytes of a message, or to the room for them.
func Vector(b []byte) unix.Iovec {
	v := unix.Iovec{Base: unsafe.SliceData(b)}
	v.SetLen(len(b))
	return v
}

// SegmentControl is room for the control message of UDP_SEGMENT or UDP_GRO.
type SegmentControl struct {
	header unix.Cmsghdr
	value  [unix.SizeofPtr]byte // two bytes for UDP_SEGMENT, four for UDP_GRO, and padding
}

// SegmentControlSize is what Reset takes for a message with ReceiveSegments.
const SegmentControlSize = int(unsafe.Sizeof(SegmentControl{}))

// SendMessages sends what the socket takes without waiting, and returns how many messages
// that were. The error is that of the first message and comes only if none was sent.
func SendMessages(fd uintptr, m []Message) (int, syscall.Errno) {
	return messages(unix.SYS_SENDMMSG, fd, m)
}

// ReceiveMessages receives what is there without waiting, and returns how many messages
// that were.
func ReceiveMessages(fd uintptr, m []Message) (int, syscall.Errno) {
	return messages(unix.SYS_RECVMMSG, fd, m)
}

// WaitAndSendMessages waits until the socket, a blocking one, takes the first messages.
func WaitAndSendMessages(fd uintptr, m []Message) (int, syscall.Errno) {
	return waitingMessages(unix.SYS_SENDMMSG, fd, m, 0)
}

// WaitAndReceiveMessages waits until the socket, a blocking one, has a message, and receives
// what else is there.
func WaitAndReceiveMessages(fd uintptr, m []Message) (int, syscall.Errno) {
	return waitingMessages(unix.SYS_RECVMMSG, fd, m, unix.MSG_WAITFORONE)
}

// messages does not tell Go's scheduler of the call, which costs as much as a short call
// itself and is of use only for calls that wait.
func messages(call, fd uintptr, m []Message) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(call, fd, uintptr(unsafe.Pointer(&m[0])), uintptr(len(m)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

func waitingMessages(call, fd uintptr, m []Message, flags uintptr) (int, syscall.Errno) {
	n, _, errno := unix.Syscall6(call, fd, uintptr(unsafe.Pointer(&m[0])), uintptr(len(m)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// PollEvents is epoll_pwait(2) without waiting and, like SendMessages, without telling Go's
// scheduler. It returns how many of events were filled.
func PollEvents(epoll int, events []unix.EpollEvent) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// RefusesSegments reports whether the error of a segmented message says that it may be sent
// in pieces: EIO comes from a card without checksum offload, ENOPROTOOPT from a kernel before
// 4.18, the others from a path (see [RefusesNarrow]).
func RefusesSegments(errno syscall.Errno) bool {
	return RefusesNarrow(errno) || errno == unix.EIO || errno == unix.ENOPROTOOPT
}

// RefusesNarrow reports whether the error of a segmented message says that its packets do not
// fit the path to this destination: EMSGSIZE, before Linux 6.14 EINVAL.
func RefusesNarrow(errno syscall.Errno) bool { return errno == unix.EMSGSIZE || errno == unix.EINVAL }
