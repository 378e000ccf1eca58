// Package reporters is the contract of reports: a [Reporter] writes a finished run in one
// format, a [Live] observes a run while it goes on.
//
// A reporter reads a [result.Result] and nothing else. The packages below are its
// families:
//
//	Result -> evidence   result.json, latency.hlog, events.jsonl: the record; its manifest and signature
//	       -> html       report.html, with the charts of package chart
//	       -> ci         junit.xml, GitHub, GitLab
//	       -> rows       CSV and vegeta: a row for each second or request
//	       -> terminal   the final table
//
//	Interval, once a second -> terminal   the live block
//	                        -> live       the page during the run, and /metrics
//	                        -> metrics    counters, for live and for push
//	                        -> push       Prometheus, OpenTelemetry, Grafana
//
// Package words gives faults, objectives and numbers the same wording everywhere; package
// catalog lists the reporters and imports all families.
//
// A result contains names chosen by an author, a target or a fault. Each format escapes them
// in its own way; text for a line of a terminal or a page first passes through words.Clean,
// which makes control characters visible.
//
// To add a reporter, write a type with the two methods of [Reporter] in a file of its own and add one line to
// catalog.All. If its format names a file, the folder of every run gets that file.
package reporters
