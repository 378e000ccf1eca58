// Package proxy puts faults on a link: a TCP and HTTP proxy on loopback that sits
// between those who connect and one upstream, and that breaks what passes as its
// toxics say.
//
//	        down                                                    up
//	client ======> listener -> link +-- forward: stage, stage, out --> upstream
//	       <======                  +-- back:    out, stage, stage <--
//
// Every connection is a link with two flows. While no toxic is in, a flow moves
// bytes by splice(2) where the kernel has it, so that they never enter this
// process. While some are in, each toxic that acts on that direction is a stage
// with a queue of its own. What comes waits in the first stage until its time is
// up, goes on to the next, and from the last to the connection's other side. The
// stages stand in the order in which their toxics were added, in both directions,
// and no byte ever overtakes another. The end of a stream and a reset travel
// through the stages like bytes do, so they are late, held or lost like bytes.
//
// What is promised:
//
//   - Add returns when its toxic holds for every live and new connection: nothing
//     that the proxy has not passed on by then escapes it.
//   - Remove never waits for anybody outside: what was held is released, in order,
//     into what comes behind, and a reader that stalls stalls only its own link.
//   - A stream that ends on one side ends on the other (half-close), and goes on in
//     the other direction. A reset arrives as a reset, never as an end.
//   - No byte is lost, repeated or overtaken but by a toxic whose job it is, and a
//     connection that lost one is reset, never ended.
//   - A direction of a connection holds about a MiB; more is back-pressure.
//   - Every random choice comes from the seed, the toxic, and the number of the
//     connection or the request; none from goroutines' timing.
//
// Two limits come with any proxy: a client's connect succeeds before the upstream
// was asked, so an upstream that refuses is seen as a reset; and a handshake is
// never delayed, only what follows it.
//
// A Probe measures what a victim would: it connects to the proxy's own listener and
// goes the way of every connection, but to a peer inside this process.
//
// To add a toxic, write a file with a struct and its methods check and begin.
package proxy
