package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"modernc.org/sqlite"
)

// sqliteConn prepares each statement once.
//
// It speaks to the driver itself: [database/sql] between them has locks, pools and
// conversions that one goroutine with its own connection does not need.
//
// Statements run without the caller's context: the driver would start a goroutine for
// each, and what a request may ask for is bounded by its limits. Waiting for a
// connection or for the writer does obey the context.
type sqliteConn struct {
	raw   driver.Conn
	stmts map[string]statement
}

// statement is what the driver's prepared statements can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func newSQLiteConn(dsn string) (*sqliteConn, error) {
	raw, err := new(sqlite.Driver).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &sqliteConn{raw: raw, stmts: map[string]statement{}}, nil
}

func (c *sqliteConn) close() error {
	var errs []error
	for _, stmt := range c.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

func (c *sqliteConn) prepared(query string) (statement, error) {
	if stmt, ok := c.stmts[query]; ok {
		return stmt, nil
	}
	raw, err := c.raw.Prepare(keepsItsPlan.Replace(query))
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

// keepsItsPlan lets a prepared statement be run again as it is. Of a bare argument as its LIMIT
// SQLite looks at the value to plan, and so it plans the statement anew for each value that is bound,
// which costs more than most of our statements.
var keepsItsPlan = strings.NewReplacer("LIMIT ?", "LIMIT (? + 0)")

func (c *sqliteConn) exec(query string, args ...any) (int64, error) {
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

func (c *sqliteConn) put(query string, args ...any) error {
	_, err := c.exec(query, args...)
	return err
}

// insert is one statement for each row, which costs less than to make a list and take it apart again.
func (c *sqliteConn) insert(table string, columns []string, rows [][]any) error {
	return c.putEach("INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES (?"+strings.Repeat(", ?", len(columns)-1)+")", rows)
}

func (c *sqliteConn) update(table string, columns, key []string, rows [][]any) error {
	return c.putEach(updateOne(table, columns, key), rows)
}

func updateOne(table string, columns, key []string) string {
	return "UPDATE " + table + " SET " + strings.Join(columns, " = ?, ") + " = ? WHERE " + strings.Join(key, " = ? AND ") + " = ?"
}

func (c *sqliteConn) putEach(query string, rows [][]any) error {
	for _, row := range rows {
		if err := c.put(query, row...); err != nil {
			return err
		}
	}
	return nil
}

func (c *sqliteConn) ask(f func(scanner) error, query string, args ...any) error {
	return c.each(f, query, args...)
}

func (c *sqliteConn) each(f func(scanner) error, query string, args ...any) error {
	stmt, err := c.prepared(query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(context.Background(), values(args))
	if err != nil {
		return err
	}
	r := &row[driver.Value]{values: make([]driver.Value, len(rows.Columns()))}
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

// values converts args to what the driver takes.
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
