package signaling

import (
	"context"
	"fmt"

	"carillon/call"
	"carillon/sfu"
	"carillon/switchboard"
	"carillon/wire"
)

// tabs is what the switchboard sees of the tabs.
type tabs struct{ server *Server }

var _ switchboard.Tabs = tabs{}

func (t tabs) Tell(user, tab, method string, params any, key string) {
	c := durable
	if key != "" {
		c = mergeable
	}
	t.server.toTab(user, tab, method, params, c, key)
}

// TellCall tells first the tabs on this node. What is lost on the way to others is found there by
// LiveCalls.
func (t tabs) TellCall(user string, c wire.CallChange) {
	t.server.toUser(user, callEnvelope(c), callFrame(c))
}

func (t tabs) LiveCalls(all []call.Live) { t.server.liveCalls.compare(all) }

func (t tabs) HostsLeg(user, tab, leg string, hosts bool) {
	t.server.command(user, command{Tab: tab, Leg: leg, Ended: !hosts})
}

func (t tabs) SendAway(tab call.Tab) {
	if c := t.server.connectionOf(tab); c != nil {
		c.close(wire.CloseShutdown, "0")
	}
}

func (t tabs) Answers(ctx context.Context, tab call.Tab) bool {
	// A little longer than the tab has, so that its connection has answered or is closed.
	ctx, cancel := context.WithTimeout(ctx, probeTime+probeTime/4)
	defer cancel()
	if c := t.server.connectionOf(tab); c != nil { // without the bus, too
		answered := make(chan struct{}, 1)
		c.probe(func() { answered <- struct{}{} })
		select {
		case <-answered:
			return true
		case <-ctx.Done():
			return false
		}
	}
	if t.server.bus.Alone() {
		return false
	}
	_, err := t.server.bus.Request(ctx, subject(tab.User), t.server.pack(envelope{Command: &command{Session: tab.Session, Probe: true}}, nil))
	return err == nil
}

// connectionOf returns the connection of a tab's session; nil: it has none here.
func (s *Server) connectionOf(tab call.Tab) *connection {
	u := s.localUser(tab.User)
	if u == nil {
		return nil
	}
	for _, c := range u.all() {
		if c.tab.Session == tab.Session && !c.channel {
			return c
		}
	}
	return nil
}

// ServeChannel serves the tab beside its WebSocket. The channel has no session of its own: it can
// do nothing that only a tab's connection may do.
func (t tabs) ServeChannel(ch sfu.Channel, tab switchboard.Asker) {
	s := t.server
	ctx, cancel := s.timeout(requestTime)
	defer cancel()
	profile, err := s.chat.User(ctx, tab.User, tab.User)
	if err != nil {
		s.log.Error("open data channel", "user", tab.User, "err", fmt.Errorf("read user: %w", err))
		_ = ch.Close()
		return
	}
	synced := tab.Session != ""
	tab.Session = ""
	s.serveChannel(ch, profile, tab, synced)
}
