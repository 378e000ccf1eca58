// Package revert makes the steps by which a fault is taken back, in any process that reads the journal.
//
//	plan of the run, steps --Keep--> a scenario of the steps alone --> journal
//	journal --Operations--> the scenario, compiled --once.Iteration--> target
//
// What is kept has the URLs and settings of the target's endpoints, the addresses of units, and the allow-lists of the run, which hold for
// the steps wherever they are made. Secrets that come from the environment or from a file stay placeholders.
package revert
