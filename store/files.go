package store

import (
	"context"
	"encoding/base64"
	"fmt"

	"carillon/chat"
	"carillon/files"
)

// WriteFiles runs f in a transaction, see [files.Store].
func (s *Store) WriteFiles(ctx context.Context, f func(files.Tx) error) error {
	return s.write(ctx, "", func(tx *tx) error { return f(tx) })
}

// ReadFiles runs f on one state of the database.
func (s *Store) ReadFiles(ctx context.Context, f func(files.View) error) error {
	return s.read(ctx, func(v *view) error { return f(v) })
}

const fileColumns = "f.id, f.owner, f.guest, f.state, f.file_name, f.media_type, f.bytes, f.width, f.height, f.duration_ms, f.claimed, f.waveform, f.thumbnail, f.created_at, f.collect_at"

func scanFile(row scanner) (f files.File, err error) {
	var waveform string
	if err := row.Scan(&f.ID, &f.Owner, &f.Guest, &f.State, &f.Name, &f.Type, &f.Bytes, &f.Width, &f.Height, &f.DurationMS,
		&f.Claimed, &waveform, &f.Thumbnail, &f.CreatedAt, &f.CollectAt); err != nil {
		return f, err
	}
	if waveform != "" {
		if f.Waveform, err = base64.StdEncoding.DecodeString(waveform); err != nil {
			return f, fmt.Errorf("decode waveform of file %s: %w", f.ID, err)
		}
	}
	return f, nil
}

func (v *view) File(id string) (files.File, bool, error) {
	f, err := scanFile(v.row("SELECT "+fileColumns+" FROM files f WHERE f.id = ?", id))
	ok, err := found(err)
	return f, ok, err
}

func (v *view) Collectable(limit int) ([]files.File, error) {
	return collect(v.conn, scanFile, "SELECT "+fileColumns+" FROM files f WHERE f.collect_at > 0 AND f.collect_at <= ? ORDER BY f.collect_at LIMIT ?", v.now, limit)
}

func (tx *tx) LockFile(id string) (files.File, bool, error) {
	f, err := scanFile(tx.row("SELECT "+fileColumns+" FROM files f WHERE f.id = ?"+tx.sql.forUpdate, id))
	ok, err := found(err)
	return f, ok, err
}

func (tx *tx) PutFile(f files.File) error {
	return tx.put(`INSERT INTO files (id, owner, guest, state, file_name, media_type, bytes, width, height, duration_ms, claimed, waveform, thumbnail, created_at, collect_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, file_name = excluded.file_name, media_type = excluded.media_type, bytes = excluded.bytes,
			width = excluded.width, height = excluded.height, duration_ms = excluded.duration_ms, claimed = excluded.claimed,
			waveform = excluded.waveform, thumbnail = excluded.thumbnail, collect_at = excluded.collect_at`,
		f.ID, f.Owner, f.Guest, string(f.State), f.Name, f.Type, f.Bytes, f.Width, f.Height, f.DurationMS, f.Claimed,
		base64.StdEncoding.EncodeToString(f.Waveform), f.Thumbnail, f.CreatedAt, f.CollectAt)
}

func (tx *tx) DeleteFile(id string) error { return tx.put("DELETE FROM files WHERE id = ?", id) }

func (tx *tx) AddUsage(someone string, bytes int64) (all int64, err error) {
	if err := tx.put(`INSERT INTO file_usage (owner, bytes) VALUES (?, ?)
		ON CONFLICT (owner) DO UPDATE SET bytes = file_usage.bytes + excluded.bytes`, someone, bytes); err != nil {
		return 0, err
	}
	err = tx.row("SELECT bytes FROM file_usage WHERE owner = ?", someone).Scan(&all)
	return all, err
}

func scanUse(row scanner) (u chat.FileUse, err error) {
	err = row.Scan(&u.File, &u.Conversation, &u.Seq, &u.State, &u.FromSeq)
	return u, err
}

// FileUses returns of each conversation that user is a member of, or was, the newest message with
// each of the files.
func (v *view) FileUses(user string, ids []string) ([]chat.FileUse, error) {
	return collect(v.conn, scanUse, `SELECT u.file_id, u.conversation, max(u.seq), m.state, m.from_seq
		FROM file_uses u JOIN members m ON m.conversation = u.conversation AND m.user_id = ?
		WHERE u.file_id IN `+v.sql.texts+` GROUP BY u.file_id, u.conversation, m.state, m.from_seq`, user, list(ids))
}

func (v *view) FilesOf(conversation string, seq int64) ([]string, error) {
	return collect(v.conn, scanString, "SELECT file_id FROM file_uses WHERE conversation = ? AND seq = ? ORDER BY file_id", conversation, seq)
}

// FinishedFiles locks the files, in the order of their ids, so that the janitor leaves them alone.
func (tx *tx) FinishedFiles(ids []string) ([]files.File, error) {
	return collect(tx.conn, scanFile, "SELECT "+fileColumns+" FROM files f WHERE f.id IN "+tx.sql.texts+" AND f.state = ? ORDER BY f.id"+tx.sql.forUpdate,
		list(ids), string(files.Finished))
}

func (tx *tx) PutFileUses(conversation string, seq int64, ids []string) error {
	if err := tx.putRows(len(ids), "INSERT INTO file_uses (conversation, seq, file_id) SELECT ?, ?, value FROM "+tx.sql.texts+" l WHERE true ON CONFLICT DO NOTHING",
		conversation, seq, list(ids)); err != nil {
		return err
	}
	return tx.put("UPDATE files SET collect_at = 0 WHERE id IN "+tx.sql.texts, list(ids))
}

func (tx *tx) RemoveFileUses(conversation string, from, to int64) error {
	// A file that no other message has is removed by the janitor.
	if _, err := tx.exec(`UPDATE files SET collect_at = ? WHERE id IN (SELECT u.file_id FROM file_uses u WHERE u.conversation = ? AND u.seq >= ? AND u.seq <= ?)
			AND NOT EXISTS (SELECT 1 FROM file_uses o WHERE o.file_id = files.id AND (o.conversation <> ? OR o.seq < ? OR o.seq > ?))`,
		tx.now, conversation, from, to, conversation, from, to); err != nil {
		return err
	}
	return tx.put("DELETE FROM file_uses WHERE conversation = ? AND seq >= ? AND seq <= ?", conversation, from, to)
}

var (
	_ files.Store = (*Store)(nil)
	_ files.Tx    = (*tx)(nil)
)
