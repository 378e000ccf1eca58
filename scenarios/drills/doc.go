// Package drills lays failure drills over scenarios. A drill is data: a failure, the objectives that must hold
// meanwhile, and the roles that the parts of a system play. The scenario describes the system and its load. So a
// system is described once, and every drill runs on it.
//
//	drill file ---------> Drill ---.
//	scenario ---------> Base ----+--Lay--> Laid: the text of a plain scenario, which is validated and run as any other
//	--role a=b -------> Bind ----'
//
// Library lists the drills that are part of brunt. Each has a proof: settings of the built-in system that take a
// defence away, and the objectives that must fail then. A drill that passes without the defence shows nothing, so
// brunt does not ship it. [Drill.Judge] compares a run with its proof.
//
// An entry of `chaos` names a kind of fault, or an act: crash, stop, restart, hang, slow, cut or starve, for which the
// platform of the scenario decides the kind.
//
// To add a drill, write a file in library, with at least one mutant, and run `brunt drill prove NAME`.
//
//	drill.go      a drill file and its placeholders
//	library.go    the drills that are part of brunt
//	role.go       roles, and the parts of a system that can play them
//	act.go        acts, and the kinds of fault that they become
//	lay.go        a drill laid over a scenario
//	objective.go  the objectives of a drill, and those that it inherits
//	dependency.go how the steps of a load depend on services, as runs showed it
//	sweep.go      every fault of every part, and pairs of faults that a system survived
//	next.go       failures that were never tried, and the drills worth running next
//	matrix.go     the parts of a system under the effects of faults, with the verdicts of runs
//	learned.go    the alerts after faults, the calls between services, and the cost of requests, as runs taught them
//	empty.go      the words of cells that no run filled, and the rows and columns of the matrix
//	digest.go     the digest of a drill, to see whether its proof is outdated
//	proof.go      mutants, and the comparison of runs with a proof
//	schema.go     the JSON Schema of a drill file
package drills
