package store

import (
	"encoding/json"
	"fmt"
	"slices"

	"carillon/chat"
)

func (v *view) Reactions(conversation string, seq int64) (chat.Reactions, error) {
	r := chat.Reactions{Seq: seq}
	var counts []byte
	there, err := found(v.row("SELECT counts FROM reacted WHERE conversation = ? AND seq = ?", conversation, seq).Scan(&counts))
	if err != nil || !there {
		return r, err
	}
	return r, decodeCounts(counts, &r)
}

func decodeCounts(counts []byte, r *chat.Reactions) error {
	if err := json.Unmarshal(counts, &r.Counts); err != nil {
		return fmt.Errorf("decode reactions to %d: %w", r.Seq, err)
	}
	return nil
}

func scanReactionsItem(row scanner) (chat.Item, error) {
	var r chat.Reactions
	var at chat.Place
	var counts []byte
	if err := row.Scan(&r.Seq, &counts, &at.Pos, &at.Tag); err != nil {
		return chat.Item{}, err
	}
	if err := decodeCounts(counts, &r); err != nil {
		return chat.Item{}, err
	}
	return chat.NewItem(at, r)
}

func (v *view) ReactionItems(conversation string, seqs []int64) ([]chat.Item, error) {
	return collect(v.conn, scanReactionsItem, "SELECT r.seq, r.counts, r.pos, r.tag FROM "+v.sql.texts+` l CROSS JOIN reacted r
		WHERE r.conversation = ? AND r.seq = CAST(l.value AS BIGINT)`, list(seqs), conversation)
}

func (v *view) ReactionsOf(user, conversation string, seqs []int64) (map[int64][]string, error) {
	mine := map[int64][]string{}
	err := v.each(func(row scanner) error {
		var seq int64
		var emoji string
		err := row.Scan(&seq, &emoji)
		mine[seq] = append(mine[seq], emoji)
		return err
	}, "SELECT r.seq, r.emoji FROM "+v.sql.texts+` l CROSS JOIN reactions r
		WHERE r.conversation = ? AND r.seq = CAST(l.value AS BIGINT) AND r.user_id = ?`, list(seqs), conversation, user)
	for _, emoji := range mine {
		slices.Sort(emoji)
	}
	return mine, err
}

func (v *view) WhoReacted(conversation string, seq int64, emoji, after string, limit int) ([]string, error) {
	return collect(v.conn, scanString, `SELECT r.user_id FROM reactions r
		WHERE r.conversation = ? AND r.seq = ? AND r.emoji = ? AND r.user_id > ? ORDER BY r.user_id LIMIT ?`, conversation, seq, emoji, after, limit)
}

func (tx *tx) PutReaction(conversation string, seq int64, user, emoji string, on bool) error {
	if !on {
		return tx.put("DELETE FROM reactions WHERE conversation = ? AND seq = ? AND emoji = ? AND user_id = ?", conversation, seq, emoji, user)
	}
	return tx.put("INSERT INTO reactions (conversation, seq, emoji, user_id, reacted_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		conversation, seq, emoji, user, tx.now)
}

func (tx *tx) PutReactions(conversation string, r chat.Reactions, at chat.Place) error {
	return tx.put(`INSERT INTO reacted (conversation, seq, counts, pos, tag) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (conversation, seq) DO UPDATE SET counts = excluded.counts, pos = excluded.pos, tag = excluded.tag`,
		conversation, r.Seq, string(encode(r.Counts)), at.Pos, int64(at.Tag))
}
