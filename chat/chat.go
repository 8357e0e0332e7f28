// Package chat decides what a message means: who may write where, in which order
// messages stand, what counts as unread, which marks grow, and who must be told.
//
// It knows no socket and no SQL. Each decision runs inside one transaction of a
// [Store]; what it announces there becomes an event in the log of each user concerned,
// durable together with the thing itself:
//
//	Send ── Write ─┬─ member?  (access.go, the one place)
//	               ├─ seq, message
//	               └─ one event per member ── commit ── answer, notifications
//
// Whoever may write, read or call asks here; nobody else looks at members.
package chat

import "time"

// Service answers the requests of users. It is safe for concurrent use. The store is the
// truth; what is in memory here only says how much each user has written lately.
type Service struct {
	store Store
	cfg   Config
	now   func() time.Time
	only  []string // the conversations that there are for whoever asks; nil: all of their own. See Within

	reserved names // that no guest may have

	budgets budgets
}

// New returns a Service over store. Zero fields of cfg mean [Defaults].
func New(store Store, cfg Config) *Service {
	cfg = cfg.filled()
	return &Service{store: store, cfg: cfg, now: time.Now, reserved: cfg.Reach.reservedNames(), budgets: newBudgets(cfg.Rates)}
}

func (s *Service) nowMS() int64 { return s.now().UnixMilli() }
