// Package observe reads data of the target and of the team's monitoring while the load runs: metrics, alerts, and the
// resources that each unit uses.
//
//	metrics  --every--> probe.Gauge --> series          --> objectives, stop conditions,
//	alerts   --every--> probe.Alert --> spells of firing     the live page, the result
//	units    --1 s----> /proc, or the Docker engine --> usage by second
//
//	plan.go     the metrics and alerts of a plan
//	metrics.go  the observer: one goroutine for each metric and alert
//	watch.go    the answers of each unit to `watch`
//	alerts.go   when an alert fired and resolved, and for which fault
//	usage*.go   resources that the processes of each unit use; accept*.go: connections that its kernel dropped
//	links.go    calls and bytes on the links between units, before the load and in it
//	traffic*.go whether a unit had any traffic
//	unreached.go whether the units of a fault had any traffic, for faults that do not count their traffic themselves
//	played.go   an observer of recorded alert states, for tests
//
// To add a source, give probe.Gauge or probe.Alert another kind of query; the observer polls it
// without knowing its kind.
package observe
