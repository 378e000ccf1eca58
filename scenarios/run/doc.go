// Package run wires the spokes together: it makes a plan of a scenario, and runs the
// plan to its verdict. It is the one place that knows executors, protocols, targets,
// faults and measurement at once.
//
//	scenarios.Parse --> Compile ------> Plan ------> Run -----> result.Result
//	the file, every     every kind      nothing      up, load,   verdict, exit code,
//	mistake so far      resolved, all   is started   break,      evidence; reporters
//	                    else that is    yet          take back,  write it down
//	                    wrong told                   judge
//
// # Before the run
//
// [Compile] goes over the scenario once, and tells in one go what is wrong with it. What
// one mistake brings about is not told as another, so each stage knows what the one
// before has told. Only a scenario that is whole is asked whether it can be judged.
//
//	compile.go    loads, flows and their steps, variables, what objectives name
//	script.go     loads that are scripts of k6: what brunt-k6 says they will do
//	system.go     the target: a stack, processes, or the URL of a system that runs
//	proxy.go      by which proxy each load goes
//	engine.go     loads with a targets file, a log, or an engine other than brunt's own
//	ports.go      how many connections the loads need, against the ports there are
//	faults.go     the timeline: kinds, selectors, when each fault is due
//	detect.go     how the team's monitoring is asked; and what it has noticed
//	observe.go    what is read of the target's own side, and which alerts are asked for;
//	              and the reading of them while the run goes on
//	ledger.go     the ledger: which step writes, what a write is found by, where; and
//	              the virtual users whose writes it keeps
//	gate.go       the blast radius of the load: what is outside for sure is refused here;
//	              fence.go is one list of what may be reached
//	policy.go     what policies bound: beyond is a mistake, and what a scenario leaves open
//	              they decide
//	judgeable.go  refuses what no run could decide: too few requests, too little time
//	              after a fault, a stop condition that comes before recovery could
//	schema.go     the JSON Schema, from the types that all of this is read into
//	describe.go   what a run would do, for people: the plan, and the dry run
//	foresee.go    what each fault would do, as its own plan says
//	planfile.go   what a dry run keeps; drift.go says what differs from it later
//	needs.go      whether this machine and the target have what the plan needs
//	published.go  the schemas of what a run writes
//
// # The run
//
// [Plan.Run] has a guard and a journal around it wherever it starts or breaks anything.
// All times are offsets from one t0, which the loads, the timeline and the recorder
// share. An error is brunt's own failure; whatever the target or the scenario did is in
// the result.
//
//	run.go          the order of things: target, setup, loads, teardown, verdict
//	system.go       brings the target and its links up, and takes them down
//	descriptors.go  the limit of open files
//	steps.go        steps that are not measured: setup, teardown, ready, who leads
//	tokens.go       tokens for the loads, fetched before and renewed meanwhile
//	drive.go        loads and timeline, side by side; the steady state before the first fault
//	scriptrun.go    a script's process, and what it sends: outcomes, marks, thresholds
//	usage.go        what the units use, read by look.go and usage_linux.go
//	alerts.go       what the team's alerts did, and after which fault
//	watch.go        every second: stop conditions, and what those who watch are told
//	readback.go     finds what became of every write, once the load is over:
//	                readback_ask.go asks every unit, readback_list.go lists what is told
//	keep.go         every single request, where it is kept
//	events.go       what happened when
//	result.go       puts together what was found
//	verdict.go      decides on verdict, exit code and reason
//	generator.go    whether brunt, and not the target, was the limit
//	health.go       what the generator itself used meanwhile
//	notes.go        what the report says besides
//	environment.go  where it ran, for the report
//	machine_*.go    what each platform tells of itself
//
// Beside it, demo.go runs the built-in system alone, inject.go does one fault without
// load, import.go makes a result of what vegeta measured, and doctor.go says what brunt can do on this machine (features_*.go).
//
// # To add to it
//
// A kind (an executor, a protocol, a stack, a fault) is added to its spoke, in the list
// that the spoke calls Kinds; nothing here names one. A check that needs two spokes, or
// the whole scenario, belongs here: into the file of what it is about where it can be
// told of a part alone, into judgeable.go where it is about figures of the whole. Say by
// how much it falls short, and stand at the place in the file that is to be changed.
//
// Then add its cases to testdata/corpus, a scenario each: valid.txtar where it is to be
// accepted, structural.txtar where the schema can refuse it too, semantic.txtar where
// only Compile can, unjudgeable.txtar for figures, with its neighbour that is just
// enough. What must never happen, whatever a scenario says, is held by rail_test.go; who
// may import whom, by imports_test.go.
package run
