package store

import "carillon/chat"

const ownItemColumns = "o.item_type, o.item_name, o.data"

func scanOwnItem(row scanner) (o chat.OwnItem, err error) {
	err = row.Scan(&o.Type, &o.Name, (*[]byte)(&o.Data))
	return o, err
}

func (v *view) OwnItem(user string, t chat.ItemType, name string) (chat.OwnItem, bool, error) {
	o, err := scanOwnItem(v.row("SELECT "+ownItemColumns+` FROM own_items o
		WHERE o.user_id = ? AND o.item_type = ? AND o.item_name = ? AND o.removed_at = 0`, user, string(t), name))
	ok, err := found(err)
	return o, ok, err
}

func (v *view) OwnItems(user string, t chat.ItemType, after string, limit int) ([]chat.OwnItem, error) {
	return collect(v.conn, scanOwnItem, "SELECT "+ownItemColumns+` FROM own_items o
		WHERE o.user_id = ? AND o.item_type = ? AND o.item_name > ? AND o.removed_at = 0 ORDER BY o.item_name LIMIT ?`, user, string(t), after, limit)
}

func (v *view) OwnItemNamed(users []string, t chat.ItemType, name string) (map[string]chat.OwnItem, error) {
	scan := func(row scanner) (user string, o chat.OwnItem, err error) {
		err = row.Scan(&user, &o.Type, &o.Name, (*[]byte)(&o.Data))
		return user, o, err
	}
	return collectMap(v.conn, scan, "SELECT o.user_id, "+ownItemColumns+" FROM "+v.sql.texts+` l CROSS JOIN own_items o
		WHERE o.user_id = l.value AND o.item_type = ? AND o.item_name = ? AND o.removed_at = 0`, list(users), string(t), name)
}

func (v *view) HaveOwnItems(user string, t chat.ItemType, names []string) ([]string, error) {
	return collect(v.conn, scanString, "SELECT l.value FROM "+v.sql.texts+` l CROSS JOIN own_items o
		WHERE o.user_id = ? AND o.item_type = ? AND o.item_name = l.value AND o.removed_at = 0`, list(names), user, string(t))
}

func (v *view) OwnItemsSize(user string, t chat.ItemType) (count, bytes int, err error) {
	err = v.row("SELECT count(*), coalesce(sum(octet_length(data)), 0) FROM own_items WHERE user_id = ? AND item_type = ? AND removed_at = 0",
		user, string(t)).Scan(&count, &bytes)
	return count, bytes, err
}

func (tx *tx) PutOwnItem(user string, o chat.OwnItem, at chat.Place) error {
	var removed int64 // by when it can be forgotten that there was one
	if o.Removed {
		removed = tx.now
	}
	if o.Type == chat.ItemBlock {
		delete(tx.held.acquaintances, [2]string{user, o.Name})
		delete(tx.held.acquaintances, [2]string{o.Name, user})
	}
	return tx.put(`INSERT INTO own_items (user_id, item_type, item_name, data, removed_at, pos, tag) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (user_id, item_type, item_name) DO UPDATE SET data = excluded.data, removed_at = excluded.removed_at, pos = excluded.pos, tag = excluded.tag`,
		user, string(o.Type), o.Name, string(o.Data), removed, at.Pos, int64(at.Tag))
}
