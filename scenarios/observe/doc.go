// Package observe reads, beside the load, what the target and the team's monitoring tell:
// metrics, alerts, and what each unit uses.
//
//	metrics  --every--> probe.Gauge --> series          --> objectives, stop conditions,
//	alerts   --every--> probe.Alert --> spells of firing     the live page, the result
//	units    --1 s----> /proc, or the Docker engine --> usage by second
//
//	plan.go     the metrics and alerts of a plan
//	metrics.go  the observer: one goroutine for each metric and alert
//	alerts.go   when an alert fired and resolved, and for which fault
//	usage*.go   what the processes of each unit use
//
// To add a source, give probe.Gauge or probe.Alert another kind of question; the observer
// asks it without knowing its kind.
package observe
