package mysql

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/sql"

	"github.com/go-sql-driver/mysql"
)

// connector opens connections to the servers of an endpoint.
type connector struct {
	o      *targets.Options
	at     *sql.Location
	tls    *tls.Config // nil: no TLS
	writes bool        // a server must accept writes

	first atomic.Int64 // number of the server to try first: the last one that accepted writes
}

// silent drops the log of the driver, because the driver also returns its errors.
type silent struct{}

func (silent) Print(...any) {}

// connect prepares connections to the servers of an endpoint.
func connect(o *targets.Options, at *sql.Location) (func(ctx context.Context, n uint64) (sql.Conn, error), error) {
	k := &connector{o: o, at: at}
	switch wanted := at.Params["target_session_attrs"]; wanted {
	case "", "any":
	case "read-write":
		k.writes = true
	default:
		return nil, fmt.Errorf("target_session_attrs=%s: there are any and read-write", wanted)
	}
	var err error
	k.tls, err = at.TLSConfig(o)
	return k.open, err
}

// open opens connection n to the first server that meets the requirements, and logs in.
func (k *connector) open(ctx context.Context, n uint64) (sql.Conn, error) {
	var first *atomic.Int64
	if k.writes {
		first = &k.first
	}
	return targets.TryEach(ctx, k.at.Addresses, first,
		func(ctx context.Context, address string) (sql.Conn, error) { return k.try(ctx, address, n) })
}

// readOnly is the number of the error of a server that refuses writes.
const readOnly = 1290

// rsaPassword is a method of logging in for which the driver must know of TLS: over TLS the server wants the password
// itself, and the driver asks for a key to encrypt it.
const (
	rsaPassword = "sha256_password"
	rsaAdvice   = "brunt can't log in by " + rsaPassword + " over TLS: use sslmode=disable, by which the password is " +
		"encrypted with the server's key, or ALTER USER … IDENTIFIED WITH caching_sha2_password"
)

// try opens connection n to a server.
func (k *connector) try(ctx context.Context, address string, n uint64) (sql.Conn, error) {
	c := &connection{o: k.o, keeps: k.at.Prepare, prepared: map[*sql.Statement]driver.Stmt{}, writes: k.writes}
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName, cfg.Net, cfg.Addr = k.at.User, k.at.Password, k.at.Database, "tcp", address
	cfg.MultiStatements, cfg.Logger, cfg.AllowCleartextPasswords = true, silent{}, k.tls != nil
	var secure *tls.Config
	if k.tls != nil {
		cfg.Net = "unix" // the driver may send a password to a server that asks for it: the wire encrypts it
		secure = k.tls.Clone()
		if secure.ServerName == "" {
			secure.ServerName, _, _ = net.SplitHostPort(address)
		}
	}
	cfg.DialFunc = func(ctx context.Context, _, address string) (net.Conn, error) {
		raw, err := k.o.Network.Dial(ctx, address, n)
		if err != nil {
			return nil, err
		}
		t, ok := raw.(*net.TCPConn)
		if !ok {
			_ = raw.Close()
			return nil, fmt.Errorf("the network opened a %T, and TCP is wanted", raw)
		}
		stages := targets.StagesOf(ctx)
		c.wire = &wire{TCPConn: t, over: t, tls: secure, now: k.o.Now, stage: stages.Enter}
		stages.Enter(scenarios.InLogin)
		return c.wire, nil
	}
	by, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	if err := c.login(ctx, by); err != nil {
		if c.wire != nil { // the driver has closed it, unless it panicked
			_ = c.wire.Close()
		}
		return nil, c.refused(ctx, err)
	}
	if k.writes {
		if err := c.takesWrites(ctx); err != nil {
			_ = c.Close()
			return nil, c.refused(ctx, err)
		}
	}
	return c, nil
}

// login makes the driver open the connection. Some greetings make the driver panic.
func (c *connection) login(ctx context.Context, by driver.Connector) (err error) {
	defer scenarios.Recover(&err)
	c.conn, err = by.Connect(ctx)
	return err
}

// takesWrites asks the server whether it accepts writes.
func (c *connection) takesWrites(ctx context.Context) error {
	rows, err := c.conn.(driver.QueryerContext).QueryContext(ctx, "select @@global.read_only", nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	is := make([]driver.Value, 1)
	if err := rows.Next(is); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if text := fmt.Sprintf("%s", is[0]); text != "0" && fmt.Sprint(is[0]) != "0" {
		return &targets.Error{Cause: causes.Cause(readOnly), Text: "no server is read-write"}
	}
	return nil
}

// refused returns the error of a login, with its cause.
func (c *connection) refused(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if own, ok := errors.AsType[*mysql.MySQLError](err); ok {
		text := fmt.Sprintf("the login is refused: %d: %s", own.Number, own.Message)
		if c.wire != nil && c.wire.replies.method == rsaPassword {
			if _, secure := c.wire.over.(*tls.Conn); secure {
				text += "; " + rsaAdvice
			}
		}
		return &targets.Error{Cause: causes.Cause(int32(own.Number)), Text: text}
	}
	if c.wire != nil && c.wire.err != nil {
		err = c.wire.err
	}
	if _, bad := errors.AsType[*tls.CertificateVerificationError](err); bad || errors.Is(err, mysql.ErrNoTLS) {
		return &targets.TLSError{Err: err}
	}
	return c.why(err)
}
