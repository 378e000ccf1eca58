// Package guard takes the faults of a run back if the run itself does not, and runs the steps that do so.
//
//	Protection.Open   the journal, and the watchdogs that read it: a process, and a container where brunt runs in one
//	NewAwake          after brunt stood still: which faults did its watchdog take back meanwhile?
//	Protection.Close  ends both, and says which faults are still in
//	KeepRun           the steps of a revert, in the form that the journal keeps
//	Operations        runs these steps in any process that reads the journal
//	HoldOnce          iterations of steps outside of a load
//
// Package journal implements the watchdog; package chaos explains its purpose.
package guard
