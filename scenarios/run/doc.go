// Package run runs a plan to its verdict. It is the one place that wires executors, protocols,
// targets, faults and measurement together.
//
//	scenarios.Parse --> plan.Compile --> Run ---------------------------> result.Result
//	                    nothing is       target up, setup, load, faults,   verdict, exit code,
//	                    started yet      teardown, target down, verdict    evidence
//
// [Run] keeps a journal and starts a watchdog before it starts a target or injects a fault. All
// times are offsets from one t0, which the loads, the timeline and the recorder share. An error is a
// failure of brunt itself; failures of the target or the scenario are in the result.
//
//	run.go               the order of a run
//	steps.go             steps that are not measured: setup, teardown, readiness, leadership
//	tokens.go            tokens for the loads, fetched before the load and renewed during it
//	drive.go             loads and timeline, side by side; the steady state before the first fault
//	watch.go             every second: stop conditions, and the interval for the live page
//	keep.go              the log of every request
//	snapshot.go          the state of a run; fault_record.go describes its faults
//	sofar.go             the result so far of a snapshot; result.go the final one
//	verdict.go           verdict, exit code and reason
//	environment.go       where the run took place
//
// Below it, target brings the target up and takes it down; events holds the clock, the events and the
// notes of a run, which all parts share; script runs k6 scripts; generator measures brunt's own
// health; rates probes for capacity with runs.
//
// Besides, inject.go injects one fault without load, demo.go runs the built-in system alone, and
// import.go makes a result of vegeta's results.
//
// Packages of their own prepare a run or work beside it: plan, plan/dryrun, doctor, observe, ledger,
// notes, machine and reference.
package run
