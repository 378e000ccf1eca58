package sql

import (
	"context"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/targets"
)

// A Dialect speaks the protocol of one kind of server.
type Dialect struct {
	Name    string   // PostgreSQL
	Schemes []string // of the URLs of its endpoints
	Formats []string // of its connections, as [targets.Wire] has them
	Port    uint16   // that its servers listen on unless they are told another
	Params  []string // that the query of a URL may have, besides those of every dialect
	Syntax  Syntax
	Copies  bool // it has sql.copy
	Listens bool // it has sql.listen

	// Begin begins a transaction; isolation is the level of standard SQL, or empty.
	Begin func(isolation string) string
	// IsCode reports whether a text names errors of the server.
	IsCode func(text string) bool
	// CodeHint shows how its errors are named.
	CodeHint string
	// Causes are those of its errors, by the numbers of their codes.
	Causes scenarios.CauseFamily
	// Temporary reports whether the error with a number may be followed by a good answer.
	Temporary func(number int32) bool
	// Connect prepares connections to the servers of an endpoint. It returns a function that opens one and logs in.
	Connect func(o *targets.Options, at *Location) (func(ctx context.Context, n uint64) (Conn, error), error)
	// Command writes a sample as a command for a POSIX shell.
	Command func(*result.Sent) string
	// Script writes a statement with its arguments as the client program of the dialect reads it.
	Script func(s *Statement, args [][]byte) string
}

// A Conn is a connection to a server, used by one call at a time: a pointer that is a [targets.Pooled].
type Conn interface {
	Close() error
	Terms() *targets.Lease
	// Cut closes the connection at once, while another goroutine uses it.
	Cut()
	// Until sets the deadline on the run's clock, which may be late by slack.
	Until(deadline, slack time.Duration)
	// Run sends a statement and reads the answer into r. Of arguments, nil is NULL. An error of the server is no error
	// of Run. It returns h1.ErrStale if the connection was closed before anything was sent.
	Run(s *Statement, args [][]byte, r *Result) error
	// Usable reports whether another statement may be sent.
	Usable() bool
	// Idle reports whether another call may use the connection: it is usable, and no transaction is open.
	Idle() bool
}

// A Failure is an error that a server answers with.
type Failure struct {
	Code   string // as the server names it; empty: there is none
	Text   string
	Number int32           // of the code; see [State], or that of the code itself
	Cause  scenarios.Cause // of an outcome
}
