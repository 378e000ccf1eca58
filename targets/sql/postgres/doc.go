// Package postgres speaks the protocol 3.0 of PostgreSQL for package sql.
//
//	pgconn: TLS, login, choice of a server --Hijack--> socket of package h1
//	Statement, arguments --compose--> messages --Ask--> answer --reader--> Result
//
//	dialect.go  what the dialect is; literals and commands for psql
//	connect.go  opens connections, by pgx's pgconn
//	conn.go     a connection: prepared statements, one statement at a time
//	compose.go  messages of the client
//	read.go     messages of the server; value.go their values
//
// Arguments and values are texts: what a template gives goes out as it is. A statement is prepared with its first use
// on a connection, in the same write as its first arguments, so that it takes one round trip.
package postgres
