// Package consistency checks what reads of the load returned: it records each read and write of the registers that a
// scenario names, and after the load finds the operations that no register explains.
//
//	load --> User: begin, end, value, --> shards, --> register.Check --> result: anomalies by kind and fault,
//	         answered how                 in memory                      staleness over time, witnesses
//
//	spec.go    the registers of a plan, with their steps resolved
//	record.go  virtual users whose reads and writes are recorded
//	history.go the recorded operations as numbers
//	check.go   the check, and its findings for the result
//
// An operation begins when brunt has a connection for it, and not when the request is written, because the target may
// act on a request before brunt has read its clock. So the times of operations are wider than the truth, and a history
// convicts only what is wrong.
//
// The records and the check take at most some 300 MB, however long the run is: a million operations of all registers
// together, with at most 64 MiB of keys and values. Operations beyond that are counted, and take no part.
package consistency
