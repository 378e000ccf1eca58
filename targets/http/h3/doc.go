// Package h3 sends requests by HTTP/3 (RFC 9114).
//
//	request in the form of HTTP/1.1 --place--> stream of QUIC --head, body--> server
//	                                           stream         <--answer--
//
//	line.go    the connections to an origin, and the places on them
//	conn.go    one connection: its handshake, its control streams, GOAWAY
//	request.go a request on the wire
//	answer.go  the frames of an answer
//
// QUIC itself, with its TLS and its retransmission of lost packets, is github.com/quic-go/quic-go. Requests are never
// sent in 0-RTT, whose bytes a third party can replay. As with HTTP/2, a request is sent again if the server certainly
// has not begun to process it, or as [targets.Resend] says.
package h3
