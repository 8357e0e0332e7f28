package store

import (
	"context"
	"time"

	"carillon/chat"
)

func (v *view) User(id string) (u chat.User, ok bool, err error) {
	u.ID = id
	ok, err = found(v.row("SELECT name, picture, guest FROM users WHERE id = ? AND name <> ''", id).Scan(&u.Name, &u.Picture, &u.Guest))
	return u, ok, err
}

func (v *view) NameTaken(name string) (taken bool, err error) {
	keys := chat.LookAlikes(name)
	err = v.row(`SELECT EXISTS (SELECT 1 FROM users WHERE name_key = ? AND name_key <> '')
		OR EXISTS (SELECT 1 FROM users WHERE drawn_key = ? AND drawn_key <> '')`, keys.Folded, keys.Drawn).Scan(&taken)
	return taken, err
}

func (tx *tx) PutUser(u chat.User) error {
	var keys chat.LookAlike // guests may share a name
	if !u.Guest {
		keys = chat.LookAlikes(u.Name)
	}
	_, err := tx.exec(`INSERT INTO users (id, name, picture, guest, name_key, drawn_key) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, picture = excluded.picture, guest = excluded.guest,
			name_key = excluded.name_key, drawn_key = excluded.drawn_key`,
		u.ID, u.Name, u.Picture, u.Guest, keys.Folded, keys.Drawn)
	return err
}

func (v *view) Neighbours(user string, limit int) ([]string, error) {
	return collect(v.conn, scanString, `SELECT o.user FROM members m
		JOIN conversations c ON c.id = m.conversation JOIN members o ON o.conversation = m.conversation AND o.user <> m.user
		WHERE m.user = ? GROUP BY o.user ORDER BY max(c.last_at) DESC LIMIT ?`, user, limit)
}

func (v *view) Objects(user string) ([]chat.UserObject, error) {
	scan := func(row scanner) (o chat.UserObject, err error) {
		err = row.Scan(&o.Key, (*[]byte)(&o.Value), &o.Tab)
		return o, err
	}
	return collect(v.conn, scan, "SELECT key, value, tab FROM objects WHERE user = ? ORDER BY key", user)
}

func (tx *tx) PutObject(user string, o chat.UserObject) error {
	if o.Value == nil {
		_, err := tx.exec("DELETE FROM objects WHERE user = ? AND key = ?", user, o.Key)
		return err
	}
	_, err := tx.exec(`INSERT INTO objects (user, key, value, tab) VALUES (?, ?, ?, ?)
		ON CONFLICT (user, key) DO UPDATE SET value = excluded.value, tab = excluded.tab`, user, o.Key, string(o.Value), o.Tab)
	return err
}

// ValidAfter returns the time before which all tokens of user are revoked, zero if
// never.
func (s *Store) ValidAfter(ctx context.Context, user string) (time.Time, error) {
	var ms int64
	err := s.read(ctx, func(v *view) error {
		_, err := found(v.row("SELECT valid_after FROM users WHERE id = ?", user).Scan(&ms))
		return err
	})
	if err != nil || ms == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(ms), nil
}

// Revoke makes all tokens of user minted before t invalid. It never goes back.
func (s *Store) Revoke(ctx context.Context, user string, t time.Time) error {
	return s.write(ctx, func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO users (id, valid_after) VALUES (?, ?)
			ON CONFLICT (id) DO UPDATE SET valid_after = max(valid_after, excluded.valid_after)`, user, t.UnixMilli())
		return err
	})
}
