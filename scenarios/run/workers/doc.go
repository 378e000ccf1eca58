// Package workers makes the load of a run with several processes, of this machine or elsewhere.
//
//	run --plan, ready, start--> worker 1..N: each its part of every load
//	    --turn: promise-------> sorts what ended by then
//	    <-------batch---------- cells of exact counts, added to those of the run's recorder
//	    --end-----------------> last batch, what it owed, its health
//
// A run is the coordinator: it brings the target up, runs setup and teardown, injects the faults, records and judges.
// A worker compiles the same scenario, makes its part of the loads ([load.Part]), and learns about faults from the
// turns. The load of a k6 script is divided between processes of k6, which report to the run itself (package script).
//
// A worker owes the iterations of its part, and reports them in its batches. A worker that dies, or does not answer
// at the end, is lost with the iterations that it owed and did not report. These are counted and reported, and no
// other worker makes up for them. Silence alone is no loss, because a worker keeps its measurements until it is
// asked.
//
//	protocol.go  the requests of a run and the answers of a worker, as package rpc carries them
//	check.go     which plans can be split
//	post.go      the interfaces of a started worker, and of a starter of workers
//	process.go   workers that are processes of this machine
//	member.go    a worker, and the conversation with it
//	clock.go     the clocks of workers elsewhere
//	crew.go      all workers of a run
//	account.go   the iterations that each worker owed, reported and lost
//	bundle.go    the files of a scenario, for workers elsewhere
//	split.go     the part of a plan that a worker makes
//	news.go      what a worker reports besides its measurements, and whether it has contact to its run
package workers
