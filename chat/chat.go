// Package chat decides what a message means: who may write where, in which order
// messages stand, what counts as unread, which marks grow, and who must be told.
//
// It knows no socket and no SQL. Each decision runs inside one transaction of a
// [Store]. A change is written once, into the feed that it belongs to: that of a
// conversation, which its members read, or that of a user. After the commit those whom
// it concerns are told:
//
//	Send ── Write ─┬─ member?  (access.go, the one place)
//	               ├─ the message, under the next seq and the next pos of its conversation
//	               └─ Tell ── commit ── answer, notifications
//
// Whoever may write, read or call asks here; nobody else looks at members.
package chat

import (
	"time"

	"carillon/limit"
)

// Service answers the requests of users. It is safe for concurrent use. The store is the
// truth; what is in memory here only says how much each user has written lately, and which
// marks wait to be stored.
type Service struct {
	store Store
	cfg   Config
	now   func() time.Time
	only  []string // the conversations that there are for whoever asks; nil: all of their own. See Within

	reserved names // that no guest may have

	sent func(limit.Payer, Message) // see OnSent

	budgets     budgets
	invitations *invitationLimits
	marker      *marker
}

// New returns a Service over store. Zero fields of cfg mean [Defaults].
func New(store Store, cfg Config) *Service {
	cfg = cfg.filled()
	s := &Service{store: store, cfg: cfg, now: time.Now, reserved: cfg.Reach.reservedNames(), budgets: newBudgets(cfg.Rates), invitations: newInvitationLimits()}
	s.marker = &marker{store: store, budget: s.budgets.bytes}
	return s
}

// OnSent sets what is called with each message that a user has sent, who does not want it without a
// preview, after it was stored. A message that is sent twice may come twice. It must not block. Call it before the service
// is used.
func (s *Service) OnSent(f func(limit.Payer, Message)) { s.sent = f }

func (s *Service) nowMS() int64 { return s.now().UnixMilli() }
