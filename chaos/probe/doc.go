// Package probe holds the commands and calls that the author of a scenario writes, and the questions that
// brunt asks by them: whether a fault has an effect, whether the team's monitoring has noticed it, what a metric
// is.
//
//	Command, Call --resolve--> ResolvedCommand, ResolvedCall --run--> exit code, answer
//	Asking{command, get, metric, query} --------------------> holds or not
//	Detect, Alert, Gauge -----------------------------------> sightings, alert states, values
//
// What is resolved can be written into a journal: secrets stand in it by their names.
package probe
