// Package writelog keeps the outcome of every write of a run in a file, from which the ledger is verified
// after the run.
//
//	load --> [Shard.Record] --> buffer of a shard --Flush, each second--> file --[Log.Each]--> ledger
//
//	worker: load --> buffer of a shard --> memory --[Log.Take], each turn--> [Log.Import] --> file of the run
//
// A write costs one line of JSON in its shard's buffer. To keep more of a write, add a field to [Write],
// and write and read it in log.go.
package writelog
