// Package timeline plays the faults of a scenario while the load runs: each at its time, with the journal written
// before, the proof of its effect while it is in, and the proof that it is over.
//
//	Entry: a fault with its times --due--> plan its steps --> journal --> inject --> verify
//	                                                                                   |
//	          Record <-- prove that it is over <-- revert <-- stay, and follow units <-'
//
// An [Entry] occurs once, every so often, after another, or when a script triggers it. A [Group] is several faults that
// are one. [Estimate] forecasts the occurrences; [Timeline.Play] plays them, and returns a [chaos.Record] for each.
package timeline
