package store

import (
	"maps"
	"slices"

	"carillon/chat"
)

func scanUser(row scanner) (u chat.User, err error) {
	err = row.Scan(&u.ID, &u.Name, &u.Picture, &u.Guest)
	return u, err
}

func (v *view) User(id string) (chat.User, bool, error) {
	u, err := scanUser(v.row("SELECT id, name, picture, guest FROM users WHERE id = ? AND name <> ''", id))
	ok, err := found(err)
	return u, ok, err
}

func (v *view) Users(ids []string) ([]chat.User, error) {
	return collect(v.conn, scanUser, "SELECT id, name, picture, guest FROM users WHERE id IN "+v.sql.texts+" AND name <> ''", list(ids))
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
	return tx.put(`INSERT INTO users (id, name, picture, guest, name_key, drawn_key) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, picture = excluded.picture, guest = excluded.guest,
			name_key = excluded.name_key, drawn_key = excluded.drawn_key`,
		u.ID, u.Name, u.Picture, u.Guest, keys.Folded, keys.Drawn)
}

func (v *view) LastSeen(users []string) (map[string]int64, error) {
	return collectMap(v.conn, scanNumber, "SELECT id, last_seen FROM users WHERE id IN "+v.sql.texts+" AND last_seen > 0", list(users))
}

func (tx *tx) PutLastSeen(users map[string]int64) error {
	rows := make([][]any, 0, len(users))
	for _, user := range slices.Sorted(maps.Keys(users)) { // in one order, for they are locked
		rows = append(rows, []any{user, users[user]})
	}
	return tx.putRows(len(rows), `INSERT INTO users (id, last_seen) SELECT value->>0, CAST(value->>1 AS BIGINT) FROM `+tx.sql.rows+` WHERE true
		ON CONFLICT (id) DO UPDATE SET last_seen = CASE WHEN users.last_seen > excluded.last_seen THEN users.last_seen ELSE excluded.last_seen END`,
		list(rows))
}
