package chat

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"carillon/limit"
)

// marker stores the marks of all users of this node, those of a quarter of a second in one
// transaction. It has no goroutine of its own: the first caller of each quarter waits until it is
// over and then stores the marks of all.
type marker struct {
	// Fixed at construction.
	store  Store
	budget *limit.Budget

	mu      sync.Mutex
	waiting []*marking
	next    time.Time // when marks may be stored again
}

// marking is one call of SetMarks until it is answered.
type marking struct {
	user  string
	payer limit.Payer
	marks map[string]Marks // by conversation

	mine bool       // whether the user has joined any of them; owned by who stores it
	done chan error // holds the one answer
}

// markPause is the time between two transactions that store marks; markRows is how many rows one
// of them changes at most, beside those of its last caller.
const (
	markPause = 250 * time.Millisecond
	markRows  = 1000
)

// set returns when the marks are stored. Who gives up before that may have them stored.
func (k *marker) set(ctx context.Context, user string, payer limit.Payer, marks map[string]Marks) error {
	m := &marking{user: user, payer: payer, marks: marks, done: make(chan error, 1)}
	if first, wait := k.enter(m); first {
		time.Sleep(wait)
		k.flush(context.WithoutCancel(ctx)) // the others' marks do not depend on who came first
	}
	select {
	case err := <-m.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter reports whether m is the first of those that will be stored together, and how long it has
// to wait for the others.
func (k *marker) enter(m *marking) (first bool, wait time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waiting = append(k.waiting, m)
	return len(k.waiting) == 1, time.Until(k.next)
}

// flush stores what waits, and answers.
func (k *marker) flush(ctx context.Context) {
	k.mu.Lock()
	batch := k.waiting
	k.waiting = nil
	k.next = time.Now().Add(markPause)
	k.mu.Unlock()

	for len(batch) > 0 {
		n, rows := 0, 0
		for n < len(batch) && rows < markRows {
			rows += len(batch[n].marks)
			n++
		}
		k.write(ctx, batch[:n], rows)
		batch = batch[n:]
	}
}

// write stores the marks of several callers in one transaction, each at their own expense.
func (k *marker) write(ctx context.Context, batch []*marking, rows int) {
	written := 0
	err := k.store.Write(ctx, "", func(tx Tx) error {
		err := move(tx, batch)
		written = tx.Written()
		return err
	})
	for _, m := range batch {
		switch {
		case err != nil:
			m.done <- err // has room for the one answer
		case !m.mine:
			m.done <- errNoConversation
		default:
			k.budget.Charge(m.payer, written*len(m.marks)/rows, time.Now())
			m.done <- nil
		}
	}
}

// move moves marks forward, and tells whom it concerns. Each row that moves is read and written by
// the same few statements.
func move(tx Tx, batch []*marking) error {
	wanted, conversations, users := merged(batch)
	if err := tx.Lock(conversations, users); err != nil {
		return err
	}
	list, err := tx.HeadsByID(conversations)
	if err != nil {
		return err
	}
	heads := make(map[string]Head, len(list))
	for _, h := range list {
		heads[h.ID] = h
	}
	rows, err := tx.Participations(slices.Collect(maps.Keys(wanted)))
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(p Participation) bool { return p.State != Joined })
	joined := make(map[Pair]bool, len(rows))
	var steps []step
	for _, p := range rows {
		pair := Pair{p.Conversation, p.User}
		joined[pair] = true
		if s := newStep(p, wanted[pair], heads[p.Conversation]); s.Read > s.was.Read || s.Delivered > s.was.Delivered {
			steps = append(steps, s)
		}
	}
	for _, m := range batch {
		m.mine = false
		for conversation := range m.marks {
			m.mine = m.mine || joined[Pair{conversation, m.user}]
		}
	}
	if len(steps) == 0 {
		return nil
	}
	if err := pass(tx, steps, heads); err != nil {
		return err
	}
	return tellMarks(tx, steps, heads)
}

// merged returns what all of a batch want, and what they name, each once.
func merged(batch []*marking) (wanted map[Pair]Marks, conversations, users []string) {
	wanted = map[Pair]Marks{}
	named := map[string]bool{}
	for _, m := range batch {
		users = append(users, m.user)
		for conversation, marks := range m.marks {
			pair := Pair{conversation, m.user}
			was := wanted[pair]
			wanted[pair] = Marks{Delivered: max(was.Delivered, marks.Delivered), Read: max(was.Read, marks.Read)}
			named[conversation] = true
		}
	}
	conversations = slices.Sorted(maps.Keys(named))
	slices.Sort(users)
	return wanted, conversations, slices.Compact(users)
}

// step is how the marks of one member move.
type step struct {
	Participation // as it is afterwards
	was           Participation
}

// newStep moves marks to where they are wanted, not back and not beyond the last message.
func newStep(p Participation, to Marks, h Head) step {
	s := step{Participation: p, was: p}
	s.Read = max(p.Read, min(to.Read, h.LastSeq))
	if h.Large {
		to.Delivered = 0 // each message would be a row for each tab there is
	}
	s.Delivered = max(p.Delivered, s.Read, min(to.Delivered, h.LastSeq))
	if s.Read >= p.MissedSeq {
		s.Missed = 0
	}
	return s
}

func (s step) hasRead() bool { return s.Read > s.was.Read }

// pass counts what the members have read and stores where their marks are now. A read mark that
// moved is a change of the member's own feed.
func pass(tx Tx, steps []step, heads map[string]Head) error {
	var spans []Span
	var inside []*step // those that end short of the last message, of which the messages are counted
	var readers []string
	for i := range steps {
		s := &steps[i]
		h := heads[s.Conversation]
		switch {
		case !s.hasRead():
			continue
		case s.Read == h.LastSeq:
			s.ReadN, s.OwnAhead = h.N, 0
		default:
			span := Span{Conversation: s.Conversation, User: s.User, After: s.was.Read, UpTo: s.Read}
			if s.OwnAhead == 0 {
				span.After = s.Read // there are none of the user's own to be looked for
			}
			spans, inside = append(spans, span), append(inside, s)
		}
		readers = append(readers, s.User)
	}
	if len(spans) > 0 {
		passed, err := tx.Passed(spans)
		if err != nil {
			return err
		}
		for i, s := range inside {
			s.ReadN, s.OwnAhead = passed[i].N, s.OwnAhead-passed[i].Own
		}
	}
	rows := make([]Participation, len(steps))
	for i, s := range steps {
		rows[i] = s.Participation
	}
	if err := tx.PutMarks(rows); err != nil || len(readers) == 0 {
		return err
	}
	places, err := tx.NextPlaces(readers)
	if err != nil {
		return err
	}
	moved := make([]Participation, 0, len(readers))
	for i := range steps {
		if s := &steps[i]; s.hasRead() {
			s.InOwn = places[len(moved)]
			moved = append(moved, s.Participation)
		}
	}
	return tx.PutOwnPlaces(moved)
}

// tellMarks tells the members' own tabs what was read, and each conversation of its marks, once.
func tellMarks(tx Tx, steps []step, heads map[string]Head) error {
	var read []Participation
	told := map[string]*Told{}
	var order []*Told
	for _, s := range steps {
		if s.hasRead() {
			read = append(read, s.Participation)
		}
		t, h := told[s.Conversation], heads[s.Conversation]
		if t == nil {
			t = &Told{Conversation: h.ID, Version: h.Version}
			told[h.ID] = t
			order = append(order, t)
		}
		t.Marks = append(t.Marks, MemberMarks{User: s.User, Marks: Marks{Delivered: s.Delivered, Read: s.Read}})
	}
	for _, t := range order {
		tx.Tell(*t)
	}
	return tellOwn(tx, read)
}
