package store

import "carillon/chat"

// view reads one state of the database, as chat asks for it.
type view struct{ *conn }

// tx is a view that writes. Its statements run in writeLoop only.
type tx struct {
	view
	logEvents int64            // how many events a user's log keeps
	events    []chat.UserEvent // announced so far in this commit
	written   int              // what this write has cost so far, see Written
}

// rowBytes is about what a row takes on disk beside its values, with its places in indices and
// the space that pages leave free.
const rowBytes = 200

// exec also counts what the statement writes.
func (tx *tx) exec(query string, args ...any) (int64, error) {
	tx.written += rowBytes
	for _, arg := range args {
		switch v := arg.(type) {
		case string:
			tx.written += len(v)
		case []byte:
			tx.written += len(v)
		}
	}
	return tx.conn.exec(query, args...)
}

func (tx *tx) Written() int { return tx.written }

var (
	_ chat.Store = (*Store)(nil)
	_ chat.View  = (*view)(nil)
	_ chat.Tx    = (*tx)(nil)
)
