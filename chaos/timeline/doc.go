// Package timeline plays the faults of a scenario while the load runs: it injects each at its time, after writing the
// journal, and proves its effect while it is injected and its end after the revert.
//
//	Entry: a fault with its times --due--> plan its steps --> journal --> inject --> verify
//	                                                                                   |
//	          Record <-- prove that it is over <-- revert <-- stay, and follow units <-'
//
// An [Entry] occurs once, every so often, after another, or when a script triggers it. A [Group] is several faults that
// are played as one. [Estimate] forecasts the occurrences; [Timeline.Play] plays them, and returns a [chaos.Record] for
// each.
package timeline
