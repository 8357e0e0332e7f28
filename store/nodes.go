package store

import (
	"context"
	"time"
)

// Each node that may own calls while others are there has a row, which says until when it lives at
// least. It moves that on again and again; who finds it in the past takes over what the node owns.

// nodesKept is for how long after its end a node is remembered. Nobody asks for it any more.
const nodesKept = time.Hour

// KeepNode notes that a node lives for so long at least, from now on.
func (s *Store) KeepNode(ctx context.Context, node string, lasts time.Duration) error {
	return s.write(ctx, "", func(tx *tx) error {
		until := tx.now + lasts.Milliseconds()
		n, err := tx.exec("UPDATE nodes SET until_at = ? WHERE id = ?", until, node)
		if err != nil || n > 0 {
			return err
		}
		if err := tx.put("DELETE FROM nodes WHERE until_at < ?", tx.now-nodesKept.Milliseconds()); err != nil {
			return err
		}
		return tx.put("INSERT INTO nodes (id, until_at) VALUES (?, ?)", node, until)
	})
}

// EndNode notes that a node has ended.
func (s *Store) EndNode(ctx context.Context, node string) error {
	return s.write(ctx, "", func(tx *tx) error { return tx.put("DELETE FROM nodes WHERE id = ?", node) })
}

// NodeLives reports whether a node has said that it lives until now at least.
func (s *Store) NodeLives(ctx context.Context, node string) (lives bool, err error) {
	err = s.read(ctx, func(v *view) error {
		return v.row("SELECT EXISTS (SELECT 1 FROM nodes WHERE id = ? AND until_at > ?)", node, v.now).Scan(&lives)
	})
	return lives, err
}
