// Package h1 implements the wire of HTTP/1.1: connections that carry one request at a time,
// and answers.
//
//	Conn.Ask: [still open?] -> write -> wait -> first byte; Answer.Read reads the rest
//
// A [Conn] does its own input and output where the system allows it: it parks in the runtime's
// poller and holds no buffer while it waits. An [Answer] parses a header, and decodes and
// parses a body, only if a check, an extraction or a sample reads it. HTTP/2 uses the same answers.
package h1
