// Package postgres speaks the protocol 3.0 of PostgreSQL for package sql.
//
//	pgconn: TLS, login, choice of a server --Hijack--> socket of package h1
//	Statement, arguments --compose--> messages --Ask--> answer --reader--> Result
//
//	dialect.go  the dialect; literals and commands for psql
//	connect.go  opens connections, by pgx's pgconn
//	conn.go     a connection: prepared statements, one statement at a time
//	compose.go  messages of the client
//	read.go     messages of the server; value.go their values
//
// Arguments and values are texts: the text of a template is sent unchanged. A statement is prepared at its first use
// on a connection, in the same write as its first arguments, so that this takes one round trip.
package postgres
