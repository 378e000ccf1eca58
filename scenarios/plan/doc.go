// Package plan makes a plan of a scenario: it resolves every kind, checks every name, and
// reports all mistakes at once. It starts nothing and connects to nothing.
//
//	scenarios.Parse --> Compile --------------------> Plan --> run.Run
//	the file, and       resolves kinds, checks names,          does it
//	its mistakes        bounds and objectives
//
// [Compile] goes over the scenario once. A mistake that follows from another one is not
// reported, so each stage knows what the stages before it have reported. Objectives are
// checked against the load only when the scenario has no other mistake.
//
// Stages that need the plan and the list of mistakes alone are functions of both; the others are small types.
//
//	compile.go     the stages in their order; loads, variables, names in objectives
//	steps.go       the steps of flows, and of all else that makes requests
//	plan.go        the plan, its loads, and what can be asked of it
//	requests.go    requests of a targets file, a log, or vegeta
//	script.go      loads that are k6 scripts: what brunt-k6 says they will do
//	once.go        the steps of setup and teardown
//	asked.go       steps that ask, and those by which faults act
//	target.go      what is loaded: a stack, or the URL of a system that runs
//	ready.go       the questions that tell whether the target is ready
//	endpoints.go   URLs of other systems, for the steps of their protocols
//	containers.go  containers that already run
//	cluster.go     pods of a cluster that already run
//	proxy.go       by which proxy each load goes
//	faults.go      the timeline: kinds, selectors, when each fault is due
//	group.go       groups: the steps of several faults that are one
//	observe.go     metrics, alerts, and how the team's monitoring is asked
//	ledger.go      which step writes, how a write is identified, where it is read
//	policy.go      policies: what goes beyond one is a mistake; policy_file.go reads them
//	secrets_kept.go secrets that the journal has to keep
//	single.go      one fault alone: of a scenario, or of the command line
//	files.go       how many open files a plan needs
//	arguments.go   settings of a fault on the command line
//	pods.go        which faults can't be made on pods, and which rights the others take
//	smoke.go       the plan of `--smoke`
//
// Package allow holds the allow-lists of a plan. Package forecast refuses objectives that no run can decide.
// Package dryrun says what a plan would do.
//
// # To add to it
//
// A kind (an executor, a protocol, a fault, a target) is added to its own package. A check
// that needs two of them, or the whole scenario, belongs here: into the file of what it is
// about, or into package forecast where it compares figures of the whole. The message states
// by how much the scenario falls short, at the place in the file that is to be changed.
// Then add its cases to plantest/corpus: valid.txtar for what is accepted, structural.txtar
// for what the schema refuses too, semantic.txtar for what only Compile refuses,
// unjudgeable.txtar for figures, with a neighbour that is just enough.
package plan
