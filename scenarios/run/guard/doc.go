// Package guard takes the faults of a run back when the run itself does not, and makes the steps by which that is done.
//
//	Protection.Open   the journal, and the watchdogs that read it: a process, and a container where brunt runs in one
//	NewAwake          brunt stood still: what did its watchdog take back meanwhile?
//	Protection.Close  both end; what is still in is said
//	Keep, Operations  the steps of a revert, kept in the journal and made by any process that reads it
//	HoldOnce          one iteration of steps, apart from a load
//
// What a watchdog does is package journal's; what it is for is said in package chaos.
package guard
