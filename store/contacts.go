package store

import "carillon/chat"

func (v *view) IsContact(of, user string) (is bool, err error) {
	err = v.row("SELECT EXISTS (SELECT 1 FROM contacts WHERE user = ? AND contact = ? AND listed = 1)", of, user).Scan(&is)
	return is, err
}

func (v *view) HasShown(user, to string) (has bool, err error) {
	err = v.row("SELECT EXISTS (SELECT 1 FROM contacts WHERE user = ? AND contact = ? AND shown = 1)", user, to).Scan(&has)
	return has, err
}

func (v *view) Contacts(of, after string, limit int) ([]chat.User, error) {
	scan := func(row scanner) (u chat.User, err error) {
		err = row.Scan(&u.ID, &u.Name, &u.Picture, &u.Guest)
		return u, err
	}
	return collect(v.conn, scan, `SELECT c.contact, coalesce(nullif(u.name, ''), c.contact), coalesce(u.picture, ''), coalesce(u.guest, 0)
		FROM contacts c LEFT JOIN users u ON u.id = c.contact WHERE c.user = ? AND c.contact > ? AND c.listed = 1 ORDER BY c.contact LIMIT ?`, of, after, limit)
}

func (v *view) CountContacts(of string) (n int, err error) {
	err = v.row("SELECT count(*) FROM contacts WHERE user = ? AND listed = 1", of).Scan(&n)
	return n, err
}

func (tx *tx) PutContact(of, user string) error {
	_, err := tx.exec("INSERT INTO contacts (user, contact) VALUES (?, ?) ON CONFLICT (user, contact) DO UPDATE SET listed = 1", of, user)
	return err
}

func (tx *tx) RemoveContact(of, user string) error {
	if _, err := tx.exec("DELETE FROM contacts WHERE user = ? AND contact = ? AND shown = 0", of, user); err != nil {
		return err
	}
	_, err := tx.exec("UPDATE contacts SET listed = 0 WHERE user = ? AND contact = ?", of, user)
	return err
}

func (tx *tx) PutShown(user, to string) error {
	_, err := tx.exec("INSERT INTO contacts (user, contact, listed, shown) VALUES (?, ?, 0, 1) ON CONFLICT (user, contact) DO UPDATE SET shown = 1", user, to)
	return err
}
