// Package plan makes a plan from a scenario: it resolves every kind, checks every name, and reports all mistakes at
// once. It starts nothing and connects to nothing.
//
//	scenarios.Parse --> Compile --------------------> Plan --> run.Run
//	the file, and       resolves kinds, checks names,          does it
//	its mistakes        bounds and objectives
//
// [Compile] goes over the scenario once. A mistake that follows from another one is not
// reported, so each stage knows what the stages before it have reported. Objectives are
// checked against the load only when the scenario has no other mistake.
//
// A stage that needs only the plan and the list of mistakes is a function of both; other stages are small types.
//
//	compile.go     the stages in their order; loads, variables, names in objectives
//	steps.go       the steps of flows, and all other steps that make requests
//	plan.go        the plan, its loads, and its methods
//	requests.go    requests of a targets file, a log, or vegeta
//	script.go      loads that are k6 scripts, which brunt-k6 inspects
//	once.go        the steps of setup and teardown
//	asked.go       steps of questions, and steps with which faults act
//	target.go      the target: a stack, or the URL of a running system
//	ready.go       the questions whether the target is ready
//	endpoints.go   URLs of other systems, for the steps of their protocols
//	containers.go  containers that already run
//	cluster.go     pods of a cluster that already run
//	proxy.go       the proxy of each load
//	faults.go      the timeline: kinds, selectors, when each fault is due
//	group.go       groups of faults that count as one fault
//	observe.go     metrics, alerts, and queries to the team's monitoring
//	consistency.go the steps that write and read registers
//	ledger.go      the step that writes, the id of a write, and where it is read
//	policy.go      policies, which limit a scenario; policy_file.go reads them
//	secrets_kept.go secrets that the journal has to keep
//	single.go      a single fault of a scenario, or of the command line
//	files.go       the number of open files that a plan needs
//	arguments.go   settings of a fault on the command line
//	pods.go        faults that can't be made on pods; rights.go has the rights for the others
//	smoke.go       the plan of `--smoke`
//
// Package allow holds the allow-lists of a plan. Package forecast refuses objectives that no run can decide.
// Package dryrun says what a plan would do.
//
// # To add to it
//
// Add a kind (an executor, a protocol, a fault, a target) to its own package. A check that needs two of them, or the
// whole scenario, belongs here: into the file of its subject, or into package forecast if it compares figures of the
// whole run. The message states by how much the scenario falls short, at the place in the file that has to be
// changed. Then add its cases to plantest/corpus: valid.txtar for accepted scenarios, structural.txtar for mistakes
// that the schema refuses as well, semantic.txtar for mistakes that only Compile refuses, and unjudgeable.txtar for
// figures, with a similar case that is just enough.
package plan
