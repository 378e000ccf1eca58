// Package stream holds connections that stay open and carry messages both ways: WebSocket, TCP, and sockets of UDP.
//
//	ws, tcp, udp --open--> stream --send, await, close--> messages       one user's steps, one after another
//	connection --reader goroutine--> received messages, each with its time
//
//	step.go      the YAML of a step
//	endpoint.go  which endpoint a step goes to
//	message.go   messages to send
//	match.go     the messages that a step waits for
//	check.go     checks and extractions of a message
//	pace.go      a schedule of messages within a stream
//	transport.go the transports of streams
//	conn.go      an open stream: reads and writes
//	socket.go    a connection of WebSocket or TCP, or a socket of UDP
//	sockets.go   the connections and sockets of a load
//	idle.go      how long an idle connection keeps its reader
//	inbox.go     the messages that came on a stream, and why it ended
//	websocket.go the handshake of WebSocket
//	ping.go      pings of WebSocket
//	tcp.go       how messages on TCP are separated; on UDP each datagram is one
//	client.go    the streams of a load
//	session.go   one virtual user, and the streams that it holds
//	open.go      opens a stream, and opens it again
//	ask.go       sends and waits
//	part.go      further measurements: messages, and how long a stream was held
//	sample.go    a step as reports show it
//	schema.go    the JSON Schemas of a step
//
// A message is sent once. On UDP one that is lost leads to a timeout. The time of an answer is when it was read from
// the connection, whatever the user did at that time.
package stream
