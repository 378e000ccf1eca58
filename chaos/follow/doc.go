// Package follow keeps an injected fault on the units of a target that changes by itself, such as the pods of a
// cluster.
//
//	New(occurrence) --> adapt, each second: units --plan--> steps --difference--> join, aim again, gone
//
// A unit that joins is hit as the others were: its undo is in the journal before. So are the connections of a pod that
// joins the callers of others. Peers that change are aimed at again. A unit that is gone takes the fault on it with it.
// A change that can't be followed within ten seconds voids the occurrence, as it is another one than planned.
//
//	follow.go    all of it
package follow
