// Package targets is the contract between brunt and the protocols that it speaks.
//
// A [Descriptor] describes a protocol. The kind of a step chooses the protocol that
// compiles it, once. A [Client] owns the connections of one load; a [Session] is the state
// of one virtual user: cookies, tokens, buffers.
//
//	step --Set.Compile--> Call                       (once, before anything starts)
//	Client --Open--> Session --Do(Call)--> Outcome   (for every request)
//
// What every protocol shares is here or in dial:
//
//	descriptor.go  what a protocol is; set.go chooses one for each step
//	protocol.go    what a step and a client are given
//	network.go     how a protocol opens connections; dial implements it
//	pool.go        the connections of a client; places.go those to one address
//	allowlist.go   which addresses it may reach
//	cause.go       why a request has no answer
//	shared.go      what the steps of a plan share
//
// Package catalog lists the protocols; to add one, see there. The suite in targetstest
// tests that each of them keeps the same promises. Systems that brunt starts itself are in
// platform, the built-in one is demo.
package targets
