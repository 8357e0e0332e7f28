package signaling

import (
	"encoding/json"
	"time"

	"carillon/chat"
	"carillon/limit"
	"carillon/refusal"
	"carillon/sfu"
	"carillon/switchboard"
	"carillon/wire"
)

// dataChannel is the transport over a call's data channel.
type dataChannel struct {
	channel sfu.Channel
	timeout time.Duration
}

// maxChannelMessage is what every SCTP stack takes in one message.
// https://www.rfc-editor.org/rfc/rfc8841#section-6.1
const maxChannelMessage = 64 << 10

// serveChannel speaks the protocol on a data channel of a leg of this tab, until the
// channel ends. The channel is the tab's second way in: answers go back on it; what others do
// comes on it only while the tab has no synced WebSocket. Whether it has one now is told by synced.
func (s *Server) serveChannel(ch sfu.Channel, profile chat.User, tab switchboard.Asker, synced bool) {
	d := &dataChannel{channel: ch, timeout: seconds(s.cfg.FrameSeconds)}
	c := newConnection(s, d, true)
	c.profile, c.tab, c.scope = profile, tab.Tab, tab.Scope
	c.chat = s.chat.Within(tab.Scope.Conversations)
	c.payer = limit.Payer{User: profile.ID, Guest: profile.Guest, Address: tab.Address} // whatever address its media comes from
	c.log = s.log.With("user", tab.User, "tab", tab.TabID, "channel", true)
	c.phase, c.synced = standby, true
	c.liveness.beginChannel(tab.Until, c.tick)
	ended := make(chan struct{})
	if !s.start(c, func() { defer close(ended); c.readChannel(d, synced) }) {
		d.abort()
		return
	}
	<-ended
}

func (c *connection) readChannel(d *dataChannel, synced bool) {
	if err := c.server.join(c); err != nil {
		c.log.Warn("join by data channel", "err", err)
		return
	}
	if !synced {
		c.carry(true)
	}
	for {
		message, err := d.channel.ReadMessage()
		if err != nil {
			return
		}
		if len(message) > c.server.cfg.FrameBytes {
			c.refuse(nil, refusal.New(refusal.BadRequest, "Messages have at most %d bytes.", c.server.cfg.FrameBytes))
			continue
		}
		if !c.receive(message) {
			return
		}
	}
}

func (d *dataChannel) write(batch []item) error {
	timer := time.AfterFunc(d.timeout, d.abort)
	defer timer.Stop()
	var message []byte
	for _, it := range batch {
		data := it.frame.data
		if len(data) > maxChannelMessage {
			if data = tooLargeFor(data); data == nil {
				continue
			}
		}
		if len(message) > 0 && len(message)+1+len(data) > maxChannelMessage {
			if err := d.channel.WriteMessage(message); err != nil {
				return err
			}
			message = nil
		}
		if len(message) > 0 {
			message = append(message, '\n')
		}
		message = append(message, data...)
	}
	if len(message) == 0 {
		return nil
	}
	return d.channel.WriteMessage(message)
}

// tooLargeFor answers a request whose result does not fit: it has to be asked over the
// WebSocket. A notification that does not fit is left out: a change shows by its number.
func tooLargeFor(data []byte) []byte {
	var f wire.Frame
	if json.Unmarshal(data, &f) != nil || f.ID == nil {
		return nil
	}
	return errorFrame(f.ID, refusal.New(refusal.TooLarge, "The answer does not fit into the data channel. Ask over the WebSocket.")).data
}

func (d *dataChannel) finish(int, string) { d.abort() }
func (d *dataChannel) abort()             { _ = d.channel.Close() }
