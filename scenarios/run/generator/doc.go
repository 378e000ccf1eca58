// Package generator measures brunt's own health during a run: whether brunt, and not the target, was
// the limit.
//
//	every second --Tick--> Monitor --Finish--> result.Generator --Judge--> lag, limits, healthy
//	                                            findings -----------'
//
// What an unhealthy generator could have turned is invalid: its own time is part of those measurements. The rest stands.
package generator
