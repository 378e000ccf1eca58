// Package effect decides from counts of requests what a fault did to a load: whether it had
// an impact, when the impact began, and when the target recovered.
//
//	Question{slices of one second, baseline, injection, clearing, limit, hold}
//	   |
//	   |  was the steady state bad before?      unsteady.go
//	   |  first bad window after the injection  window.go
//	   |  first good hold after that            recovery.go
//	   v
//	Answer{impact, onset, failover, recovery, failed requests, lost area}
//
// The package works on counts, so that simulations can call it as well. simulation_test.go simulates targets and
// prints how often the rules err:
//
//	BRUNT_FULL=1 go test ./scenarios/judge/effect -run Simulation -v
//
//	impact.go    Ask: Question and Answer
//	window.go    windows of detection, and whether one is bad
//	recovery.go  holds: whether a stretch shows recovery
//	edge.go      begin and end of an outage, to the single request
//	pause.go     stalls of users that cover no slice
//	incident.go  Incidents: outages of the whole load, whatever caused them
//	stretch.go   good service within an outage
//	latency.go   Slower: whether good answers were slower than in the baseline
//	shares.go    the same by shares of slow answers, if there are few
//	unsteady.go  whether the load was bad before the injection
//	usual_rate.go  requests that are bad without the fault as well, so that recovery can't be shown
//	smallest.go  the smallest outage that a load can show
//	slope.go     the slope of a series over time, and its interval
//	stats.go     binomial tails and bounds, and how many requests are enough
package effect
