package sfu

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/webrtc/v4"
)

// Labels of the data channels that a client may open, one of each at a time: a second
// chat channel ends the first, a second lossy one and any other is closed.
const (
	chatLabel  = "chat"
	lossyLabel = "lossy"
)

// openChannel is called by pion for each data channel that the client opens.
func (p *Peer) openChannel(dc *webrtc.DataChannel) {
	label := dc.Label()
	dc.OnOpen(func() {
		raw, err := dc.Detach()
		if err != nil {
			return
		}
		conn, ok := raw.(*datachannel.DataChannel)
		if !ok || p.closed.Load() {
			_ = raw.Close()
			return
		}
		switch label {
		case chatLabel:
			c := &chatChannel{conn: conn, limit: p.room.sfu.cfg.MessageBytes, backlog: p.room.sfu.cfg.BacklogBytes}
			if old := p.chat.Swap(c); old != nil { // each needs a reader and a buffer
				_ = old.Close()
			}
			p.notifications.add(func(l Listener) { l.Channel(c) })
		case lossyLabel:
			c := &lossyChannel{conn: conn}
			if !p.lossy.CompareAndSwap(nil, c) {
				_ = conn.Close()
				return
			}
			p.wg.Go(func() { p.fanOut(c) })
		default:
			_ = conn.Close()
		}
	})
}

var errBacklog = errors.New("client does not read its data channel")

// chatChannel is a Channel over a detached data channel.
type chatChannel struct {
	conn    *datachannel.DataChannel
	limit   int
	backlog int

	// Owned by ReadMessage, which holds mu.
	mu     sync.Mutex
	buffer []byte
}

// ReadMessage returns the next message. One that is too large ends the channel, as it
// would a WebSocket.
func (c *chatChannel) ReadMessage() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buffer == nil {
		c.buffer = make([]byte, c.limit)
	}
	n, _, err := c.conn.ReadDataChannel(c.buffer)
	if err != nil {
		_ = c.conn.Close()
		return nil, fmt.Errorf("read chat channel: %w", err)
	}
	return append([]byte(nil), c.buffer[:n]...), nil
}

// WriteMessage queues a message of text. When the client has not read for so long that
// the backlog is full, the channel is closed: it can fall back to its WebSocket.
func (c *chatChannel) WriteMessage(b []byte) error {
	if c.conn.BufferedAmount()+uint64(len(b)) > uint64(c.backlog) {
		_ = c.conn.Close()
		return errBacklog
	}
	if _, err := c.conn.WriteDataChannel(b, true); err != nil {
		return fmt.Errorf("write chat channel: %w", err)
	}
	return nil
}

// Close ends the channel; a blocked ReadMessage returns. Closing twice is fine.
func (c *chatChannel) Close() error {
	// Ends a ReadMessage that is blocked: the client may never close its end.
	_ = c.conn.SetReadDeadline(time.Unix(1, 0))
	return c.conn.Close()
}

// lossyChannel carries cursors and reactions: a message that is late is worthless.
type lossyChannel struct{ conn *datachannel.DataChannel }

// fanOut sends each message of a peer to all other peers of the room. A message is
// dropped and counted if it is too large or one too many in this second, or for a peer
// that has not read the messages before it.
func (p *Peer) fanOut(c *lossyChannel) {
	defer p.lossy.CompareAndSwap(c, nil)
	sfu := p.room.sfu
	b := make([]byte, sfu.cfg.MessageBytes)
	for {
		n, text, err := c.conn.ReadDataChannel(b)
		if err != nil {
			_ = c.conn.Close()
			return
		}
		if n > sfu.cfg.LossyBytes || p.lossyRate.Take(1, time.Now()) > 0 || p.closed.Load() {
			sfu.metrics.dropLossy.Add(1)
			continue
		}
		for _, to := range p.room.lossyOthers(p) {
			if to.conn.BufferedAmount() > uint64(sfu.cfg.BacklogBytes)/16 {
				sfu.metrics.dropLossy.Add(1)
				continue
			}
			if _, err := to.conn.WriteDataChannel(b[:n], text); err != nil {
				sfu.metrics.dropLossy.Add(1)
			}
		}
	}
}

// lossyOthers returns the lossy channels of all peers but p.
func (r *Room) lossyOthers(p *Peer) []*lossyChannel {
	r.mu.Lock()
	defer r.mu.Unlock()
	var others []*lossyChannel
	for _, other := range r.peers {
		if c := other.lossy.Load(); other != p && c != nil {
			others = append(others, c)
		}
	}
	return others
}
