// Package probe has the commands and calls that a scenario's author writes, and the queries that use
// them: whether a fault has an effect, whether the team's monitoring has noticed it, and the value of
// a metric.
//
//	Command, Call --resolve--> ResolvedCommand, ResolvedCall --run--> exit code, answer
//	Asking{command, get, metric, query} --------------------> holds or not
//	Detect, Alert, Gauge -----------------------------------> sightings, alert states, values
//
// A resolved command or call can be written into a journal: it holds its secrets by name.
package probe
