// Package http2 relays connections of HTTP/2 (RFC 9113) frame by frame, so that a proxy between both ends can hold,
// answer or rewrite a request while the others pass.
//
//	client --Feed--> Conn --Begin--> what becomes of the request
//	                  |-- passes on:  frames under the upstream's numbers --Take--> upstream
//	                  |-- holds:      until Release
//	                  '-- answers:    an Answer in place of the upstream  --Take--> client
//
// Settings, pings, windows and the end of a connection go through from end to end. Streams get new numbers on the way
// to the upstream, in the order in which they leave, and header blocks are written again, without the dynamic table: so
// a stream may be missing, or come later than the next one. What the proxy swallows it gives back to the sender's
// window, and what it sends by itself it takes off the next window update of the receiver, or off what it keeps back of
// a large one.
//
// It knows no server push, frames over 16 KiB or priorities: settings that allow the first two are changed, and
// priorities are left out. Bytes that are not HTTP/2 are an error, for which the connection ends.
package http2
