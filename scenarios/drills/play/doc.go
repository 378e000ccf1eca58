// Package play runs drills on a system. A [Campaign] runs all drills that fit it and, in a sweep, faults of each of its
// parts; a [Prover] runs a drill on the systems of its proof.
//
//	Subject: the scenario of a file, a URL, or the built-in system
//	   |
//	   '--Lay--> drills laid over it, all of them compiled --Run, one by one--> results --> exit code, tally
//	                                                            |
//	              of a system that brunt did not start: probe until it answers as before the first drill
//
// All drills are laid before the first run starts, so that a mistake is found before anything is harmed. The
// functions of the Campaign and the Prover, which the caller provides, compile scenarios, perform runs and write
// reports.
package play
