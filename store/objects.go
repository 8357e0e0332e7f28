package store

import "carillon/chat"

func scanObject(row scanner) (o chat.UserObject, err error) {
	err = row.Scan(&o.Key, (*[]byte)(&o.Value), &o.Tab)
	return o, err
}

func (v *view) Object(user, key string) (chat.UserObject, bool, error) {
	o, err := scanObject(v.row("SELECT object_name, value, tab FROM objects WHERE user_id = ? AND object_name = ? AND value IS NOT NULL", user, key))
	ok, err := found(err)
	return o, ok, err
}

func (v *view) Objects(user, after string, limit int) ([]chat.UserObject, error) {
	return collect(v.conn, scanObject, `SELECT object_name, value, tab FROM objects
		WHERE user_id = ? AND object_name > ? AND value IS NOT NULL ORDER BY object_name LIMIT ?`, user, after, limit)
}

func (v *view) ObjectsSize(user string) (count, bytes int, err error) {
	err = v.row(`SELECT count(*), coalesce(sum(octet_length(object_name) + octet_length(value)), 0) FROM objects
		WHERE user_id = ? AND value IS NOT NULL`, user).Scan(&count, &bytes)
	return count, bytes, err
}

func (tx *tx) PutObject(user string, o chat.UserObject, at chat.Place) error {
	var removed int64 // by when it can be forgotten that there was one
	if o.Value == nil {
		removed = tx.now
	}
	return tx.put(`INSERT INTO objects (user_id, object_name, value, removed_at, tab, pos, tag) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (user_id, object_name) DO UPDATE SET value = excluded.value, removed_at = excluded.removed_at, tab = excluded.tab, pos = excluded.pos, tag = excluded.tag`,
		user, o.Key, jsonColumn(o.Value), removed, o.Tab, at.Pos, int64(at.Tag))
}

// jsonColumn is NULL for no value.
func jsonColumn(value []byte) any {
	if value == nil {
		return nil
	}
	return string(value)
}
