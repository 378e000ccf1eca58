package mysql

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios/check"
	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/sql"

	"github.com/go-sql-driver/mysql"
)

// connection is one to a server.
type connection struct {
	targets.Lease
	o        *targets.Options
	conn     driver.Conn
	wire     *wire
	keeps    bool // statements are prepared and kept
	prepared map[*sql.Statement]driver.Stmt
	answered time.Duration // when the last answer ended
	noted    bool          // the times of the present answer are recorded
	lost     bool          // no further statement is possible
	writes   bool          // the endpoint requires a server that accepts writes
	demoted  bool          // the server no longer accepts writes
	busy     atomic.Bool   // a goroutine uses or has closed the driver's connection
	closing  sync.Once     // closes the driver's connection, which is not safe for concurrent use
}

// farewellTime is how long a closing connection waits at most to send its last message.
const farewellTime = 50 * time.Millisecond

// Cut implements [sql.Conn]. If a call is in progress, the driver's connection is closed when the call ends.
func (c *connection) Cut() {
	_ = c.wire.TCPConn.Close()
	if c.busy.CompareAndSwap(false, true) {
		_ = c.end()
	}
}

// end closes the driver's connection, once: a call that has ended may close it at the same time as Cut.
func (c *connection) end() (err error) {
	c.closing.Do(func() { err = c.conn.Close() })
	return err
}

// Close ends the connection in order.
func (c *connection) Close() error {
	c.busy.Store(true)
	c.lost = true
	_ = c.wire.SetDeadline(time.Now().Add(farewellTime))
	return c.end()
}

func (c *connection) Usable() bool { return !c.lost }

// Idle implements [sql.Conn]. A server that no longer accepts writes is not the one that the endpoint requires.
func (c *connection) Idle() bool { return !c.lost && !c.demoted && !c.wire.replies.within() }

func (c *connection) Run(x *calls.Progress, s *sql.Statement, args [][]byte, r *sql.Result) error {
	if !c.busy.CompareAndSwap(false, true) {
		return targets.ErrAborted
	}
	defer c.busy.Store(false)
	_ = c.wire.SetDeadline(c.o.T0.Add(x.It.Deadline))
	c.wire.reset()
	c.wire.bytes = 0
	if c.Used && !c.wire.replies.within() && c.conn.(driver.SessionResetter).ResetSession(context.Background()) != nil {
		c.lost = true
		return targets.ErrStale
	}
	c.noted = false
	err := c.run(x, s, args, r)
	c.note(x)
	if own, ok := errors.AsType[*mysql.MySQLError](err); ok {
		number := int32(own.Number)
		r.Failure = sql.Failure{
			Code: strconv.Itoa(int(number)), Text: own.Message, Number: number, Cause: causes.Cause(number),
		}
		c.lost = c.lost || farewells[number]
		c.demoted = c.demoted || c.writes && refusesWrites[number]
		return nil
	}
	if err != nil {
		c.lost = true
		if err = c.why(err); c.Used && c.wire.wrote && c.wire.first == 0 {
			return targets.Ended(err, c.wire.sent, c.wire.sent-c.answered, c.o.Now()-c.wire.sent)
		}
		return err
	}
	return nil
}

// note records the times of the answer, which ends now, unless it is done.
func (c *connection) note(x *calls.Progress) {
	if c.noted {
		return
	}
	c.noted = true
	if c.wire.wrote {
		x.Wrote(c.wire.sent)
	}
	if c.wire.first != 0 {
		x.Came(c.wire.first, 0)
		c.answered = x.Now()
		x.Out.End = c.answered
	}
	x.Out.Bytes += c.wire.bytes
}

// farewells are the numbers of errors with which a server ends a connection: the server stops, or the connection was
// killed or idle for too long.
var farewells = map[int32]bool{1053: true, 1927: true, 3169: true, 4031: true}

// refusesWrites are the numbers of errors of a server that accepts no writes.
var refusesWrites = map[int32]bool{readOnly: true, 1836: true}

// why returns the error of the socket in place of the driver's error, which gives no reason.
func (c *connection) why(err error) error {
	if w := c.wire; w != nil && w.err != nil &&
		(errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn)) {
		return w.err
	}
	return err
}

// run sends a statement and reads its answer.
func (c *connection) run(x *calls.Progress, s *sql.Statement, args [][]byte, r *sql.Result) error {
	ctx := context.Background() // the socket has the deadline
	returns := s.Form != sql.Simple && (s.Returning || returning[s.Verb])
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
				c.wire.wrote = false // only the preparation was written so far
			}
			return err
		}
		if c.keeps {
			c.prepared[s] = p
		} else {
			defer func() { // Close writes again, so the times are recorded before
				c.note(x)
				_ = p.Close()
			}()
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

// returning are the verbs of statements that return rows.
var returning = map[string]bool{
	"select": true, "show": true, "values": true, "table": true, "describe": true, "desc": true, "explain": true,
	"analyze": true, "check": true,
	"call": true, "optimize": true, "repair": true, "checksum": true, "help": true,
}

// affected records the effect of a statement without rows.
func affected(done driver.Result, err error, r *sql.Result) error {
	if err != nil {
		return err
	}
	r.Affected, err = done.RowsAffected()
	return err
}

// read reads rows, and keeps them if keep is true. The error of a procedure may follow the rows.
func read(rows driver.Rows, err error, keep bool, r *sql.Result) error {
	if err != nil {
		return err
	}
	names := rows.Columns()
	r.Returns = len(names) > 0
	err = take(rows, names, keep, r)
	if end := rows.Close(); err == nil {
		err = end
	}
	return err
}

// take reads rows to their end.
func take(rows driver.Rows, names []string, keep bool, r *sql.Result) error {
	row := make([]driver.Value, len(names))
	for {
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
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

// value converts a value to a type of JSON.
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
			if doc, err := check.ParseValue(text); err == nil {
				return doc
			}
			return text
		default:
			return text
		}
	}
	return v
}
