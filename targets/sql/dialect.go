package sql

import (
	"context"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/targets"
	"brunt/targets/calls"
)

// A Dialect speaks the protocol of one kind of server.
type Dialect struct {
	Name    string   // PostgreSQL
	Schemes []string // of the URLs of its endpoints
	Formats []string // formats of its connections, see [targets.Wire]
	Port    uint16   // default port of its servers
	Params  []string // parameters that the query of a URL may have, besides those of every dialect
	Syntax  Syntax
	Copies  bool // it has sql.copy
	Listens bool // it has sql.listen

	// Begin returns the statement that begins a transaction. Isolation is a level of standard SQL, or empty.
	Begin func(isolation string) string
	// IsCode reports whether a text is the code of an error, or of a class of errors.
	IsCode func(text string) bool
	// CodeHint shows the form of error codes.
	CodeHint string
	// Causes are the causes of its errors, by the numbers of their codes.
	Causes scenarios.CauseFamily
	// Temporary reports whether another try may succeed after the error with a number.
	Temporary func(number int32) bool
	// Connect prepares connections to the servers of an endpoint. It returns a function that opens one and logs in.
	Connect func(o *targets.Options, at *Location) (func(ctx context.Context, n uint64) (Conn, error), error)
	// Command writes a sample as a command for a POSIX shell.
	Command func(*result.Sent) string
	// Script writes a statement with its arguments in the language of the dialect's client program.
	Script func(s *Statement, args [][]byte) string
}

// A Conn is a connection to a server, used by one call at a time: a pointer that is a [targets.Pooled].
type Conn interface {
	Close() error
	Terms() *targets.Lease
	// Cut closes the connection at once, while another goroutine uses it.
	Cut()
	// Run sends a statement and reads the answer into r, in the time of x, which records when. A nil argument is NULL. An
	// error of the server is not an error of Run. It returns targets.ErrStale if the connection was closed before
	// anything was sent.
	Run(x *calls.Progress, s *Statement, args [][]byte, r *Result) error
	// Usable reports whether another statement may be sent.
	Usable() bool
	// Idle reports whether another call may use the connection: it is usable, and no transaction is open.
	Idle() bool
}

// A Failure is an error in the answer of a server.
type Failure struct {
	Code   string // the server's code; empty: there is no error
	Text   string
	Number int32           // number of the code: that of [State], or the code itself if it is a number
	Cause  scenarios.Cause // for the outcome
}
