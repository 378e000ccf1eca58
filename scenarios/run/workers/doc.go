// Package workers makes the load of a run with several processes, of this machine or elsewhere.
//
//	run --plan, ready, start--> worker 1..N: each its part of every load
//	    --turn: promise-------> sorts what ended by then
//	    <-------batch---------- cells of exact counts, added to those of the run's recorder
//	    --end-----------------> last batch, what it owed, its health
//
// A run is the coordinator: it brings the target up, runs setup and teardown, injects the faults, records and judges. A
// worker compiles the same scenario, makes its part of the loads ([load.Part]) and knows of faults what the turns tell.
// A load by a script of k6 is divided between processes of k6, which report to the run itself (package script).
//
// What worker k is to send is owed; what the run has received of it is told. A worker that dies, or does not answer in
// the end, is lost with what it owed and had not told: its share is counted and named, and no other worker makes up for
// it. Silence alone is no loss, as a worker keeps what it measures until it is asked.
//
//	protocol.go  the requests of a run and the answers of a worker, as package rpc carries them
//	check.go     which plans can be split
//	post.go      where a worker runs, and what starts it
//	process.go   workers that are processes of this machine
//	member.go    a worker, and the conversation with it
//	clock.go     the clocks of workers elsewhere
//	crew.go      all workers of a run
//	account.go   what each owed, told and lost
//	bundle.go    the files of a scenario, for workers elsewhere
//	split.go     the part of a plan that a worker makes
//	news.go      what a worker reports besides its measurements, and whether it hears of its run
package workers
