package store

import "carillon/chat"

func (v *view) AreContacts(of []string, user string) ([]string, error) {
	if len(of) == 1 { // as each message in a direct conversation asks
		return collect(v.conn, scanString, "SELECT user_id FROM contacts WHERE user_id = ? AND contact = ? AND gone = 0", of[0], user)
	}
	return collect(v.conn, scanString, "SELECT c.user_id FROM "+v.sql.texts+" l CROSS JOIN contacts c WHERE c.user_id = l.value AND c.contact = ? AND c.gone = 0",
		list(of), user)
}

func (v *view) HaveShown(users []string, to string) ([]string, error) {
	return collect(v.conn, scanString, "SELECT s.user_id FROM "+v.sql.texts+" l CROSS JOIN shown s WHERE s.user_id = l.value AND s.shown_to = ?", list(users), to)
}

func (v *view) Acquaintance(user, other string) (a chat.Acquaintance, err error) {
	const blocks = "EXISTS (SELECT 1 FROM own_items WHERE user_id = ? AND item_type = 'block' AND item_name = ? AND removed_at = 0)"
	err = v.row(`SELECT EXISTS (SELECT 1 FROM contacts WHERE user_id = ? AND contact = ? AND gone = 0),
		EXISTS (SELECT 1 FROM shown WHERE user_id = ? AND shown_to = ?), `+blocks+", "+blocks,
		user, other, user, other, user, other, other, user).Scan(&a.Contact, &a.Shown, &a.Blocks, &a.Blocked)
	return a, err
}

func (v *view) Contacts(of, after string, limit int) ([]chat.User, error) {
	return collect(v.conn, scanUser, `SELECT c.contact, coalesce(nullif(u.name, ''), c.contact), coalesce(u.picture, ''), coalesce(u.guest, 0)
		FROM contacts c LEFT JOIN users u ON u.id = c.contact WHERE c.user_id = ? AND c.contact > ? AND c.gone = 0 ORDER BY c.contact LIMIT ?`, of, after, limit)
}

func (v *view) CountContacts(of string) (n int, err error) {
	err = v.row("SELECT count(*) FROM contacts WHERE user_id = ? AND gone = 0", of).Scan(&n)
	return n, err
}

func (tx *tx) PutContact(of, user string, gone bool, at chat.Place) error {
	var since int64 // by when it can be forgotten that there was one
	if gone {
		since = tx.now
	}
	delete(tx.held.acquaintances, [2]string{of, user})
	return tx.put(`INSERT INTO contacts (user_id, contact, gone, pos, tag) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (user_id, contact) DO UPDATE SET gone = excluded.gone, pos = excluded.pos, tag = excluded.tag`, of, user, since, at.Pos, int64(at.Tag))
}

func (tx *tx) PutShown(user, to string) error {
	delete(tx.held.acquaintances, [2]string{user, to})
	return tx.put("INSERT INTO shown (user_id, shown_to) VALUES (?, ?) ON CONFLICT DO NOTHING", user, to)
}
