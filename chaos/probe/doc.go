// Package probe has the commands and calls that a scenario's author writes, and the queries that use
// them: whether a fault has an effect, whether the team's monitoring has noticed it, and the value of
// a metric.
//
//	Command, Call --resolve--> ResolvedCommand, ResolvedCall --run--> exit code, answer
//	Asking{command, exec, path, scrape, prometheus, ask} --> Question --> yes or no, or a value
//	Detect, Alert, Gauge ----------------------------------> sightings, alert states, values
//
// All questions have one syntax, [Asking], with one parser, schema and runner. To add a way to ask, add its key to
// Asking and to its kinds, and write a Question.
//
// A resolved command or call can be written into a journal: it holds its secrets by name.
package probe
