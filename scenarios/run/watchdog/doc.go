// Package watchdog takes the faults of a run back when the run itself does not.
//
//	Protection.Open   the journal, and the watchdogs that read it: a process, and a container where brunt runs in one
//	NewAwake          brunt stood still: what did its watchdog take back meanwhile?
//	Protection.Close  both end; what is still in is said
//
// What a watchdog does is package journal's; what it is for is said in package chaos.
package watchdog
