// Package sql sends statements to databases: a step gives a statement and its arguments, and a [Dialect] speaks the
// protocol of a server. The dialects are packages below this one; package catalog lists them.
//
//	step --compile--> call of Statements                                       once
//	arguments --calls.Make--> Conn.Run(statement, arguments) --> Result         for each statement
//	Result --judge--> outcome, samples, variables
//
//	dialect.go   what a dialect provides: it connects and runs statements
//	state.go     SQLSTATEs, and their causes
//	result.go    the result of a statement
//	step.go      the YAML of a step, and its compilation to calls
//	statement.go a statement and its arguments
//	scan.go      finds parameters in the text of a statement
//	copy.go      rows that are copied into a table
//	check.go     checks and extractions; schema.go the JSON Schemas of a step
//	url.go       the URL of an endpoint
//	client.go    the connections of a load
//	session.go   one virtual user: a call from its slot to its outcome
//	transaction.go  the statements of a transaction, each a part of the call
//	sample.go    a call as reports show it
//
// To add a dialect, write a package with a function that returns its [Dialect], and add it to its line in package
// catalog. A statement is sent once, as drivers do, because no one knows what it does: a connection is replaced only
// if it proves to be closed before anything was written.
package sql
