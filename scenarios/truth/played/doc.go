// Package played compares the rules of the verdict with a truth, without sockets. Its tests play the log of a load
// into the recorder and the judge, in virtual time.
//
//	truth.Script --truth.Load.Play--> log --outcomes--> measure.Recorder --judge.Judge--> findings
//	                                   '--truth.Of--> counts, outages, recovery --compared--'
//
// Package truth computes the truth from the log, and shares nothing with the recorder and the judge. To add a case,
// add a row to cases_test.go: a script, faults, and the verdict of each objective. Cases that are written only from
// the definitions are in definitions_test.go and by_hand_test.go, those on slower answers in slower_test.go.
package played
