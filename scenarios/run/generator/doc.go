// Package generator measures brunt's own health during a run: whether brunt, and not the target, was
// the limit.
//
//	every second --Tick--> Monitor --Finish--> result.Generator --Judge--> lag, limits, healthy
//	                                            findings -----------'
//
// An objective whose answer brunt's own lag could have changed is invalid; the other answers stand.
package generator
