// Package delivery follows what the load sends until it is seen elsewhere, such as a webhook for each order.
//
//	load --> User: draws an id, sends ------> tracker: number --> flight --> outcome of the delivery's own row
//	         how was it answered?                         ^
//	target ----> hook: POST {"order_id": …} --------------'   id --> number, without a table
//	       <---- asker: a step of any protocol
//
//	spec.go     a delivery of a plan, with its steps resolved
//	ids.go      drawn ids: a keyed bijection of the number of a request; and a table for ids of the target's own
//	set.go      the deliveries of a run, and virtual users whose requests are followed
//	tracker.go  what is under way, and what became of it
//	source.go   the sources of sightings; a new one is a file and a line there
//	hook.go     the source that receives HTTP requests
//	asker.go    the source that asks for messages by a step of any protocol
//	log.go      the file that remains of them when brunt is killed
//	finding.go  the findings for the result, and deliveries.jsonl
//
// A delivery is an outcome of a row of its own: intended and slot are those of the request that sends, sent is its
// acknowledgement, and its end is the sighting. So percentiles, phases, the overlap with faults, recovery and
// comparisons are those of any request. A message that is not seen by its due time + within is an error of cause
// undelivered, recorded then. If the request is not acknowledged, the delivery is skipped, as a step behind a failed
// one is.
//
// Memory: 40 bytes for a message under way, and 2 bits afterwards. The times of messages that are not held are
// kept as well, up to a quarter of a million of them.
package delivery
