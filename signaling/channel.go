package signaling

import (
	"encoding/json"
	"net/netip"
	"time"

	"carillon/call"
	"carillon/chat"
	"carillon/refusal"
	"carillon/sfu"
	"carillon/wire"
)

// pipe is a call's data channel under a link.
type pipe struct {
	channel sfu.Channel
	timeout time.Duration
}

// maxChannelMessage is what every SCTP stack takes in one message.
// https://www.rfc-editor.org/rfc/rfc8841#section-6.1
const maxChannelMessage = 64 << 10

// serveChannel speaks the protocol on a data channel of a leg of this tab, until the
// channel ends. It begins as the second way in: answers go back on it, events and notes
// come on it only while the tab has no synced socket, as synced says it has now.
func (s *Server) serveChannel(ch sfu.Channel, user chat.User, tab call.Seat, synced bool, acked int64) {
	p := &pipe{channel: ch, timeout: seconds(s.cfg.FrameSeconds)}
	l := newLink(s, p, netip.Addr{}, true) // its requests count for the user only
	l.user, l.tab = user, tab
	l.log = s.log.With("user", tab.User, "tab", tab.Tab, "channel", true)
	l.follow.phase = muted
	l.isSynced = true
	ended := make(chan struct{})
	if !s.start(l, func() { defer close(ended); l.readChannel(p, synced, acked) }) {
		p.abort()
		return
	}
	<-ended
}

func (l *link) readChannel(p *pipe, synced bool, acked int64) {
	if err := l.server.join(l); err != nil {
		l.log.Warn("join by data channel", "err", err)
		return
	}
	if !synced {
		l.substitute(true, acked)
	}
	for {
		message, err := p.channel.ReadMessage()
		if err != nil {
			return
		}
		if len(message) > l.server.cfg.FrameBytes {
			l.refuse(nil, refusal.New(refusal.BadRequest, "Messages have at most %d bytes.", l.server.cfg.FrameBytes))
			continue
		}
		if !l.receive(message) {
			return
		}
	}
}

func (p *pipe) write(batch []item) error {
	timer := time.AfterFunc(p.timeout, p.abort)
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
			if err := p.channel.WriteMessage(message); err != nil {
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
	return p.channel.WriteMessage(message)
}

// tooLargeFor answers a request whose result does not fit: it has to be asked over the
// WebSocket. An event that does not fit is read there too.
func tooLargeFor(data []byte) []byte {
	var f wire.Frame
	if json.Unmarshal(data, &f) != nil || f.ID == nil {
		return nil
	}
	return errorFrame(f.ID, refusal.New(refusal.TooLarge, "The answer does not fit into the data channel. Ask over the WebSocket.")).data
}

func (p *pipe) finish(int, string) { p.abort() }
func (p *pipe) abort()             { _ = p.channel.Close() }
