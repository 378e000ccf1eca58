// Package h1 implements the wire of HTTP/1.1: connections that carry one request at a time,
// and answers.
//
//	Conn.Ask: [still open?] -> write -> wait -> first byte; Answer.Read reads the rest
//
// A [Conn] does its own input and output where the system allows it: it parks in the runtime's
// poller and holds no buffer while it waits. An [Answer] decodes and parses a body only if
// a check or an extraction reads it. HTTP/2 uses the same answers.
//
// The codec of fasthttp reads the header. A scan of our own, which parsed only headers that a check looks into, saved
// 0.16 of 0.36 us of CPU an answer with fasthttp 1.78, and no allocation: 1 % of a request, which 310 lines are not
// worth. BenchmarkAnswer_Read measures it.
package h1
