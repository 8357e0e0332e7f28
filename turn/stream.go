//go:build linux

package turn

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"carillon/tcp"
)

const (
	// idleBuffer is what a connection costs before it has a relay; readBuffer after.
	idleBuffer = maxFrame
	readBuffer = 16 << 10
	// streamQueue is how many bytes wait for a client that reads slowly, beside those in the
	// kernel. What comes on top is dropped: media that is late helps nobody.
	streamQueue = 64 << 10
	// writeTimeout ends a connection whose client reads nothing at all.
	writeTimeout = 10 * time.Second
	// streamBatch is how many packets of a stream go to peers with one system call.
	streamBatch = 16
)

// stream is one TCP or TLS connection of a client.
type stream struct {
	// Fixed at construction.
	server   *Server
	conn     net.Conn
	accepted *tcp.Conn // the TCP connection under conn
	listener *streamListener
	client   netip.AddrPort

	// Owned by read.
	spoke    bool // a request of somebody we know has come
	relay    *relay
	buffer   []byte
	filled   int // bytes of buffer that hold frames
	request  message
	out      *batch    // packets to peers; made with the relay
	deadline time.Time // of the next read; zero: none

	// Under mu, by the loops and the reader that queue, and by write.
	mu      sync.Mutex
	queue   []byte // whole frames for the client
	spare   []byte // what write has written, for the next queue
	writing bool   // write runs
	broken  bool   // a write has failed: nothing is queued any more
	relayed bool   // there is or was a relay, so the buffers are kept
}

// serve reads the connection until it ends. Its relay ends with it.
func (s *stream) serve() {
	defer func() {
		s.conn.Close()
		if s.relay != nil {
			s.relay.end("connection closed")
		}
	}()
	s.buffer = make([]byte, idleBuffer)
	limits := s.server.cfg.Limits
	s.due(time.Duration(limits.FrameSeconds) * time.Second)
	for {
		n, err := s.conn.Read(s.buffer[s.filled:])
		s.filled += n
		if n > 0 && !s.frames() {
			s.server.metrics.closed(s.listener.transport, "frame")
			return
		}
		if err != nil {
			s.server.metrics.closed(s.listener.transport, reason(err))
			return
		}
		if s.relay.live() && len(s.buffer) == idleBuffer {
			s.buffer = append(make([]byte, 0, readBuffer), s.buffer...)[:readBuffer]
		}
		s.nextDeadline(limits)
	}
}

// reason says for the metrics why reading ended.
func reason(err error) string {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "timeout"
	}
	return "client"
}

// nextDeadline bounds the wait for the next bytes: a frame that has begun must be complete
// soon, so that nobody holds a connection by sending a byte now and then.
func (s *stream) nextDeadline(l Limits) {
	frame := time.Duration(l.FrameSeconds) * time.Second
	idle := time.Duration(l.IdleSeconds) * time.Second
	switch {
	case s.filled > 0:
		if s.deadline.IsZero() || time.Until(s.deadline) > frame {
			s.due(frame)
		}
	case s.relay.live():
		// The relay's lifetime bounds it; the deadline comes back when the relay ends.
		if !s.deadline.IsZero() {
			s.deadline = time.Time{}
			s.conn.SetReadDeadline(s.deadline)
			if !s.relay.live() {
				s.due(idle)
			}
		}
	default:
		s.due(idle)
	}
}

// due sets the deadline of the next read.
func (s *stream) due(in time.Duration) {
	s.deadline = time.Now().Add(in)
	s.conn.SetReadDeadline(s.deadline)
}

// relayEnded is called when the relay ends while the connection may live on.
func (s *stream) relayEnded() {
	s.conn.SetReadDeadline(time.Now().Add(time.Duration(s.server.cfg.Limits.IdleSeconds) * time.Second))
}

// frames handles every complete frame in the buffer; false if the stream is not TURN.
func (s *stream) frames() bool {
	now := s.server.clock()
	at, handled := 0, false
	ok := true
	for ok {
		size, err := frameSize(s.buffer[at:s.filled])
		if err != nil {
			ok = false
			break
		}
		if size == 0 || at+size > s.filled {
			break
		}
		ok = s.frame(s.buffer[at:at+size], now)
		at += size
		handled = true
	}
	s.flush()
	if handled {
		s.filled = copy(s.buffer, s.buffer[at:s.filled])
		if s.filled > 0 {
			s.deadline = time.Time{} // a new frame has begun
		}
	}
	return ok
}

// flush sends what the last frames have queued for peers.
func (s *stream) flush() {
	if s.out == nil || s.relay == nil {
		return
	}
	s.relay.sending.Lock()
	defer s.relay.sending.Unlock()
	if s.relay.out.fd >= 0 {
		s.out.flush()
	} else {
		s.out.discard()
	}
}

// frame handles one frame; false if it is neither STUN nor ChannelData, or data although there
// has never been a relay.
func (s *stream) frame(data []byte, now int64) bool {
	stats := &s.server.streams
	if data[0]&0xC0 == 0x40 {
		number, payload, ok := channelData(data)
		switch {
		case !ok || s.relay == nil:
			return false
		case !s.relay.live():
			stats.dropped[dropNoRelay].Add(1)
		default:
			s.relay.sendChannel(s.out, stats, number, payload, now)
		}
		return true
	}
	if s.request.parse(data) != nil {
		return false
	}
	if s.request.class() == classIndication {
		if !s.relay.live() {
			stats.dropped[dropNoRelay].Add(1)
			return s.relay != nil
		}
		s.relay.sendIndication(s.out, stats, &s.request, now)
		return true
	}
	s.flush() // before the relay may change
	from := requester{transport: s.listener.transport, client: s.client, libraryConn: s.listener.libraryConn, stream: s, stats: stats, relay: s.relay}
	answer := s.server.handle(&from, &s.request, now)
	if from.known && !s.spoke {
		s.spoke = true
		s.accepted.Spoke()
	}
	if from.relay != s.relay {
		s.relay = from.relay
		s.out = newBatch(streamBatch, stats)
		s.mu.Lock()
		s.relayed = true
		s.mu.Unlock()
	}
	return answer == nil || s.push(answer, nil, nil)
}

// push queues bytes for the client, all or nothing. A goroutine writes while there are any.
func (s *stream) push(head, body, pad []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken || len(s.queue)+len(head)+len(body)+len(pad) > streamQueue {
		return false
	}
	s.queue = append(append(append(s.queue, head...), body...), pad...)
	if !s.writing && s.listener.run(s.write) {
		s.writing = true
	}
	return true
}

// write sends what is queued, many packets with one write, until there is no more.
func (s *stream) write() {
	for {
		s.mu.Lock()
		bytes := s.queue
		if len(bytes) == 0 || s.broken {
			s.writing = false
			if !s.relayed {
				s.queue, s.spare = nil, nil // an idle connection keeps no buffers
			}
			s.mu.Unlock()
			return
		}
		s.queue, s.spare = s.spare[:0], nil
		s.mu.Unlock()
		s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		err := s.listener.writeFrames(s.conn, bytes)
		s.mu.Lock()
		s.spare = bytes
		s.broken = s.broken || err != nil
		s.mu.Unlock()
		if err != nil {
			s.conn.Close() // read ends with it
		}
	}
}
