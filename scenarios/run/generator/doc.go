// Package generator measures brunt's own health during a run: whether brunt, and not the target, was
// the limit.
//
//	every second --Tick--> Monitor --Finish--> result.Generator --Judge--> lag, limits, healthy
//	                                            findings -----------'
//
// An unhealthy generator makes a run invalid: its measurements tell nothing about the target.
package generator
