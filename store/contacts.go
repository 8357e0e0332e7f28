package store

import "carillon/chat"

func (v *view) IsContact(of, user string) (is bool, err error) {
	err = v.row("SELECT EXISTS (SELECT 1 FROM contacts WHERE user = ? AND contact = ?)", of, user).Scan(&is)
	return is, err
}

func (v *view) Contacts(of, after string, limit int) ([]chat.User, error) {
	scan := func(row scanner) (u chat.User, err error) {
		err = row.Scan(&u.ID, &u.Name, &u.Picture, &u.Guest)
		return u, err
	}
	return collect(v.conn, scan, `SELECT c.contact, coalesce(nullif(u.name, ''), c.contact), coalesce(u.picture, ''), coalesce(u.guest, 0)
		FROM contacts c LEFT JOIN users u ON u.id = c.contact WHERE c.user = ? AND c.contact > ? ORDER BY c.contact LIMIT ?`, of, after, limit)
}

func (v *view) CountContacts(of string) (n int, err error) {
	err = v.row("SELECT count(*) FROM contacts WHERE user = ?", of).Scan(&n)
	return n, err
}

func (tx *tx) PutContact(of, user string) error {
	_, err := tx.exec("INSERT INTO contacts (user, contact) VALUES (?, ?) ON CONFLICT DO NOTHING", of, user)
	return err
}

func (tx *tx) RemoveContact(of, user string) error {
	_, err := tx.exec("DELETE FROM contacts WHERE user = ? AND contact = ?", of, user)
	return err
}
