package store

import "carillon/chat"

// held is what a commit knows of conversations that it has locked: nobody else changes them before
// its end, so that it need not read them again. What a write changes of them is changed here too.
// SQLite has one writer, and what it knows stays true from one commit to the next.
type held struct {
	heads   map[string]chat.Head
	members map[chat.Pair]chat.Participation // of these conversations; without State: there is none
}

// heldMost is how many heads and members are kept beyond a commit. With more, all are forgotten.
const heldMost = 10_000

func (h *held) forget() { h.heads, h.members = nil, nil }

func (h *held) tooMany() bool { return len(h.heads)+len(h.members) > heldMost }

func (h *held) putHead(head chat.Head) {
	if h.heads == nil {
		h.heads = map[string]chat.Head{}
	}
	h.heads[head.ID] = head
}

func (h *held) putMember(p chat.Participation) {
	if _, locked := h.heads[p.Conversation]; !locked {
		return
	}
	if h.members == nil {
		h.members = map[chat.Pair]chat.Participation{}
	}
	h.members[chat.Pair{Conversation: p.Conversation, User: p.User}] = p
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

// hold locks conversations and reads their heads, unless that was done.
func (tx *tx) hold(conversations []string) error {
	var missing []string
	for _, id := range conversations {
		if _, there := tx.held.heads[id]; !there {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	query, arg := "SELECT "+headColumns+" FROM conversations c WHERE c.id IN "+tx.sql.texts+" ORDER BY c.id"+tx.sql.forUpdate, list(missing)
	if len(missing) == 1 { // as for each message
		query, arg = "SELECT "+headColumns+" FROM conversations c WHERE c.id = ?"+tx.sql.forUpdate, missing[0]
	}
	heads, err := collect(tx.conn, scanHead, query, arg)
	for _, h := range heads {
		tx.held.putHead(h)
	}
	return err
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
		p = chat.Participation{Membership: chat.Membership{Conversation: conversation}, User: user}
	}
	if err == nil {
		tx.held.putMember(p)
	}
	return p, there, err
}
