// Package truth is a server of known behaviour with a log of its own. Tests compare brunt's verdicts and figures with
// the behaviour of the server.
//
//	Script: what becomes of request n ---> Server ---> Log: when each request came, and its effect
//	                                          ^          |
//	brunt run SCENARIO -----------------------'          v
//	      |                                            Truth: counts, outages, recovery times
//	      '---> result.json -----------compared-----------'
//
// Package sockets runs brunt against a Server. Package played plays the log of a load into the rules, in virtual
// time.
//
// A request carries its number, so its effect does not depend on when it arrives. The truth of a run follows from the
// log alone. The code for that shares nothing with brunt's packages; this package imports none of them.
//
// A case whose row is "definition" is written only from the texts of `brunt explain` and the audit, without sight of
// the rules' code, so that it can't repeat a mistake of the code. A third of all cases are of this kind.
//
//	server.go   Server: answers by script, and is the webhook of the fault
//	script.go   Script and Act: the effect of each request
//	log.go      Entry and Stall: a request as the server saw it, and when the server did not run
//	truth.go    Truth: what a run should find, by the log
//	play.go     the log of a load without a server, in virtual time
//	complaints.go  the mistakes of brunt in a case
//	programs.go Programs: brunt and other programs, built for a test
//	writes.go   Store: writes that are kept, lost, late or doubled
package truth
