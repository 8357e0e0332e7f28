package store

import (
	"fmt"

	"carillon/chat"
)

const headColumns = "c.id, c.kind, c.name, c.last_seq, c.last_at, c.created_at"

func scanHead(row scanner) (h chat.Head, err error) {
	err = row.Scan(&h.ID, &h.Kind, &h.Name, &h.LastSeq, &h.LastAt, &h.CreatedAt)
	return h, err
}

func (v *view) Head(conversation string) (chat.Head, bool, error) {
	h, err := scanHead(v.row("SELECT "+headColumns+" FROM conversations c WHERE c.id = ?", conversation))
	ok, err := found(err)
	return h, ok, err
}

func (v *view) Heads(user string, beforeAt int64, beforeID string, limit int) ([]chat.Head, error) {
	return collect(v.conn, scanHead, "SELECT "+headColumns+` FROM members m JOIN conversations c ON c.id = m.conversation
		WHERE m.user = ? AND (c.last_at, c.id) < (?, ?) ORDER BY c.last_at DESC, c.id DESC LIMIT ?`, user, beforeAt, beforeID, limit)
}

// pair is the key of the direct conversation of two users, the same in either order. A user
// id has no control characters, so a newline separates the two.
func pair(a, b string) string { return min(a, b) + "\n" + max(a, b) }

func (v *view) DirectBetween(a, b string) (id string, ok bool, err error) {
	ok, err = found(v.row("SELECT id FROM conversations WHERE pair = ?", pair(a, b)).Scan(&id))
	return id, ok, err
}

func (v *view) ShareGroup(a, b string) (bool, error) {
	var one int
	return found(v.row(`SELECT 1 FROM members m JOIN members o ON o.conversation = m.conversation AND o.user = ?
		JOIN conversations c ON c.id = m.conversation WHERE m.user = ? AND c.kind = ? LIMIT 1`, b, a, string(chat.Group)).Scan(&one))
}

func (tx *tx) PutConversation(h chat.Head, members []chat.Member) error {
	var between any
	if h.Kind == chat.Direct {
		if len(members) != 2 {
			return fmt.Errorf("store direct conversation: %d members, want 2", len(members))
		}
		between = pair(members[0].ID, members[1].ID)
	}
	if _, err := tx.exec("INSERT INTO conversations (id, kind, name, pair, last_seq, last_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		h.ID, string(h.Kind), h.Name, between, h.LastSeq, h.LastAt, h.CreatedAt); err != nil {
		return err
	}
	for _, m := range members {
		if _, err := tx.exec("INSERT INTO members (conversation, user, role) VALUES (?, ?, ?)", h.ID, m.ID, string(m.Role)); err != nil {
			return err
		}
	}
	return nil
}

func (v *view) MemberIDs(conversation string) ([]string, error) {
	return collect(v.conn, scanString, "SELECT user FROM members WHERE conversation = ?", conversation)
}

// memberQuery uses the id as the name of a user who has never signed in.
const memberQuery = `SELECT m.user, coalesce(nullif(u.name, ''), m.user), coalesce(u.picture, ''), coalesce(u.guest, 0), m.role, m.delivered, m.read
	FROM members m LEFT JOIN users u ON u.id = m.user WHERE m.conversation = ?`

func scanMember(row scanner) (m chat.Member, err error) {
	err = row.Scan(&m.ID, &m.Name, &m.Picture, &m.Guest, &m.Role, &m.Delivered, &m.Read)
	return m, err
}

func (v *view) Members(conversation string) ([]chat.Member, error) {
	return collect(v.conn, scanMember, memberQuery, conversation)
}

func (v *view) Member(conversation, user string) (chat.Member, bool, error) {
	m, err := scanMember(v.row(memberQuery+" AND m.user = ?", conversation, user))
	ok, err := found(err)
	return m, ok, err
}

func (tx *tx) PutMarks(conversation, user string, delivered, read int64) error {
	_, err := tx.exec("UPDATE members SET delivered = max(delivered, ?), read = max(read, ?) WHERE conversation = ? AND user = ?",
		delivered, read, conversation, user)
	return err
}
