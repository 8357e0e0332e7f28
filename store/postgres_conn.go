package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresConn is one connection while a transaction has it. Statements whose result nobody needs yet
// wait for the next one, and are sent with it: that saves a round trip for each.
type postgresConn struct {
	ctx     context.Context // of the transaction
	pooled  *pgxpool.Conn
	raw     *pgx.Conn
	waiting []postgresStatement
	sent    int   // how often something was sent
	failed  error // the first error of a statement; nothing works after it but the end of the transaction
}

type postgresStatement struct {
	query string // with $1, $2 …
	args  []any
	rows  func(scanner) error // nil: it has none
}

// put sends a statement with the next one.
func (c *postgresConn) put(query string, args ...any) error {
	c.waiting = append(c.waiting, postgresStatement{query: numbered(query), args: numbers(args)})
	return nil
}

// ask is put for a query.
func (c *postgresConn) ask(f func(scanner) error, query string, args ...any) error {
	c.waiting = append(c.waiting, postgresStatement{numbered(query), numbers(args), f})
	return nil
}

func (c *postgresConn) insert(table string, columns []string, rows [][]any) error {
	return c.putAll("INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") SELECT * FROM ", "", rows)
}

func (c *postgresConn) update(table string, columns, key []string, rows [][]any) error {
	set, where := make([]string, len(columns)), make([]string, len(key))
	for i, name := range columns {
		set[i] = name + " = l." + name
	}
	for i, name := range key {
		where[i] = table + "." + name + " = l." + name
	}
	return c.putAll("UPDATE "+table+" SET "+strings.Join(set, ", ")+" FROM ",
		" l("+strings.Join(slices.Concat(columns, key), ", ")+") WHERE "+strings.Join(where, " AND "), rows)
}

// putAll is put for a statement about a table of rows, which is named between its two parts. Each
// column of it is one argument.
func (c *postgresConn) putAll(before, after string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	for _, row := range rows {
		numbers(row)
	}
	args, lists := make([]any, len(rows[0])), make([]string, len(rows[0]))
	for i, first := range rows[0] {
		if _, number := first.(int64); number {
			args[i], lists[i] = column[int64](rows, i), fmt.Sprintf("$%d::bigint[]", i+1)
		} else {
			args[i], lists[i] = column[string](rows, i), fmt.Sprintf("$%d::text[]", i+1)
		}
	}
	c.waiting = append(c.waiting, postgresStatement{query: before + "unnest(" + strings.Join(lists, ", ") + ")" + after, args: args})
	return nil
}

// column is the values of one column; nil is NULL.
func column[T any](rows [][]any, i int) []*T {
	values := make([]*T, len(rows))
	for r, row := range rows {
		if v, there := row[i].(T); there {
			values[r] = &v
		}
	}
	return values
}

// later is put for what has no arguments.
func (c *postgresConn) later(statement string) {
	c.waiting = append(c.waiting, postgresStatement{query: statement})
}

func (c *postgresConn) exec(query string, args ...any) (changed int64, err error) {
	err = c.send(func(results pgx.BatchResults) error {
		tag, err := results.Exec()
		changed = tag.RowsAffected()
		return err
	}, query, args)
	return changed, err
}

func (c *postgresConn) each(f func(scanner) error, query string, args ...any) error {
	return c.send(func(results pgx.BatchResults) error { return eachRow(results, f) }, query, args)
}

// eachRow calls f with each row of the next result. An error of the statement comes with the end of the
// results.
func eachRow(results pgx.BatchResults, f func(scanner) error) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		for i, v := range values {
			if n, ok := v.(int32); ok {
				values[i] = int64(n)
			}
		}
		if err := f(&row[any]{values}); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// send sends what waits, and then a query whose result is taken by use.
func (c *postgresConn) send(use func(pgx.BatchResults) error, query string, args []any) error {
	batch := &pgx.Batch{}
	for _, statement := range c.waiting {
		batch.Queue(statement.query, statement.args...)
	}
	batch.Queue(numbered(query), numbers(args)...)
	waited := c.waiting
	c.waiting = nil
	c.sent++
	results := c.raw.SendBatch(c.ctx, batch)
	var err, used error // of a statement, and of what was done with rows
	for _, statement := range waited {
		var one error
		if statement.rows == nil {
			_, one = results.Exec()
		} else if err == nil {
			used = cmp.Or(used, eachRow(results, statement.rows))
		}
		err = cmp.Or(err, one)
	}
	if err == nil && used == nil {
		used = use(results)
	}
	if end := results.Close(); err == nil {
		err = end
	}
	if err != nil && c.failed == nil {
		c.failed = err
	}
	return cmp.Or(err, used)
}

// giveBack ends a transaction that has not been committed, and the borrowing.
func (c *postgresConn) giveBack() {
	if c.raw.PgConn().TxStatus() != 'I' {
		// A connection that is broken is thrown away by the pool.
		_, _ = c.raw.Exec(context.WithoutCancel(c.ctx), "ROLLBACK")
	}
	c.pooled.Release()
}

// numbers makes numbers of what is stored as such.
func numbers(args []any) []any {
	for i, arg := range args {
		switch v := arg.(type) {
		case bool:
			args[i] = int64(0)
			if v {
				args[i] = int64(1)
			}
		case int:
			args[i] = int64(v)
		}
	}
	return args
}

var numberedQueries sync.Map // of string to string; all queries are constants of this package

// numbered writes $1, $2 … for each ? of a query.
func numbered(query string) string {
	if done, ok := numberedQueries.Load(query); ok {
		return done.(string)
	}
	parts := strings.Split(query, "?")
	var out strings.Builder
	for i, part := range parts {
		if i > 0 {
			out.WriteByte('$')
			out.WriteString(strconv.Itoa(i))
		}
		out.WriteString(part)
	}
	numberedQueries.Store(query, out.String())
	return out.String()
}

// worthRepeating reports whether a transaction failed only because of what others did meanwhile:
// it could not be ordered among theirs, they waited for each other, or somebody was faster to make
// the same row.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
func worthRepeating(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01" || e.Code == "23505")
}

// postgresFails reports whether the database could not do its work at all: it cannot be reached,
// stops, is read-only, has no room or took too long. The error is one of a statement.
func postgresFails(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return true // of the connection
	}
	switch e.Code[:2] {
	case "08", "53", "57", "58", "XX": // connection, resources, intervention, system, internal
		return true
	}
	return e.Code == "25006" || e.Code == "25P03" || e.Code == "55P03" // read only, idle in transaction, waited for a lock too long
}
