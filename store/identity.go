package store

import "crypto/rand"

// identify returns the id of the database. The first opening makes it.
func (tx *tx) identify() (id string, err error) {
	if err := tx.put("INSERT INTO meta (name, value) VALUES ('database', ?) ON CONFLICT (name) DO NOTHING", rand.Text()); err != nil {
		return "", err
	}
	err = tx.row("SELECT value FROM meta WHERE name = 'database'").Scan(&id)
	return id, err
}

// Database returns the id of the database, which is the same at every opening and on all nodes.
func (s *Store) Database() string { return s.database }
