// Package mysql speaks the protocol of MySQL and MariaDB for package sql, by go-sql-driver/mysql.
//
//	dialect.go  what the dialect is; literals and commands for the program mysql
//	connect.go  opens connections; wire.go notes the times and the errors of their sockets
//	conn.go     a connection: prepared statements, one statement at a time
//
// The driver's own connection is used, and not the pool of database/sql, which would send a statement again. A
// statement with arguments is prepared with its first use on a connection, which takes another round trip; one without
// goes out as it stands. Arguments are texts.
package mysql
