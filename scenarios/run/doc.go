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
// A run consists of parts that share a session: the plan, the clock and log of events, the target.
//
//	run.go            the life of a run, as a list of calls
//	session.go        what all parts share
//	requests.go       requests to the target; token_renewal.go the tokens that they carry
//	workers.go        processes that make the loads in place of the run's own; worker.go one of them
//	loads.go          the loads, and their records
//	faults.go         the timeline, its records, the steady state
//	conditions.go     faults that hold for the whole run; held_conditions.go holds them
//	monitor.go        measures brunt's own health
//	identity.go       the files, programs and images that a run was made from
//	requestlog.go     the file of single requests
//	observers.go      brunt's health, usage, metrics and alerts, while the load runs
//	drive.go          runs the loads and the timeline at the same time
//	garbage.go        limits the garbage in the heap of a run
//	live.go           every second: stop conditions, and the interval for the live page
//	snapshot.go       the state of a run; fault_record.go describes its faults
//	unwell.go         when the units that faults hit were not well
//	result.go         the result of a snapshot; pending_result.go before the run, result_so_far.go while the loads go on
//	verdict.go        verdict, exit code and reason
//
// Below it are packages: target brings the target up and takes it down; guard has the journal, the watchdogs and the
// agents; events holds the clock, the events and the notes of a run; script runs k6 scripts; workers makes the load
// with several processes.
//
// In addition, inject.go injects one fault without load, demo.go runs the built-in system alone, and import.go makes
// a result from vegeta's results, which imported.go reads.
//
// To add a part to the result, add it to snapshot.compose if it is known while the load goes on, and to runner.result
// otherwise. Pass functions that free resources after a run to runner.onClose.
//
// Other packages prepare a run or support it: plan, plan/dryrun, doctor, observe, ledger, notes, machine and
// reference.
package run
