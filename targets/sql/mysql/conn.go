package mysql

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"
	"brunt/targets/sql"

	"github.com/go-sql-driver/mysql"
	"github.com/ohler55/ojg/oj"
)

// connection is one to a server.
type connection struct {
	targets.Lease
	o        *targets.Options
	conn     driver.Conn
	wire     *wire
	keeps    bool // prepared statements
	prepared map[*sql.Statement]driver.Stmt
	within   bool        // a transaction
	lost     bool        // no statement may follow
	busy     atomic.Bool // a goroutine uses or has closed the driver's connection
}

// farewellTime is the longest that a connection that ends waits for room to say so.
const farewellTime = 50 * time.Millisecond

// Cut implements [sql.Conn]. The driver's connection of a call under way is closed at its end.
func (c *connection) Cut() {
	_ = c.wire.TCPConn.Close()
	if c.busy.CompareAndSwap(false, true) {
		_ = c.conn.Close()
	}
}

// Close ends the connection in order.
func (c *connection) Close() error {
	c.busy.Store(true)
	c.lost = true
	_ = c.wire.SetDeadline(time.Now().Add(farewellTime))
	return c.conn.Close()
}

// Until implements [sql.Conn].
func (c *connection) Until(deadline, _ time.Duration) { _ = c.wire.SetDeadline(c.o.T0.Add(deadline)) }

// Usable implements [sql.Conn].
func (c *connection) Usable() bool { return !c.lost }

// Idle implements [sql.Conn].
func (c *connection) Idle() bool { return !c.lost && !c.within }

// Run implements [sql.Conn].
func (c *connection) Run(s *sql.Statement, args [][]byte, r *sql.Result) error {
	if !c.busy.CompareAndSwap(false, true) {
		return targets.ErrAborted
	}
	defer c.busy.Store(false)
	c.wire.reset()
	c.wire.bytes = 0
	if c.Used && !c.within && c.conn.(driver.SessionResetter).ResetSession(context.Background()) != nil {
		c.lost = true
		return h1.ErrStale
	}
	err := c.run(s, args, r)
	r.Sent, r.First, r.WasSent, r.Bytes, r.End = c.wire.sent, c.wire.first, c.wire.wrote, c.wire.bytes, c.o.Now()
	if own, ok := errors.AsType[*mysql.MySQLError](err); ok {
		number := int32(own.Number)
		r.Failure = sql.Failure{Code: strconv.Itoa(int(number)), Text: own.Message, Number: number, Cause: scenarios.MySQLError(number)}
		c.lost = c.lost || number == killed || number == stopped
		return nil
	}
	if err != nil {
		c.lost = true
		return c.why(err)
	}
	switch {
	case s.Form == sql.Simple && strings.HasSuffix(s.Text, start):
		c.within = true
	case s.Form == sql.Simple && (s.Text == "commit" || s.Text == "rollback"):
		c.within = false
	}
	return nil
}

// The numbers of errors with which a server ends a connection.
const (
	killed  = 1927
	stopped = 1053
)

// why returns the error of the socket in place of the driver's, which says only that there was one.
func (c *connection) why(err error) error {
	if w := c.wire; w != nil && w.err != nil && (errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn)) {
		return w.err
	}
	return err
}

// run sends a statement and reads its answer.
func (c *connection) run(s *sql.Statement, args [][]byte, r *sql.Result) error {
	ctx := context.Background() // the deadline is that of the socket
	returns := s.Form != sql.Simple && returnsRows(s.Text)
	if len(args) == 0 {
		if !returns {
			done, err := c.conn.(driver.ExecerContext).ExecContext(ctx, s.Text, nil)
			return affected(done, err, r)
		}
		rows, err := c.conn.(driver.QueryerContext).QueryContext(ctx, s.Text, nil)
		return read(rows, err, s.Keep, r)
	}
	p, known := c.prepared[s]
	if !known {
		var err error
		if p, err = c.conn.Prepare(s.Text); err != nil {
			if _, answered := errors.AsType[*mysql.MySQLError](err); !answered {
				c.wire.wrote = false // what was written is no statement yet
			}
			return err
		}
		if c.keeps {
			c.prepared[s] = p
		} else {
			defer p.Close()
		}
		c.wire.reset()
	}
	values := make([]driver.NamedValue, len(args))
	for i, a := range args {
		if values[i].Ordinal = i + 1; a != nil {
			values[i].Value = string(a)
		}
	}
	if !returns {
		done, err := p.(driver.StmtExecContext).ExecContext(ctx, values)
		return affected(done, err, r)
	}
	rows, err := p.(driver.StmtQueryContext).QueryContext(ctx, values)
	return read(rows, err, s.Keep, r)
}

// returnsRows reports whether a statement returns rows, by its words.
func returnsRows(text string) bool {
	text = strings.ToLower(strings.TrimLeft(text, "( \t\r\n"))
	for _, verb := range []string{"select", "show", "with", "values", "table", "describe", "desc", "explain", "analyze", "check", "call"} {
		if rest, ok := strings.CutPrefix(text, verb); ok && (rest == "" || !(rest[0] == '_' || rest[0] >= 'a' && rest[0] <= 'z')) {
			return true
		}
	}
	return strings.Contains(text, "returning")
}

// affected notes what a statement without rows did.
func affected(done driver.Result, err error, r *sql.Result) error {
	if err != nil {
		return err
	}
	r.Affected, err = done.RowsAffected()
	return err
}

// read reads rows, and keeps them if they are looked into.
func read(rows driver.Rows, err error, keep bool, r *sql.Result) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	names := rows.Columns()
	r.Returns = len(names) > 0
	row := make([]driver.Value, len(names))
	for {
		if err := rows.Next(row); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if r.Rows++; !keep {
			continue
		}
		size := 0
		for _, v := range row {
			if b, ok := v.([]byte); ok {
				size += len(b)
			}
		}
		err := r.Keep(size, len(row), func() any {
			m := make(map[string]any, len(row))
			for i, name := range names {
				m[name] = value(rows.(driver.RowsColumnTypeDatabaseTypeName).ColumnTypeDatabaseTypeName(i), row[i])
			}
			return m
		})
		if err != nil {
			return err
		}
	}
}

// value returns a value as JSON has it.
func value(kind string, v driver.Value) any {
	switch v := v.(type) {
	case float32:
		return float64(v)
	case []byte:
		switch text := string(v); kind {
		case "DECIMAL":
			if json.Valid(v) {
				return json.Number(text)
			}
			return text
		case "JSON":
			if doc, err := oj.ParseString(text); err == nil {
				return doc
			}
			return text
		default:
			return text
		}
	}
	return v
}
