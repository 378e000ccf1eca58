// Package push sends a run to other services while it goes on.
//
//	run --a second, an event--> Outs -> encoder -> queue -> service
//	                                 -> encoder -> queue -> service
//
// Outs collects the metrics of each second once (package metrics). For each service an encoder turns the seconds and
// the events of faults into batches, and a queue sends the batches and retries. A service cannot delay the run: a
// full queue drops its oldest batch.
//
// A file receives every request in the same way, instead of the metrics.
//
// To add a service, write a function that returns its [Kind] in a file of its own, with the encoder that its open
// returns, and add one line to Pushes in package catalog.
package push
