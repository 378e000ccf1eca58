// Package run runs a plan to its verdict. It is the one place that wires executors,
// protocols, targets, faults and measurement together.
//
//	scenarios.Parse --> plan.Compile --> Run ---------------------------> result.Result
//	                    nothing is       target up, setup, load, faults,   verdict, exit code,
//	                    started yet      teardown, target down, verdict    evidence
//
// [Run] has a watchdog and a journal around it wherever it starts or breaks anything. All
// times are offsets from one t0, which the loads, the timeline and the recorder share. An
// error is brunt's own failure; whatever the target or the scenario did is in the result.
//
//	run.go          the order of a run
//	system.go       brings the target and its links up, and takes them down
//	steps.go        steps that are not measured: setup, teardown, ready, who leads
//	tokens.go       tokens for the loads, fetched before and renewed meanwhile
//	drive.go        loads and timeline, side by side; the steady state before the first fault
//	scriptrun.go    the process of a k6 script; script_told.go is what it sends
//	watch.go        every second: stop conditions, and the interval for the live page
//	keep.go         the log of every request
//	events.go       what happened when; remarks.go takes notes of `brunt note`
//	sofar.go        the result so far; result.go the final one
//	verdict.go      verdict, exit code and reason
//	generator.go    whether brunt, and not the target, was the limit; health.go measures it
//	environment.go  where the run took place
//
// Beside it, inject.go does one fault without load, demo.go runs the built-in system
// alone, find.go probes for capacity, and import.go makes a result of vegeta's results.
//
// What is done before, beside and after a run stands in packages of its own: plan,
// plan/dryrun, doctor, observe, ledger, notes, machine and reference.
package run
