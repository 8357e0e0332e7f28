package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"

	"modernc.org/sqlite"
)

// conn is one connection that prepares each statement once. It is used by one goroutine
// at a time.
//
// It speaks to the driver itself: [database/sql] between them has locks, pools and
// conversions that one goroutine with its own connection does not need.
//
// Statements run without the caller's context: the driver would start a goroutine for
// each, and what a request may ask for is bounded by its limits. Waiting for a
// connection or for the writer does obey the context.
type conn struct {
	raw   driver.Conn
	stmts map[string]statement
}

// statement is what the driver's prepared statements can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func newConn(dsn string) (*conn, error) {
	raw, err := new(sqlite.Driver).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, stmts: map[string]statement{}}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, stmt := range c.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

func (c *conn) prepared(query string) (statement, error) {
	if stmt, ok := c.stmts[query]; ok {
		return stmt, nil
	}
	raw, err := c.raw.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	stmt, ok := raw.(statement)
	if !ok {
		return nil, fmt.Errorf("prepare %q: the driver's %T lacks methods", query, raw)
	}
	c.stmts[query] = stmt
	return stmt, nil
}

// exec returns how many rows it changed.
func (c *conn) exec(query string, args ...any) (int64, error) {
	stmt, err := c.prepared(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), values(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row returns the first row of a query. If there is none, scanning it returns errNoRow.
func (c *conn) row(query string, args ...any) scanner {
	found, r := false, (*row)(nil)
	err := c.each(func(next *row) error {
		r, found = next, true
		return io.EOF
	}, query, args...)
	switch {
	case err != nil:
		return failed{err}
	case !found:
		return failed{errNoRow}
	}
	return r
}

// collect scans each row of a query.
func collect[T any](c *conn, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	list := []T{}
	err := c.each(func(r *row) error {
		item, err := scan(r)
		list = append(list, item)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// each calls f with each row. A row is valid during the call only, except one for which f
// returns io.EOF, which ends the query.
func (c *conn) each(f func(*row) error, query string, args ...any) error {
	stmt, err := c.prepared(query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(context.Background(), values(args))
	if err != nil {
		return err
	}
	r := &row{values: make([]driver.Value, len(rows.Columns()))}
	for err == nil {
		if err = rows.Next(r.values); err == nil {
			err = f(r)
		}
	}
	if err == io.EOF { // the driver does not wrap it
		err = nil
	}
	return errors.Join(err, rows.Close())
}

// values converts args to what the driver takes: nil, int64, bool, string or []byte.
func values(args []any) []driver.NamedValue {
	list := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		if n, ok := arg.(int); ok {
			arg = int64(n)
		}
		list[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	return list
}

var errNoRow = errors.New("no row")

// found turns errNoRow into false.
func found(err error) (bool, error) {
	if errors.Is(err, errNoRow) {
		return false, nil
	}
	return err == nil, err
}

// scanner is a row, or the error that there is none.
type scanner interface{ Scan(dest ...any) error }

// failed is a scanner that returns err.
type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }

type row struct{ values []driver.Value }

// Scan copies the columns into strings, integers, bools and []byte. NULL is zero.
func (r *row) Scan(dest ...any) error {
	if len(dest) != len(r.values) {
		return fmt.Errorf("scan %d columns into %d places", len(r.values), len(dest))
	}
	for i, v := range r.values {
		if !assign(dest[i], v) {
			return fmt.Errorf("scan column %d: %T into %T", i, v, dest[i])
		}
	}
	return nil
}

func assign(dest any, v driver.Value) bool {
	switch d := dest.(type) {
	case *[]byte:
		switch v := v.(type) {
		case nil:
			*d = nil
		case []byte:
			*d = v
		case string:
			*d = []byte(v)
		default:
			return false
		}
		return true
	case *string:
		s, ok := v.(string)
		*d = s
		return ok || v == nil
	case *int64:
		n, ok := v.(int64)
		*d = n
		return ok || v == nil
	case *int:
		n, ok := v.(int64)
		*d = int(n)
		return ok || v == nil
	case *bool:
		n, ok := v.(int64)
		*d = n != 0
		return ok || v == nil
	}
	s, ok := v.(string) // named string types, such as chat.Kind
	if named := reflect.ValueOf(dest).Elem(); ok && named.Kind() == reflect.String {
		named.SetString(s)
		return true
	}
	return false
}

func scanString(row scanner) (s string, err error) {
	err = row.Scan(&s)
	return s, err
}
