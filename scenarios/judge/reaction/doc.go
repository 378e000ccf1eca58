// Package reaction judges how soon a fault, or a stage of a load, showed where the user looks for it: in the team's own monitoring, in
// an alert, and in figures of the target that reach a value.
//
//	cases.go     what the judge knows of the reactions of a run
//	judge.go     verdicts on them
//
// A reaction is known to lie between two queries. Its effect on the load plays no part.
package reaction
