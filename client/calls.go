package client

import (
	"slices"

	"carillon/call"
	"carillon/wire"
)

// maxCalls is how many calls are remembered before those that have ended are forgotten.
const maxCalls = 100

// call takes a change of a call. One that builds on what the client does not have makes it ask.
func (conn *connection) call(told wire.CallChange) {
	c := conn.client
	id := told.Call.ID
	c.mu.Lock()
	known, have := c.calls[id]
	switch {
	case have && !newer(told.Call, known.Call):
		c.mu.Unlock()
		return
	case told.From == 0:
	case have && known.Call.Epoch == told.Call.Epoch && told.From <= known.Call.CSeq:
		told.Call.Participants = merged(known.Call.Participants, told.Call.Participants)
		told.From = 0
	default:
		c.mu.Unlock()
		conn.askCall(id)
		return
	}
	if len(c.calls) >= maxCalls {
		for id, one := range c.calls {
			if one.Call.State == call.Ended {
				delete(c.calls, id)
			}
		}
	}
	c.calls[id] = told
	c.mu.Unlock()
	if c.opts.Call != nil {
		c.opts.Call(told)
	}
}

func newer(a, b call.Snapshot) bool {
	return a.Epoch > b.Epoch || a.Epoch == b.Epoch && a.CSeq > b.CSeq
}

func merged(known, changed []call.ParticipantView) []call.ParticipantView {
	all := slices.Clone(known)
	for _, p := range changed {
		i := slices.IndexFunc(all, func(other call.ParticipantView) bool { return other.User == p.User })
		if i < 0 {
			all = append(all, p)
		} else {
			all[i] = p
		}
	}
	return all
}

func (conn *connection) askCall(id string) {
	conn.later(wire.MethodCallGet, wire.CallRef{Call: id}, func(answer wire.Frame) {
		var c wire.CallChange
		if resultOf(answer, &c) == nil {
			conn.call(c)
		}
	})
}

// compareCalls asks for those calls that the greeting no longer has: they have ended.
func (conn *connection) compareCalls() {
	c := conn.client
	c.mu.Lock()
	var gone []string
	for id, one := range c.calls {
		if one.Call.State != call.Ended && !conn.greeted[id] {
			gone = append(gone, id)
		}
	}
	c.mu.Unlock()
	for _, id := range gone {
		conn.askCall(id)
	}
}
