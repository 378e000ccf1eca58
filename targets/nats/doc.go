// Package nats publishes to NATS and JetStream, makes requests, and takes messages.
//
//	step.go      the YAML of a step
//	exchange.go  what each kind of step sends, and how it reads the answer
//	wire.go      the protocol on the wire: the codec
//	login.go     the first lines of a connection, and the client's description; nkey.go proves who the client is
//	errors.go    the numbers of errors, and their causes
//
// The protocol is a few lines of text, so the package speaks it itself, and a message is sent when its call is made. In
// the library nats.go a goroutine sends it later, and no setting changes that. Other servers of a cluster that a server
// announces are not followed. The protocol is described at
// https://docs.nats.io/reference/reference-protocols/nats-protocol.
//
// The user of an endpoint's URL is a name beside a password, a token, or the seed of an nkey; a JWT beside its seed as
// the password stands for a file of credentials.
//
// Core NATS acknowledges no message. A PING that follows a message is answered once the server has read the message,
// which says no more than that. JetStream acknowledges a message that its stream has stored.
package nats
