// Package targets is the contract between brunt and the protocols that it speaks.
//
// A [Descriptor] describes a protocol. The kind of a step chooses the protocol that
// compiles it, once. A [Client] owns the connections of one load; a [Session] is the state
// of one virtual user: cookies, tokens, buffers.
//
//	step --Set.Compile--> Call                       (once, before anything starts)
//	Client --Open--> Session --Do(Call)--> Outcome   (for every request)
//
// The parts that all protocols share are here or in dial:
//
//	host_list.go   a URL with a list of hosts, which other clients accept
//	descriptor.go  the description of a protocol; set.go chooses one for each step, selection.go those of a load
//	protocol.go    the inputs of a step and of a client
//	network.go     how a protocol opens connections; dial implements it
//	pool.go        the connections of a client; places.go those to one address
//	each.go        asks the addresses of an endpoint in turn
//	stages.go      the time that opening a connection spends on DNS, connect, TLS and login
//	url.go         the URL of a target; allowlist.go the addresses that may be reached
//	expected.go    checks of an answer, and variables that are taken from it
//	cause.go       why a request has no answer; text.go shortens texts for messages
//	shared.go      values that the steps of a plan share
//
// Package catalog lists the protocols, and says how to add one. The suite in targetstest tests that all of them keep
// the same promises. Package platform has the systems that brunt starts itself, and demo is the built-in one.
package targets
