// Package mysql speaks the protocol of MySQL and MariaDB for package sql, by go-sql-driver/mysql.
//
//	dialect.go  the dialect; literals and commands for the program mysql
//	connect.go  opens connections; wire.go records the times and the errors of their sockets, and does their TLS
//	replies.go  reads the server's status from what passes, which tells whether a transaction is open
//	conn.go     a connection: prepared statements, one statement at a time
//
// It uses the driver's own connection instead of the pool of database/sql, which would send a statement again. A
// statement with arguments is prepared at its first use on a connection, which takes another round trip. A statement
// without arguments is sent unchanged. Arguments are texts.
package mysql
