package store

import (
	"fmt"
	"strings"

	"carillon/chat"
)

const headColumns = `c.id, c.kind, c.name, coalesce(c.pair, ''), c.created_at, c.pos, c.own_pos, c.own_tag,
	c.floor_seq, c.floor_pos, c.floor_n, c.last_seq, c.n, c.minute, c.version, c.joined, c.large`

// headDest is where headColumns go. The pair is split by the function returned, after scanning.
func headDest(h *chat.Head) (dest []any, split func()) {
	var pair string
	return []any{&h.ID, &h.Kind, &h.Name, &pair, &h.CreatedAt, &h.Pos, &h.Own.Pos, &h.Own.Tag,
			&h.Floor.Seq, &h.Floor.Pos, &h.Floor.N, &h.LastSeq, &h.N, &h.Minute, &h.Version, &h.Count, &h.Large},
		func() {
			if pair != "" {
				h.Pair = strings.Split(pair, "\n")
			}
		}
}

func scanHead(row scanner) (h chat.Head, err error) {
	dest, split := headDest(&h)
	err = row.Scan(dest...)
	split()
	return h, err
}

func (v *view) Head(conversation string) (chat.Head, bool, error) {
	h, err := scanHead(v.row("SELECT "+headColumns+" FROM conversations c WHERE c.id = ?", conversation))
	ok, err := found(err)
	return h, ok, err
}

func (v *view) HeadsByID(conversations []string) ([]chat.Head, error) {
	return collect(v.conn, scanHead, "SELECT "+headColumns+" FROM conversations c WHERE c.id IN "+v.sql.texts, list(conversations))
}

func (v *view) ChangedSince(minute int64, after string, limit int) ([]chat.Head, error) {
	return collect(v.conn, scanHead, "SELECT "+headColumns+` FROM (SELECT id FROM conversations WHERE minute >= ?) recent
		CROSS JOIN conversations c WHERE c.id = recent.id AND recent.id > ? ORDER BY c.id LIMIT ?`, minute, after, limit)
}

// pairKey is the key of the direct conversation of two users, the same in either order. A user
// id has no control characters, so a newline separates the two.
func pairKey(a, b string) string { return min(a, b) + "\n" + max(a, b) }

func (v *view) DirectBetween(a, b string) (id string, ok bool, err error) {
	ok, err = found(v.row("SELECT id FROM conversations WHERE pair = ?", pairKey(a, b)).Scan(&id))
	return id, ok, err
}

func (tx *tx) PutConversation(h chat.Head) (bool, error) {
	var pair any
	if h.Kind == chat.Direct {
		if len(h.Pair) != 2 {
			return false, fmt.Errorf("store direct conversation: %d members, want 2", len(h.Pair))
		}
		pair = pairKey(h.Pair[0], h.Pair[1])
	}
	n, err := tx.exec(`INSERT INTO conversations (id, kind, name, pair, created_at, pos, own_pos, own_tag,
			floor_seq, floor_pos, floor_n, last_seq, n, minute, version, joined)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (pair) DO NOTHING`,
		h.ID, string(h.Kind), h.Name, pair, h.CreatedAt, h.Pos, h.Own.Pos, int64(h.Own.Tag),
		h.Floor.Seq, h.Floor.Pos, h.Floor.N, h.LastSeq, h.N, tx.minute(), h.Version)
	return n == 1, err
}

func (tx *tx) PutLarge(conversation string) error {
	if h, held := tx.held.heads[conversation]; held {
		h.Large = true
		tx.held.putHead(h)
	}
	return tx.put("UPDATE conversations SET large = 1 WHERE id = ?", conversation)
}

// minute is that of a change now.
func (tx *tx) minute() int64 { return tx.now / 60_000 }

func (tx *tx) PutSettings(conversation string, s chat.Settings, at chat.Place) error {
	if h, held := tx.held.heads[conversation]; held {
		h.Name, h.Own = s.Name, at
		tx.held.putHead(h)
	}
	return tx.put("UPDATE conversations SET name = ?, own_pos = ?, own_tag = ? WHERE id = ?", s.Name, at.Pos, int64(at.Tag), conversation)
}

// next changes the numbers in the head of a conversation and returns it as it is then.
func (tx *tx) next(conversation string, change func(h *chat.Head)) (chat.Head, error) {
	if err := tx.lock([]string{conversation}); err != nil {
		return chat.Head{}, err
	}
	h, there := tx.held.heads[conversation]
	if !there {
		return chat.Head{}, fmt.Errorf("next place in conversation %s: %w", conversation, errNoRow)
	}
	change(&h)
	tx.held.putHead(h)
	return h, tx.putNumbers(conversation)
}

// putNumbers stores the numbers that are held of the head of a conversation. It sets the minute
// apart, once in a minute: SQLite writes an index whose column is set, even to the same value.
func (tx *tx) putNumbers(conversation string) error {
	h := tx.held.heads[conversation]
	err := tx.put("UPDATE conversations SET pos = ?, last_seq = ?, n = ?, version = ?, joined = ? WHERE id = ?", h.Pos, h.LastSeq, h.N, h.Version, h.Count, h.ID)
	if err == nil && h.Minute < tx.minute() {
		h.Minute = tx.minute()
		err = tx.put("UPDATE conversations SET minute = ? WHERE id = ?", h.Minute, conversation)
		tx.held.putHead(h)
	}
	return err
}

func (tx *tx) NextPlace(conversation string, changes int) (chat.Head, chat.Place, error) {
	h, err := tx.next(conversation, func(h *chat.Head) { h.Pos += int64(changes) })
	return h, chat.Place{Pos: h.Pos - int64(changes) + 1, Tag: tx.tag}, err
}

func (tx *tx) NextMessages(messages []*chat.Message) ([]chat.Place, error) {
	conversations, places := make([]string, len(messages)), make([]chat.Place, len(messages))
	for i, m := range messages {
		conversations[i] = m.Conversation
	}
	if err := tx.lock(conversations); err != nil {
		return nil, err
	}
	changed := map[string]bool{}
	for i, m := range messages {
		h, there := tx.held.heads[m.Conversation]
		if !there {
			return nil, fmt.Errorf("next message of conversation %s: %w", m.Conversation, errNoRow)
		}
		h.LastSeq++
		h.Pos++
		if m.Kind.Counts() {
			h.N++
		}
		m.Seq, m.N, places[i] = h.LastSeq, h.N, chat.Place{Pos: h.Pos, Tag: tx.tag}
		tx.held.putHead(h)
		changed[m.Conversation] = true
	}
	for conversation := range changed {
		if err := tx.putNumbers(conversation); err != nil {
			return nil, err
		}
	}
	return places, nil
}
