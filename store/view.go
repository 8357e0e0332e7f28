package store

import "carillon/chat"

// view reads one state of the database, as chat asks for it.
type view struct{ *conn }

// tx is a view that writes. Its statements run in writeLoop only.
type tx struct {
	view
	logEvents int64            // how many events a user's log keeps
	events    []chat.UserEvent // announced so far in this commit
}

var (
	_ chat.Store = (*Store)(nil)
	_ chat.View  = (*view)(nil)
	_ chat.Tx    = (*tx)(nil)
)
