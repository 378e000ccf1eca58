// Package http1 finds the messages in a stream of HTTP/1.x bytes, and rewrites or replaces them.
//
//	bytes -> Framer --Begin--> ReadRequest or ReadResponse: how long the header is, and how the body ends
//	                --Emit---> every byte, in order, with the begin and the end of each message
//	ReviseRequest, ReviseAnswer: a header and the drafts that apply to it -> Revision
//	NewCannedResponse: a response that a proxy sends by itself
//
// A stream that is not HTTP/1.x passes unchanged. The functions keep every byte that they are not asked to
// change.
package http1
