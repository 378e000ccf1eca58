// Package http2 relays connections of HTTP/2 (RFC 9113) frame by frame, so that a proxy between both ends can hold,
// answer or rewrite a request while the others pass.
//
//	client --Feed--> Conn --Begin--> decides about the request:
//	                  |-- passes on:  frames under the upstream's numbers --Take--> upstream
//	                  |-- holds:      until Release
//	                  '-- answers:    an Answer in place of the upstream  --Take--> client
//
// Settings, pings, window updates and the end of a connection pass from end to end. Streams get new numbers on the way
// to the upstream, in the order in which they leave, and header blocks are encoded again, without the dynamic table. A
// stream may therefore be left out, or come later than the next one. Bytes that the proxy drops are returned to the
// sender's window. Bytes that it sends by itself are subtracted from the receiver's next window updates, or from the
// part that it keeps back of a large one.
//
// It does not support server push, frames over 16 KiB, or priorities: settings that allow the first two are changed,
// and priorities are left out. Bytes that are not HTTP/2 are an error, for which the connection ends.
package http2
