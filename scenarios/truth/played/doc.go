// Package played compares the rules of the verdict with a truth, without sockets: its tests play the log of
// a load into the recorder and the judge, in virtual time.
//
//	truth.Script --truth.Load.Play--> log --outcomes--> measure.Recorder --judge.Judge--> findings
//	                                   '--truth.Of--> counts, outages, recovery --compared--'
//
// The truth is computed from the log by package truth, which shares nothing with the recorder and the
// judge. To add a case, add a row to cases_test.go: a script, faults, and the verdict of each objective. Cases that are
// written from the definitions alone are in definitions_test.go.
package played
