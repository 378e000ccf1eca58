// Package drills lays failure drills over scenarios. A drill is data: a failure, what must hold meanwhile, and the
// roles that the parts of a system play in it. The scenario describes the system and its load. So a system is described
// once, and every drill runs on it.
//
//	drill file ---------> Drill ---.
//	scenario ---------> Base ----+--Lay--> Laid: the text of a plain scenario, which is validated and run as any other
//	--role a=b -------> Bind ----'
//
// Library lists the drills that are part of brunt. Each has a proof: settings of the built-in system that take a
// defence away, and the objectives that must fail then. A drill that passes without the defence shows nothing, and is
// not shipped. [Drill.Judge] compares a run with what its proof expects.
//
// An entry of `chaos` names a kind of fault, or an act: crash, stop, restart, hang, slow, cut or starve, for which the
// platform of the scenario decides the kind.
//
// To add a drill, write a file in library, with at least one mutant, and run `brunt drill prove NAME`.
//
//	drill.go      a drill as its file says it, and its placeholders
//	library.go    the drills that are part of brunt
//	role.go       roles, and what a scenario has for them
//	act.go        acts, and the kinds of fault that they become
//	lay.go        a drill laid over a scenario
//	objective.go  the objectives of a drill, and those that it inherits
//	dependency.go what the steps of a load need, as runs showed it
//	sweep.go      every fault of every part, and pairs of those that a system survived
//	next.go       what was never tried, and the drills worth running next
//	matrix.go     which part of a system was tried, and what came of it
//	empty.go      the words of cells that no run filled, and the rows and columns of the matrix
//	digest.go     the digest of a drill as it is proved
//	proof.go      mutants, and runs held against them
//	schema.go     the JSON Schema of a drill file
package drills
