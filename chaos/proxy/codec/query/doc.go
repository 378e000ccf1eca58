// Package query cuts connections into requests and answers, so that a proxy can hold or refuse a request. It knows
// protocols whose answers come in the order of the requests: commands of Redis and MongoDB, statements of PostgreSQL
// and MySQL, and requests of Kafka. Of AMQP it knows the confirms of messages.
//
//	bytes of the client --Requests--> parts of requests, the first with the request's name
//	bytes of the server --Answers---> parts of answers
//	                    --Refuse----> the answer of a server that refuses
//
//	codec.go     the interface of codecs, and the choice of one by the first bytes
//	redis.go     RESP2 and RESP3
//	postgres.go  protocol 3.0, without TLS
//	kafka.go     Kafka, without TLS
//	amqp.go      AMQP 0.9.1, without TLS
//	mysql.go     MySQL and MariaDB, without TLS and compression
//	mongo.go     OP_MSG of MongoDB, without TLS and compression
//
// A codec holds the beginning of a request until its name is known, and passes everything else on as it arrives.
package query
