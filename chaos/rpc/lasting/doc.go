// Package lasting is a conversation that outlives its connections: a stream of bytes each way, between an end that dials and
// one that listens.
//
//	Dial:   dial --> sign the nonce --> how far it has received --.
//	                                                               >-- what the other has not received, acks each second
//	Listen: accept -> nonce, verify --> how far it has received --'
//
// What is written is kept until the other end has it. When a connection breaks, or nothing comes for [silence], the end that
// dials does so again, both say how far they have received, and go on from there: no byte is lost, and none comes twice. An
// end that has no connection for its patience ends the conversation with an error. What crosses a connection is deflated.
//
// Who dials proves that it has the private half of a key. Who listens says nothing but a nonce before that.
package lasting
