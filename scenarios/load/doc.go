// Package load decides when iterations begin and runs them.
//
// A load is open or closed. An open load follows a schedule of arrivals whatever the target does:
// its [Shape] is a rate over time, and arrival n is where the area under that rate reaches n. An
// arrival that can't be served at once waits until its timeout and keeps its intended time. A
// closed load is a number of virtual users; each begins an iteration when its previous one has
// ended. A closed load sends less when the target gets slower, and so hides stalls.
//
//	Shape --Cursor--> (n, intended) --Pacer--> now --dispatcher--> worker --flow--> Session.Do
//	                                                  |  no worker free: waits, intended kept
//	                                                  '- timeout passed unsent: counted, never sent
//
// An open load may have an [Engine], a separate load tool, in place of workers. A [Replay] takes
// its arrivals from a log: package accesslog parses lines, log_reader.go sorts them by time,
// log_cursor.go assigns each its time.
//
// The package uses calls and sessions through small interfaces. It does not depend on protocols
// or histograms.
//
// To add an executor, write a file with a struct whose exported fields are its YAML and a Plan
// method, and add a line to [Kinds].
package load
