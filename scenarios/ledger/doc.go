// Package ledger checks that writes are durable: it records every write that the load
// makes, and after the load reads each of them back from every unit that should have it.
//
//	load --> User: records id, time, acknowledged or not --> Verify: asks each unit --> verdict
//	         (WriteLog, spilled to a file)             of each write, in batches   by write
//
//	spec.go    the ledger of a plan, with its steps resolved
//	ledger.go  virtual users whose writes are recorded
//	set.go     the ledgers of a run; several may record the writes of one step
//	verify.go  the verification and the state of each write: held, lost, stale, duplicated, …
//	again.go   asks again for writes that are missing, which are late if they come
//	between.go  reads writes in the gaps between faults, to tell to which one a write was lost
//	suspects.go the faults that may have lost a write
//	span.go    the recovery point: the span of acknowledgements of lost writes
//	batch.go   the records that the ledger of a worker sends to the ledger of its run
//	probe.go   reads the latest write while the load runs, for stale reads
//	ask.go     asks a unit for a write, until it answers
//	audit.go   lists every acknowledged write with its state, for an auditor
//	list.go    lists the writes that are not simply held
package ledger
