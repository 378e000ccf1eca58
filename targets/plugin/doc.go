// Package plugin speaks any protocol through a program of the user's: a plug-in, which reads calls from its standard
// input and writes answers to its standard output, each a line of JSON.
//
//	step --with--> call --line--> program --its protocol--> system under test
//	Outcome <--judge-- answer <--line--'
//
//	step.go         the YAML of a step and of an endpoint
//	session.go      one call, from its slot to its outcome
//	client.go       the programs of a load
//	process.go      one program: its lines, its death, its end
//	child.go        how a program is started, and what it gets of brunt's environment
//	wire.go         the lines
//	conformance.go  the suite of `brunt plugin test`
//
// # The lines
//
// brunt says hello, and the plug-in answers with the names of its calls, and optionally with the settings of an
// example of each, which only the suite uses:
//
//	{"hello":1,"url":"plugin://127.0.0.1:7000","address":"127.0.0.1:7000","seed":7}
//	{"hello":1,"name":"stock","calls":["get","put"],"examples":{"get":{"key":"tea"}}}
//
// Then come calls, many at a time, and an answer for each, in any order:
//
//	{"id":1,"call":"get","with":{"key":"tea"},"user":3,"timeout_ms":5000}
//	{"id":1,"body":{"count":7}}
//	{"id":1,"status":404,"message":"no such key","absent":true}
//	{"id":1,"failed":"refused","message":"connect: connection refused"}
//
// A status of zero is a good answer, and up to 65535 an error that the system under test answered. `failed` says that
// there was no answer, with one of the words of [failures]. When its standard input ends, the plug-in ends. Its
// standard error is its own; brunt shows the end of it when the plug-in dies.
//
// # Trust
//
// Whatever a plug-in does is an error of its calls, never the end of brunt. A line that is no answer, that is too long,
// or that answers a call that does not exist shows that nothing of it can be trusted: brunt ends it and starts it
// again. A plug-in that says nothing is left alone, because its silence may be that of the system under test; its calls
// time out. An answer that comes after its call has timed out is dropped.
//
// A plug-in opens its own connections. brunt checks the address of its endpoint, and hands it the one that it has
// checked, but can't see where the plug-in really connects to.
package plugin
