// Package query cuts connections of protocols whose answers come in the order of their requests into requests and
// answers, so that a proxy can hold or refuse a request: commands of Redis, and statements of PostgreSQL and MySQL.
//
//	bytes of the client --Requests--> parts of requests, the first with the request's name
//	bytes of the server --Answers---> parts of answers
//	                    --Refuse----> the answer of a server that refuses
//
//	codec.go     what a codec is, and which one a connection begins with
//	redis.go     RESP2 and RESP3
//	postgres.go  protocol 3.0, without TLS
//	mysql.go     MySQL and MariaDB, without TLS and compression
//
// A codec holds the beginning of a request until its name is known, and passes all else as it comes.
package query
