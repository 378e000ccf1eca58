package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"
	"brunt/targets/sql"

	"github.com/jackc/pgx/v5/pgconn"
)

// connector opens connections to the servers of an endpoint.
type connector struct {
	o       *targets.Options
	at      *sql.Location
	base    *pgconn.Config
	servers []*pgconn.FallbackConfig
	tls     *tls.Config  // nil: no TLS
	first   atomic.Int64 // number of the server to try first: the last one that met the requirements
}

// sessionAttrs maps the values of target_session_attrs to the answers to askRole that fit.
var sessionAttrs = map[string][]string{
	"": nil, "any": nil, "primary": {"f off", "f on"}, "standby": {"t on"}, "read-write": {"f off"},
	"read-only": {"t on", "f on"},
}

// askRole asks a server whether it is a standby, and whether it accepts no writes.
const askRole = "select pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only')"

// connect prepares connections to the servers of an endpoint.
func connect(o *targets.Options, at *sql.Location) (func(ctx context.Context, n uint64) (sql.Conn, error), error) {
	k := &connector{o: o, at: at}
	if wanted := at.Params["target_session_attrs"]; wanted != "" && sessionAttrs[wanted] == nil && wanted != "any" {
		return nil, fmt.Errorf("target_session_attrs=%s: there are any, primary, standby, read-write and read-only", wanted)
	}
	var err error
	if k.tls, err = at.TLSConfig(o); err != nil {
		return nil, err
	}
	// All settings are given, so that the environment and the files of the user have no influence.
	const given = "host=127.0.0.1 port=5432 user=x password=x dbname=x sslmode=disable sslnegotiation=postgres " +
		"channel_binding=prefer " +
		"min_protocol_version=3.0 max_protocol_version=3.0 target_session_attrs=any passfile=/"
	if k.base, err = pgconn.ParseConfig(given); err != nil {
		return nil, err
	}
	if k.base.RequireAuth = ""; k.tls == nil {
		k.base.RequireAuth = "!password" // a password is not sent in plain text
	}
	k.base.User, k.base.Password, k.base.Database = at.User, at.Password, at.Database
	k.base.RuntimeParams = map[string]string{"application_name": "brunt"}
	for name, value := range at.Params {
		if name != "target_session_attrs" {
			k.base.RuntimeParams[name] = value
		}
	}
	// The network resolves addresses.
	k.base.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	k.base.ConnectTimeout = 0
	// The driver allocates the length that a message declares before the message comes.
	k.base.MaxProtocolMessageBodyLen = h1.MaxBody
	for _, address := range at.Addresses {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("%s has no valid port", address)
		}
		k.servers = append(k.servers, &pgconn.FallbackConfig{Host: host, Port: uint16(number)})
	}
	return k.open, nil
}

// attempt is one attempt to open a connection.
type attempt struct {
	*connector
	n     uint64
	tried int      // number of servers tried so far
	conn  *h1.Conn // to the server that was tried last
	login *loginConn
	other error // why a server that accepted the login does not meet the requirements
}

// dial connects to a server, with TLS if the endpoint requires it.
func (a *attempt) dial(ctx context.Context, _, address string) (net.Conn, error) {
	a.tried++
	var err error
	if a.conn, err = h1.Dial(ctx, a.o, address, a.n); err != nil {
		return nil, err
	}
	if a.tls != nil {
		if err := a.secure(ctx, address); err != nil {
			_ = a.conn.Raw.Close()
			return nil, err
		}
	}
	targets.StagesOf(ctx).Enter(scenarios.InLogin)
	a.login = &loginConn{Conn: a.conn.Conn}
	return a.login, nil
}

// secure asks the server for TLS and makes the handshake.
func (a *attempt) secure(ctx context.Context, address string) error {
	targets.StagesOf(ctx).Enter(scenarios.InTLS)
	until, _ := ctx.Deadline()
	_ = a.conn.SetDeadline(until)
	defer context.AfterFunc(ctx, func() { _ = a.conn.Raw.SetDeadline(time.Now()) })()
	answer := make([]byte, 1)
	_, err := a.conn.Raw.Write([]byte{0, 0, 0, 8, 4, 210, 22, 47}) // SSLRequest
	if err == nil {
		_, err = io.ReadFull(a.conn.Raw, answer)
	}
	switch {
	case err != nil:
		return err
	case answer[0] != 'S':
		return &targets.TLSError{Err: errors.New("the server refuses TLS")}
	}
	by := a.tls.Clone()
	if by.ServerName == "" {
		by.ServerName, _, _ = net.SplitHostPort(address)
	}
	return a.conn.Secure(ctx, by)
}

// A loginConn is the connection that pgconn uses until the login is over.
//
// Subtle: if a write takes long, pgconn reads in a goroutine, which may still wait for bytes after the login. It
// would take the first bytes of the first answer.
type loginConn struct {
	net.Conn
	mu      sync.Mutex
	over    bool
	reading sync.WaitGroup
}

func (c *loginConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return 0, os.ErrDeadlineExceeded
	}
	c.reading.Add(1)
	c.mu.Unlock()
	defer c.reading.Done()
	return c.Conn.Read(b)
}

// end ends every read.
func (c *loginConn) end() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	_ = c.Conn.SetReadDeadline(time.Now())
	c.reading.Wait()
	_ = c.Conn.SetDeadline(time.Time{})
}

// open opens connection n to the first server that meets target_session_attrs, and logs in.
func (k *connector) open(ctx context.Context, n uint64) (sql.Conn, error) {
	a, cfg := &attempt{connector: k, n: n}, k.base.Copy()
	cfg.DialFunc = a.dial
	from := int(k.first.Load())
	order := slices.Concat(k.servers[from:], k.servers[:from])
	cfg.Host, cfg.Port, cfg.Fallbacks = order[0].Host, order[0].Port, order[1:]
	// A server that never answers must not hide the others.
	if until, bounded := ctx.Deadline(); bounded && len(order) > 1 {
		cfg.ConnectTimeout = time.Until(until)/time.Duration(len(order)) + 1
	}
	wanted := k.at.Params["target_session_attrs"]
	fits := sessionAttrs[wanted]
	if fits != nil {
		cfg.ValidateConnect = a.validate(fits)
	}
	pg, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, a.explain(ctx, err)
	}
	if fits != nil {
		k.first.Store(int64((from + a.tried - 1) % len(k.servers)))
	}
	own, err := pg.Hijack()
	if err != nil {
		return nil, err
	}
	a.login.end()
	if k.tls == nil {
		a.conn.GoDirect()
	}
	return &connection{
		Conn: a.conn, o: k.o, keeps: k.at.Prepare, prepared: map[*sql.Statement]*prepared{}, state: own.TxStatus,
		writes: wanted == "primary" || wanted == "read-write",
	}, nil
}

// readOnly is the SQLSTATE of a server that refuses writes.
const readOnly = "25006"

// validate returns a function that accepts a server by its answer to askRole.
func (a *attempt) validate(fits []string) pgconn.ValidateConnectFunc {
	return func(ctx context.Context, c *pgconn.PgConn) error {
		all, err := c.Exec(ctx, askRole).ReadAll()
		if err != nil {
			return err
		}
		is := ""
		if len(all) == 1 && len(all[0].Rows) == 1 && len(all[0].Rows[0]) == 2 {
			is = string(all[0].Rows[0][0]) + " " + string(all[0].Rows[0][1])
		}
		if slices.Contains(fits, is) {
			return nil
		}
		a.other = &targets.Error{
			Cause: sql.States().Cause(sql.State(readOnly)),
			Text:  "no server is " + a.at.Params["target_session_attrs"],
		}
		return a.other
	}
}

// loginError is a login that failed. Its text is one line.
type loginError struct{ err error }

func (e *loginError) Error() string { return strings.Join(strings.Fields(e.err.Error()), " ") }
func (e *loginError) Unwrap() error { return e.err }

// explain returns the error of the attempt, with its cause.
func (a *attempt) explain(ctx context.Context, err error) error {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return &targets.Error{
			Cause: sql.States().Cause(sql.State(refused.Code)),
			Text:  "the login is refused: " + refused.Code + ": " + refused.Message,
		}
	}
	if a.other != nil && ctx.Err() == nil {
		return a.other
	}
	return targets.SharedTimeout(ctx, &loginError{err})
}
