package store

import (
	"fmt"
	"maps"
	"slices"

	"carillon/chat"
)

// held is what a commit knows of conversations that it has locked: nobody else changes them before
// its end, so that it need not read them again. What a write changes of them is changed here too.
// SQLite has one writer, and what it knows stays true from one commit to the next.
type held struct {
	heads         map[string]chat.Head
	members       map[chat.Pair]chat.Participation // of these conversations; without State: there is none
	directs       map[string]string                // the direct conversations that are there, by pairKey
	acquaintances map[[2]string]chat.Acquaintance  // of one user to another
}

// heldMost is how much is kept beyond a commit. With more, all is forgotten.
const heldMost = 20_000

func (h *held) forget() { *h = held{} }

func (h *held) tooMany() bool {
	return len(h.heads)+len(h.members)+len(h.directs)+len(h.acquaintances) > heldMost
}

// keep sets an entry of a map that may not be there yet.
func keep[K comparable, V any](in *map[K]V, key K, value V) {
	if *in == nil {
		*in = map[K]V{}
	}
	(*in)[key] = value
}

func (h *held) putHead(head chat.Head) { keep(&h.heads, head.ID, head) }

func (h *held) putMember(p chat.Participation) {
	if _, locked := h.heads[p.Conversation]; locked {
		keep(&h.members, chat.Pair{Conversation: p.Conversation, User: p.User}, p)
	}
}

// change changes a member of whom the commit knows.
func (h *held) change(p chat.Participation, change func(known *chat.Participation)) {
	pair := chat.Pair{Conversation: p.Conversation, User: p.User}
	if known := h.members[pair]; known.State != "" {
		change(&known)
		h.members[pair] = known
	}
}

// putMarks changes what PutMarks stores.
func (h *held) putMarks(p chat.Participation) {
	h.change(p, func(known *chat.Participation) {
		known.Delivered, known.Read, known.ReadN, known.OwnAhead = p.Delivered, p.Read, p.ReadN, p.OwnAhead
		known.Missed, known.MissedSeq = p.Missed, p.MissedSeq
	})
}

// lock locks conversations and reads their heads, unless that was done.
func (tx *tx) lock(conversations []string) error {
	if err := tx.askHeads(conversations, tx.conn.each); err != nil {
		return fmt.Errorf("lock conversations: %w", err)
	}
	return nil
}

// askHeads locks conversations and reads their heads, unless that was done, by each or ask.
func (tx *tx) askHeads(conversations []string, by func(func(scanner) error, string, ...any) error) error {
	var missing []string
	for _, id := range conversations {
		if _, there := tx.held.heads[id]; !there {
			missing = append(missing, id)
		}
	}
	take := func(row scanner) error {
		h, err := scanHead(row)
		if err == nil {
			tx.held.putHead(h)
		}
		return err
	}
	const query = "SELECT " + headColumns + " FROM conversations c WHERE c.id "
	switch len(missing) {
	case 0:
		return nil
	case 1: // as for each message
		return by(take, query+"= ?"+tx.sql.forUpdate, missing[0])
	}
	return by(take, query+"IN "+tx.sql.texts+" ORDER BY c.id"+tx.sql.forUpdate, list(missing))
}

func (tx *tx) LockFor(messages []*chat.Message) (map[chat.ClientID]bool, error) {
	ids := make([]chat.ClientID, len(messages))
	conversations, missing := map[string]bool{}, map[chat.Pair]bool{}
	for i, m := range messages {
		ids[i], conversations[m.Conversation] = chat.ClientID{Sender: m.Sender, ID: m.ClientID}, true
		pair := chat.Pair{Conversation: m.Conversation, User: m.Sender}
		if _, there := tx.held.members[pair]; !there {
			missing[pair] = true
		}
	}
	if err := tx.askHeads(slices.Collect(maps.Keys(conversations)), tx.ask); err != nil {
		return nil, fmt.Errorf("lock conversations: %w", err)
	}
	pairs := slices.Collect(maps.Keys(missing))
	if len(pairs) > 0 {
		take := func(row scanner) error {
			p, err := scanParticipation(row)
			if err == nil {
				tx.held.putMember(p)
			}
			return err
		}
		if err := tx.ask(take, tx.participations(), pairList(pairs)); err != nil {
			return nil, err
		}
	}
	sent, err := tx.sentOf(ids)
	for _, pair := range pairs {
		if _, there := tx.held.members[pair]; !there && err == nil {
			tx.held.putMember(nobody(pair))
		}
	}
	return sent, err
}

// nobody is how a user takes part who does not.
func nobody(p chat.Pair) chat.Participation {
	return chat.Participation{Membership: chat.Membership{Conversation: p.Conversation}, User: p.User}
}

func (tx *tx) DirectBetween(a, b string) (string, bool, error) {
	if id, there := tx.held.directs[pairKey(a, b)]; there {
		return id, true, nil
	}
	id, there, err := tx.view.DirectBetween(a, b)
	if err == nil && there {
		keep(&tx.held.directs, pairKey(a, b), id)
	}
	return id, there, err
}

func (tx *tx) Acquaintance(user, other string) (chat.Acquaintance, error) {
	pair := [2]string{user, other}
	if a, there := tx.held.acquaintances[pair]; there {
		return a, nil
	}
	a, err := tx.view.Acquaintance(user, other)
	if err == nil {
		keep(&tx.held.acquaintances, pair, a)
	}
	return a, err
}

func (tx *tx) Head(conversation string) (chat.Head, bool, error) {
	if h, there := tx.held.heads[conversation]; there {
		return h, true, nil
	}
	return tx.view.Head(conversation)
}

func (tx *tx) Participation(conversation, user string) (chat.Participation, bool, error) {
	if p, there := tx.held.members[chat.Pair{Conversation: conversation, User: user}]; there {
		return p, p.State != "", nil
	}
	p, there, err := tx.view.Participation(conversation, user)
	if err == nil && !there {
		p = nobody(chat.Pair{Conversation: conversation, User: user})
	}
	if err == nil {
		tx.held.putMember(p)
	}
	return p, there, err
}
