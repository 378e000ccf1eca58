// Package proxy puts faults on a link. It is a TCP and HTTP proxy on loopback that stands between clients and one
// upstream, and applies its toxics to the traffic.
//
//	        down                                                    up
//	client ======> listener -> link +-- forward: stage, stage, out --> upstream
//	       <======                  +-- back:    out, stage, stage <--
//
// Every connection is a link with two flows. While no toxic is active, a flow moves small messages with a read and a
// write, and larger ones with splice(2) where the kernel supports it, so that they never enter this process. While
// toxics are active, each toxic that acts on that direction is a stage with its own queue. An item waits in the first
// stage until it is due, then goes to the next stage, and from the last stage to the other side of the connection. The
// stages stand in the order in which their toxics were added, in both directions, and no byte overtakes another. The
// end of a stream and a reset travel through the stages like bytes, so a toxic can delay, hold or drop them too.
//
// The proxy guarantees:
//
//   - Add returns when its toxic applies to every live and new connection, and to
//     all data that the proxy has not forwarded by then.
//   - Remove never waits for a peer: held data is released in order to the next
//     stage, and a reader that stalls stalls only its own link.
//   - A stream that ends on one side ends on the other (half-close), and continues
//     in the other direction. A reset arrives as a reset, never as an end.
//   - Only a toxic that is meant to do so loses, repeats or reorders bytes. A
//     connection that lost bytes is reset, never ended.
//   - A direction of a connection holds about a MiB; beyond that the proxy stops reading.
//   - Every random choice depends on the seed, the toxic, and the number of the
//     connection or the request, and never on goroutines' timing.
//
// Two limits apply to any proxy. A client's connect succeeds before the upstream is asked, so an upstream that refuses
// is seen as a reset. A handshake is never delayed, only the data after it.
//
// A Probe measures what a client experiences: it connects to the proxy's own listener and takes the
// same path as every connection, but ends at a peer inside this process.
//
// To add a toxic, see the package toxics. Messages of HTTP/1.x are found and rewritten by the package codec/http1. The
// package codec/http2 relays connections that begin with HTTP/2 without TLS; there, toxics on requests act on each
// stream separately, before the stages. The package codec/query cuts connections that begin with Redis, PostgreSQL or
// MySQL into requests and answers.
package proxy
