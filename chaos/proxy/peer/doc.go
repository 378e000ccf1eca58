// Package peer has both ends of a probe, with the proxy between them: the upstream, and a client that makes requests.
//
//	Client --Ask--> proxy --> Peer, which serves Echo or a Web
//
//	peer.go    the upstream
//	web.go     its answers, in HTTP/1.1, HTTP/2 and gRPC
//	client.go  requests in the same three forms
//	query.go   commands of Redis and statements of PostgreSQL, at both ends
//	mysql.go   statements of MySQL, at both ends
//	mongo.go   commands of MongoDB, at both ends
//	broker.go  requests of Kafka and confirms of AMQP, at both ends
package peer
