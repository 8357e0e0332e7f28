package store

import (
	"errors"
	"fmt"
	"io"
	"reflect"
)

// conn is one connection to a database. It is used by one goroutine at a time.
//
// Statements have ? for each argument, which is nil, an int64, int, bool, string or []byte.
// A bool is stored as 0 or 1.
type conn interface {
	// exec returns how many rows it changed.
	exec(query string, args ...any) (int64, error)

	// ask is each, but f may be called as late as during the next statement with a result, which may be
	// the one that commits.
	ask(f func(scanner) error, query string, args ...any) error

	// insert puts rows into a table. Each has the values of columns. Its error may come from a later
	// statement.
	insert(table string, columns []string, rows [][]any) error

	// update sets columns of rows of a table. Each of rows has the values of columns, and then those of
	// the columns named key, by which the row is found. Its error may come from a later statement.
	update(table string, columns, key []string, rows [][]any) error

	// put is exec for a statement of which nobody asks how many rows it changed. Its error may come
	// from a later statement.
	put(query string, args ...any) error

	// each calls f with each row. A row is valid during the call only, except one for which f
	// returns io.EOF, which ends the query.
	each(f func(scanner) error, query string, args ...any) error
}

// dialect is what databases say differently of the same query.
type dialect struct {
	// texts is a table with the column value, of an argument made by list.
	texts string
	// rows is a table of an argument made by list of slices. Its value->>0 is the first column
	// as text, CAST(value->>1 AS BIGINT) the second as a number.
	rows string
	// firstMembers selects memberColumns, see FirstMembers.
	firstMembers string
	// forUpdate locks the rows that a query selects. Empty: one writer writes alone.
	forUpdate string
}

// list makes one argument of many.
func list[T any](items []T) string { return string(encode(items)) }

// first returns the first row of a query. If there is none, scanning it returns errNoRow.
func first(c conn, query string, args ...any) scanner {
	var r scanner = failed{errNoRow}
	err := c.each(func(next scanner) error {
		r = next
		return io.EOF
	}, query, args...)
	if err != nil {
		return failed{err}
	}
	return r
}

// collect scans each row of a query.
func collect[T any](c conn, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	list := []T{}
	err := c.each(func(r scanner) error {
		item, err := scan(r)
		list = append(list, item)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// collectMap is collect for rows of which each is found by something of it.
func collectMap[K comparable, V any](c conn, scan func(scanner) (K, V, error), query string, args ...any) (map[K]V, error) {
	m := map[K]V{}
	err := c.each(func(r scanner) error {
		key, value, err := scan(r)
		m[key] = value
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return m, nil
}

var errNoRow = errors.New("no row")

// found turns errNoRow into false.
func found(err error) (bool, error) {
	if errors.Is(err, errNoRow) {
		return false, nil
	}
	return err == nil, err
}

// scanner is a row, or the error that there is none. Scan copies the columns into strings,
// integers, bools and []byte, and types made of these. NULL is zero.
type scanner interface{ Scan(dest ...any) error }

// failed is a scanner that returns err.
type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }

// row is a scanner of what a driver returns: nil, int64, bool, string or []byte.
type row[V any] struct{ values []V }

func (r *row[V]) Scan(dest ...any) error {
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

func assign(dest, v any) bool {
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
		if b, ok := v.(bool); ok {
			*d = b
			return true
		}
		n, ok := v.(int64)
		*d = n != 0
		return ok || v == nil
	}
	return assignNamed(reflect.ValueOf(dest).Elem(), v)
}

// assignNamed is for types such as chat.Kind and chat.Tag.
func assignNamed(dest reflect.Value, v any) bool {
	switch v := v.(type) {
	case nil:
		dest.SetZero()
	case string:
		if dest.Kind() != reflect.String {
			return false
		}
		dest.SetString(v)
	case int64:
		if !dest.CanInt() {
			return false
		}
		dest.SetInt(v)
	default:
		return false
	}
	return true
}

func scanString(row scanner) (s string, err error) {
	err = row.Scan(&s)
	return s, err
}

func scanNumber(row scanner) (key string, n int64, err error) {
	err = row.Scan(&key, &n)
	return key, n, err
}
