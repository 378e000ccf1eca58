// Package load decides when iterations begin and runs them.
//
// A load is open or closed. An open load follows a schedule of arrivals whatever the target
// does: its [Shape] is a rate over time, arrival n is where the area under that rate reaches n,
// and an arrival that can't be served at once waits until its timeout and keeps its intended
// time. A closed load is a number of virtual users that each begin an iteration when the one
// before has ended; it offers less the slower the target gets, and so hides stalls.
//
//	Shape --Cursor--> (n, intended) --Pacer--> now --dispatcher--> worker --flow--> Session.Do
//	                                                  |  none free: waits, intended kept
//	                                                  '- timeout passed unsent: counted, never sent
//
// An open load may have an [Engine], a load tool of its own, in place of workers. The
// arrivals of a [Replay] are those of a log: log_parse.go reads a line, log_reader.go
// puts lines in order, log_cursor.go gives each its time.
//
// The package sees calls and sessions through small interfaces; it knows neither
// protocols nor histograms.
//
// To add an executor: a file with a struct whose exported fields are its YAML, its
// Plan method, and a line in [Kinds].
package load
