package store

import (
	"fmt"

	"carillon/chat"
)

func (v *view) Offset(user string) (newest int64, err error) {
	err = v.row("SELECT coalesce(max(offset), 0) FROM events WHERE user = ?", user).Scan(&newest)
	return newest, err
}

func (v *view) Events(user string, after int64, limit int) ([]chat.Event, error) {
	scan := func(row scanner) (e chat.Event, err error) {
		err = row.Scan(&e.Offset, &e.Type, &e.At, (*[]byte)(&e.Data))
		return e, err
	}
	return collect(v.conn, scan, "SELECT offset, type, at, data FROM events WHERE user = ? AND offset > ? ORDER BY offset LIMIT ?", user, after, limit)
}

// Announce adds an event to the user's log. Each time the log has grown by a sixteenth it
// removes the events beyond its greatest length.
func (tx *tx) Announce(user string, t chat.EventType, at int64, data []byte, of chat.Mark) error {
	newest, err := tx.Offset(user)
	if err != nil {
		return fmt.Errorf("newest offset of user %s: %w", user, err)
	}
	e := chat.Event{Offset: newest + 1, Type: t, At: at, Data: data}
	var conversation, seq any
	if of.Seq > 0 {
		conversation, seq = of.Conversation, of.Seq
	}
	if _, err := tx.exec("INSERT INTO events (user, offset, type, at, conversation, seq, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
		user, e.Offset, string(t), at, conversation, seq, data); err != nil {
		return fmt.Errorf("event %d of user %s: %w", e.Offset, user, err)
	}
	tx.events = append(tx.events, chat.UserEvent{User: user, Event: e})
	if e.Offset%(tx.logEvents/16+1) == 0 {
		_, err := tx.exec("DELETE FROM events WHERE user = ? AND offset <= ?", user, e.Offset-tx.logEvents)
		return err
	}
	return nil
}

func (v *view) Acked(user string) (acked int64, err error) {
	_, err = found(v.row("SELECT offset FROM acks WHERE user = ?", user).Scan(&acked))
	return acked, err
}

func (tx *tx) PutAck(user string, offset int64) error {
	_, err := tx.exec(`INSERT INTO acks (user, offset) VALUES (?, ?)
		ON CONFLICT (user) DO UPDATE SET offset = max(offset, excluded.offset)`, user, offset)
	return err
}

func scanMark(row scanner) (m chat.Mark, err error) {
	err = row.Scan(&m.Conversation, &m.Seq)
	return m, err
}

func (v *view) Received(user string, from, upTo int64) ([]chat.Mark, bool, error) {
	var first int64
	there, err := found(v.row("SELECT offset FROM events WHERE user = ? AND offset > ? ORDER BY offset LIMIT 1", user, from).Scan(&first))
	if err != nil || !there || first > from+1 {
		return nil, false, err
	}
	marks, err := collect(v.conn, scanMark, `SELECT conversation, max(seq) FROM events
		WHERE user = ? AND offset > ? AND offset <= ? AND seq IS NOT NULL GROUP BY conversation`, user, from, upTo)
	return marks, true, err
}

// ReceivedAll cannot look at the events up to upTo, because some are gone. It takes all that
// others wrote, except what later events deliver.
func (v *view) ReceivedAll(user string, upTo int64) ([]chat.Mark, error) {
	return collect(v.conn, scanMark, `WITH later AS (SELECT conversation, min(seq) AS first FROM events
			WHERE user = ?1 AND offset > ?2 AND seq IS NOT NULL GROUP BY conversation)
		SELECT conversation, seq FROM (SELECT m.conversation, m.delivered, (SELECT o.seq FROM messages o
				WHERE o.conversation = m.conversation AND o.seq < coalesce(later.first, 1 << 62) AND o.sender <> ?1 ORDER BY o.seq DESC LIMIT 1) AS seq
			FROM members m LEFT JOIN later ON later.conversation = m.conversation WHERE m.user = ?1)
		WHERE seq > delivered`, user, upTo)
}
