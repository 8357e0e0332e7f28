package signaling

import (
	"context"
	"sync"

	"carillon/call"
	"carillon/refusal"
	"carillon/switchboard"
	"carillon/wire"
)

// liveCalls knows the latest change of each call that the tabs of this node were told of, so that
// one that was lost on the way is found when nodes compare what is live.
type liveCalls struct {
	server *Server

	mu    sync.Mutex
	calls map[string]*toldCall
}

// toldCall is what the tabs of this node were told of a call.
type toldCall struct {
	Epoch int64           `json:"e"`
	CSeq  int64           `json:"c"`
	Ended bool            `json:"x,omitempty"`
	users map[string]bool // who have a tab here, or had one
}

func (t toldCall) before(epoch, cseq int64) bool {
	return t.Epoch < epoch || t.Epoch == epoch && t.CSeq < cseq
}

func newLiveCalls(s *Server) *liveCalls {
	return &liveCalls{server: s, calls: map[string]*toldCall{}}
}

// note is called with each change that the tabs of a user here are told of.
func (l *liveCalls) note(id, user string, now toldCall) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.calls[id]
	if t == nil {
		t = &toldCall{users: map[string]bool{}}
		l.calls[id] = t
	}
	t.users[user] = true
	if t.before(now.Epoch, now.CSeq) {
		t.Epoch, t.CSeq, t.Ended = now.Epoch, now.CSeq, now.Ended
	}
}

// compare tells the tabs here of calls whose latest change they were not told of: of those that
// are live, and of the end of those that are not. It does not wait.
func (l *liveCalls) compare(all []call.Live) {
	missed := l.missed(all)
	if len(missed) == 0 {
		return
	}
	l.server.run(func() {
		ctx, cancel := l.server.timeout(requestTime)
		defer cancel()
		for id, users := range missed {
			for _, user := range users {
				l.tell(ctx, id, user)
			}
		}
	})
}

// missed returns whom to tell, by call.
func (l *liveCalls) missed(all []call.Live) map[string][]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	missed := map[string][]string{}
	live := make(map[string]bool, len(all))
	for _, c := range all {
		live[c.ID] = true
		if t := l.calls[c.ID]; t == nil || t.before(c.Epoch, c.CSeq) {
			missed[c.ID] = c.Users
		}
	}
	for id, t := range l.calls {
		if live[id] {
			continue
		}
		delete(l.calls, id)
		if !t.Ended {
			for user := range t.users {
				missed[id] = append(missed[id], user)
			}
		}
	}
	return missed
}

// tell tells a user's tabs here how a call is now.
func (l *liveCalls) tell(ctx context.Context, id, user string) {
	u := l.server.localUser(user)
	if u == nil {
		return
	}
	c, err := l.server.calls.Get(ctx, switchboard.Asker{Tab: call.Tab{User: user}}, wire.CallRef{Call: id})
	if err != nil {
		if _, refused := refusal.Of(err); !refused {
			l.server.log.Error("read call", "call", id, "err", err)
		}
		return
	}
	u.take(callEnvelope(c), callFrame(c), noMessage)
}

func callEnvelope(c wire.CallChange) envelope {
	return envelope{Class: mergeable, Key: callKey + c.Call.ID, Call: &toldCall{Epoch: c.Call.Epoch, CSeq: c.Call.CSeq, Ended: c.Call.State == call.Ended}}
}
