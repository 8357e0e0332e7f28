package store

import (
	"math/rand/v2"

	"carillon/chat"
)

// view reads one state of the database, as chat asks for it.
type view struct {
	conn
	sql *dialect
	now int64 // by the database's clock, before the state; unix ms
}

func (v *view) row(query string, args ...any) scanner { return first(v.conn, query, args...) }

func (v *view) Now() (int64, error) { return v.now, nil }

// tx is a view that writes.
type tx struct {
	view
	tag     chat.Tag    // of all changes of this write
	told    []chat.Told // so far in this commit
	written int         // what this write has cost so far, see Written

	held     held // by this commit
	together bool // with other writes to its conversation in one transaction
}

// begin is called before each write of a commit.
func (tx *tx) begin(now int64) {
	tx.now, tx.written = now, 0
	for tx.tag = 0; tx.tag == 0; { // zero is no tag
		tx.tag = chat.Tag(rand.Uint64())
	}
}

// undone is called when a write is: nothing that it told is true, nor what the commit holds, and
// what the write locked is locked no longer.
func (tx *tx) undone(told int) {
	tx.told = tx.told[:told]
	tx.held.forget()
}

// exec also counts what the statement writes.
func (tx *tx) exec(query string, args ...any) (int64, error) {
	tx.count(1, args)
	return tx.conn.exec(query, args...)
}

// put is exec for a statement of which nobody asks how many rows it changed.
func (tx *tx) put(query string, args ...any) error { return tx.putRows(1, query, args...) }

// putRows is put for a statement that writes that many rows, the last argument being the list of them.
func (tx *tx) putRows(rows int, query string, args ...any) error {
	tx.count(rows, args)
	return tx.conn.put(query, args...)
}

// insert and update also count what they write.
func (tx *tx) insert(table string, columns []string, rows [][]any) error {
	tx.countAll(rows)
	return tx.conn.insert(table, columns, rows)
}

func (tx *tx) update(table string, columns, key []string, rows [][]any) error {
	tx.countAll(rows)
	return tx.conn.update(table, columns, key, rows)
}

func (tx *tx) countAll(rows [][]any) {
	for _, row := range rows {
		tx.count(1, row)
	}
}

func (tx *tx) count(rows int, args []any) {
	tx.written += rows * chat.RowBytes
	for _, arg := range args {
		switch v := arg.(type) {
		case string:
			tx.written += len(v)
		case []byte:
			tx.written += len(v)
		}
	}
}

func (tx *tx) Written() int { return tx.written }

func (tx *tx) Tell(t chat.Told) { tx.told = append(tx.told, t) }

var (
	_ chat.Store = (*Store)(nil)
	_ chat.View  = (*view)(nil)
	_ chat.Tx    = (*tx)(nil)
)
