// Package memcached makes the requests of memcached's meta commands, which version 1.6 has.
//
//	step.go      the YAML of a step
//	exchange.go  what each kind of step sends, and how it reads the answer
//	wire.go      the protocol on the wire: the codec, and the begin of a connection
//	errors.go    the numbers of errors, and their causes
//
// An endpoint is one server: keys are not spread over several. The commands are described at
// https://docs.memcached.org/protocols/meta.
package memcached
