// Package websocket reads and writes the frames of WebSocket (RFC 6455), and compressed messages (RFC 7692).
//
//	connection --Reader.Read--> messages, and pings that are answered
//	message --Deflate, AppendMasked--> bytes
package websocket
