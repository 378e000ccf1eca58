// Package observe reads, beside the load, data of the target and of the team's monitoring: metrics,
// alerts, and the resources that each unit uses.
//
//	metrics  --every--> probe.Gauge --> series          --> objectives, stop conditions,
//	alerts   --every--> probe.Alert --> spells of firing     the live page, the result
//	units    --1 s----> /proc, or the Docker engine --> usage by second
//
//	plan.go     the metrics and alerts of a plan
//	metrics.go  the observer: one goroutine for each metric and alert
//	alerts.go   when an alert fired and resolved, and for which fault
//	usage*.go   what the processes of each unit use
//	traffic*.go whether anything reached a unit
//	unreached.go whether anything reached what a fault hit, for faults that count no traffic of their own
//	played.go   an observer of recorded alert states, for tests
//
// To add a source, give probe.Gauge or probe.Alert another kind of query; the observer polls it
// without knowing its kind.
package observe
