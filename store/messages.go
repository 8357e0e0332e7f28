package store

import (
	"encoding/json"
	"fmt"

	"carillon/chat"
)

const messageColumns = "m.conversation, " + restOfMessage

// restOfMessage is what a message has beside its conversation, in a table called m.
const restOfMessage = `m.seq, m.n, m.sender, m.client_id, m.kind, m.content, m.data, m.preview, m.revision, m.sent_at,
	m.reply_to, m.mentions, m.forwarded, m.edited_at, m.gone`

// messageRow is a message and what of it has to be decoded.
type messageRow struct {
	chat.Message
	mentions []byte
}

func (r *messageRow) dest() []any { return append([]any{&r.Conversation}, r.restDest()...) }

func (r *messageRow) restDest() []any {
	return []any{&r.Seq, &r.N, &r.Sender, &r.ClientID, &r.Kind, &r.Text, (*[]byte)(&r.Data), (*[]byte)(&r.Preview), &r.Revision, &r.SentAt,
		&r.ReplyTo, &r.mentions, &r.Forwarded, &r.EditedAt, &r.Gone}
}

// message is the message that was scanned, in its conversation.
func (r *messageRow) message() (chat.Message, error) {
	r.ID = chat.MessageID(r.Conversation, r.Seq)
	if r.mentions == nil {
		return r.Message, nil
	}
	if err := json.Unmarshal(r.mentions, &r.Mentions); err != nil {
		return r.Message, fmt.Errorf("decode mentions of %s: %w", r.ID, err)
	}
	return r.Message, nil
}

func scanMessage(row scanner) (m chat.Message, at chat.Place, err error) {
	var r messageRow
	if err := row.Scan(append(r.dest(), &at.Pos, &at.Tag)...); err != nil {
		return m, at, err
	}
	m, err = r.message()
	return m, at, err
}

func scanMessageItem(row scanner) (chat.Item, error) {
	m, at, err := scanMessage(row)
	if err != nil {
		return chat.Item{}, err
	}
	return chat.NewItem(at, m)
}

// Sent returns what is known of a message even if it was removed since.
func (v *view) Sent(sender, clientID string) (chat.Message, chat.Place, bool, error) {
	sent := chat.Message{Sender: sender, ClientID: clientID}
	ok, err := found(v.row("SELECT conversation, seq, sent_at FROM sent WHERE sender = ? AND client_id = ?", sender, clientID).
		Scan(&sent.Conversation, &sent.Seq, &sent.SentAt))
	if err != nil || !ok { // as for nearly every message
		return chat.Message{}, chat.Place{}, false, err
	}
	m, at, kept, err := v.Message(sent.Conversation, sent.Seq)
	if !kept {
		m = sent
		m.ID = chat.MessageID(m.Conversation, m.Seq)
	}
	return m, at, true, err
}

func (v *view) AllSent(sender string, clientIDs []string) (map[string]string, error) {
	scan := func(row scanner) (id, conversation string, err error) {
		err = row.Scan(&id, &conversation)
		return id, conversation, err
	}
	return collectMap(v.conn, scan, "SELECT client_id, conversation FROM sent WHERE sender = ? AND client_id IN "+v.sql.texts, sender, list(clientIDs))
}

// sentOf returns which messages were sent before.
func (v *view) sentOf(ids []chat.ClientID) (map[chat.ClientID]bool, error) {
	rows := make([][2]string, len(ids))
	for i, id := range ids {
		rows[i] = [2]string{id.Sender, id.ID}
	}
	scan := func(row scanner) (id chat.ClientID, there bool, err error) {
		err = row.Scan(&id.Sender, &id.ID)
		return id, true, err
	}
	return collectMap(v.conn, scan, "SELECT s.sender, s.client_id FROM (SELECT value->>0 AS sender, value->>1 AS client_id FROM "+v.sql.rows+`) l
		CROSS JOIN sent s WHERE s.sender = l.sender AND s.client_id = l.client_id`, list(rows))
}

func (v *view) Message(conversation string, seq int64) (chat.Message, chat.Place, bool, error) {
	m, at, err := scanMessage(v.row("SELECT "+messageColumns+", m.pos, m.tag FROM messages m WHERE m.conversation = ? AND m.seq = ?", conversation, seq))
	ok, err := found(err)
	return m, at, ok, err
}

func (v *view) Before(conversation string, seq, from int64, limit int) ([]chat.Item, error) {
	return collect(v.conn, scanMessageItem, "SELECT "+messageColumns+`, m.pos, m.tag FROM messages m
		WHERE m.conversation = ? AND m.seq < ? AND m.seq >= ? ORDER BY m.seq DESC LIMIT ?`, conversation, seq, from, limit)
}

func (v *view) After(conversation string, seq int64, limit int) ([]chat.Item, error) {
	return collect(v.conn, scanMessageItem, "SELECT "+messageColumns+`, m.pos, m.tag FROM messages m
		WHERE m.conversation = ? AND m.seq > ? ORDER BY m.seq LIMIT ?`, conversation, seq, limit)
}

func (v *view) Passed(spans []chat.Span) ([]chat.Passed, error) {
	rows := make([][]any, len(spans))
	for i, s := range spans {
		rows[i] = []any{i, s.Conversation, s.User, s.After, s.UpTo}
	}
	scan := func(row scanner) (p chat.Passed, err error) {
		err = row.Scan(&p.N, &p.Own)
		return p, err
	}
	return collect(v.conn, scan, `SELECT
			coalesce((SELECT m.n FROM messages m WHERE m.conversation = l.conversation AND m.seq <= l.up_to ORDER BY m.seq DESC LIMIT 1),
				(SELECT c.floor_n FROM conversations c WHERE c.id = l.conversation), 0),
			(SELECT count(*) FROM messages m WHERE m.conversation = l.conversation AND m.seq > l.above AND m.seq <= l.up_to AND m.sender = l.user_id AND m.counts = 1)
		FROM (SELECT CAST(value->>0 AS BIGINT) AS place, value->>1 AS conversation, value->>2 AS user_id, CAST(value->>3 AS BIGINT) AS above,
			CAST(value->>4 AS BIGINT) AS up_to FROM `+v.sql.rows+`) l
		ORDER BY l.place`, list(rows))
}

var (
	insertedMessage = []string{"conversation", "seq", "n", "counts", "pos", "tag", "sender", "client_id", "kind", "content", "data",
		"preview", "preview_picture", "revision", "sent_at", "reply_to", "mentions", "forwarded", "edited_at", "gone"}
	insertedSent = []string{"sender", "client_id", "conversation", "seq", "sent_at"}
)

func (tx *tx) PutMessages(list []*chat.Message, at []chat.Place) error {
	messages, sent := make([][]any, len(list)), make([][]any, 0, len(list))
	for i, m := range list {
		messages[i] = []any{m.Conversation, m.Seq, m.N, m.Kind.Counts(), at[i].Pos, int64(at[i].Tag),
			m.Sender, m.ClientID, string(m.Kind), m.Text, jsonColumn(m.Data), jsonColumn(m.Preview), pictureIn(m.Preview), m.Revision, m.SentAt,
			m.ReplyTo, mentionsColumn(m.Mentions), m.Forwarded, m.EditedAt, string(m.Gone)}
		if m.ClientID != "" {
			sent = append(sent, []any{m.Sender, m.ClientID, m.Conversation, m.Seq, m.SentAt})
		}
	}
	if err := tx.insert("messages", insertedMessage, messages); err != nil {
		return err
	}
	return tx.insert("sent", insertedSent, sent)
}

func (tx *tx) ChangeMessage(m chat.Message, at chat.Place) error {
	return tx.put(`UPDATE messages SET content = ?, data = ?, preview = ?, preview_picture = ?, mentions = ?, edited_at = ?, gone = ?,
			revision = ?, pos = ?, tag = ? WHERE conversation = ? AND seq = ?`,
		m.Text, jsonColumn(m.Data), jsonColumn(m.Preview), pictureIn(m.Preview), mentionsColumn(m.Mentions), m.EditedAt, string(m.Gone),
		m.Revision, at.Pos, int64(at.Tag), m.Conversation, m.Seq)
}

// mentionsColumn is NULL for none.
func mentionsColumn(users []string) any {
	if len(users) == 0 {
		return nil
	}
	return list(users)
}

// jsonColumn is NULL for no value.
func jsonColumn(value []byte) any {
	if value == nil {
		return nil
	}
	return string(value)
}

// pictureIn returns the key of the picture in a preview, if there is one.
func pictureIn(preview []byte) any {
	if preview == nil {
		return nil
	}
	var p chat.Preview
	if json.Unmarshal(preview, &p) != nil || p.Picture == nil {
		return nil // it was encoded here
	}
	return p.Picture.Key
}
