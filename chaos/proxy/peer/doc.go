// Package peer has both ends of a probe besides the proxy between them: the upstream, and the requests of a client.
//
//	Client --Ask--> proxy --> Peer, which serves Echo or a Web
//
//	peer.go    the upstream
//	web.go     its answers, in HTTP/1.1, HTTP/2 and gRPC
//	client.go  requests in the same three forms
//	query.go   commands of Redis and statements of PostgreSQL, at both ends
//	mysql.go   statements of MySQL, at both ends
package peer
