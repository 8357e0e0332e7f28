package store

import (
	"fmt"
	"strings"

	"carillon/chat"
)

const messageColumns = "conversation, seq, sender, coalesce(client_id, ''), kind, text, data, revision, sent_at"

func scanMessage(row scanner) (m chat.Message, err error) {
	err = row.Scan(&m.Conversation, &m.Seq, &m.Sender, &m.ClientID, &m.Kind, &m.Text, (*[]byte)(&m.Data), &m.Revision, &m.SentAt)
	m.ID = chat.MessageID(m.Conversation, m.Seq)
	return m, err
}

func (v *view) Sent(sender, clientID string) (chat.Message, bool, error) {
	m, err := scanMessage(v.row("SELECT "+messageColumns+" FROM messages WHERE sender = ? AND client_id = ?", sender, clientID))
	ok, err := found(err)
	return m, ok, err
}

func (v *view) Message(conversation string, seq int64) (chat.Message, bool, error) {
	m, err := scanMessage(v.row("SELECT "+messageColumns+" FROM messages WHERE conversation = ? AND seq = ?", conversation, seq))
	ok, err := found(err)
	return m, ok, err
}

func (v *view) Before(conversation string, seq int64, limit int) ([]chat.Message, error) {
	return collect(v.conn, scanMessage, "SELECT "+messageColumns+` FROM messages
		WHERE conversation = ? AND seq < ? ORDER BY seq DESC LIMIT ?`, conversation, seq, limit)
}

func (v *view) After(conversation string, seq int64, limit int) ([]chat.Message, error) {
	return collect(v.conn, scanMessage, "SELECT "+messageColumns+` FROM messages
		WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ?`, conversation, seq, limit)
}

// Unread counts among the last 1,000 messages beyond the mark, so that a conversation that
// nobody reads costs no more than others.
func (v *view) Unread(conversation, user string, read int64) (n int, err error) {
	err = v.row(`SELECT count(*) FROM (SELECT sender, counts FROM messages WHERE conversation = ?1 AND seq > ?2 ORDER BY seq DESC LIMIT 1000)
		WHERE CASE WHEN counts IS NULL THEN sender <> ?3 ELSE instr(counts, char(10) || ?3 || char(10)) > 0 END`,
		conversation, read, user).Scan(&n)
	return n, err
}

func (tx *tx) NextSeq(conversation string, at int64) (seq int64, err error) {
	err = tx.row("UPDATE conversations SET last_seq = last_seq + 1, last_at = max(last_at, ?) WHERE id = ? RETURNING last_seq", at, conversation).Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("next seq of conversation %s: %w", conversation, err)
	}
	return seq, nil
}

func (tx *tx) PutMessage(m chat.Message, counts chat.Counts) error {
	_, err := tx.exec(`INSERT INTO messages (conversation, seq, sender, client_id, kind, text, data, revision, sent_at, counts)
		VALUES (?, ?, ?, nullif(?, ''), ?, ?, ?, ?, ?, ?)`,
		m.Conversation, m.Seq, m.Sender, m.ClientID, string(m.Kind), m.Text, dataColumn(m), m.Revision, m.SentAt, countsColumn(counts))
	return err
}

func (tx *tx) ChangeMessage(m chat.Message, counts chat.Counts) error {
	_, err := tx.exec("UPDATE messages SET text = ?, data = ?, revision = ?, counts = ? WHERE conversation = ? AND seq = ?",
		m.Text, dataColumn(m), m.Revision, countsColumn(counts), m.Conversation, m.Seq)
	return err
}

func countsColumn(c chat.Counts) any {
	switch {
	case c.Everyone:
		return nil
	case len(c.Only) == 0:
		return ""
	}
	return "\n" + strings.Join(c.Only, "\n") + "\n"
}

func dataColumn(m chat.Message) any {
	if len(m.Data) == 0 {
		return nil
	}
	return []byte(m.Data)
}
