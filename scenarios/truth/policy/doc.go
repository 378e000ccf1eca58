// Package policy plays a hostile scenario for each key of the language that holds an address, a name, a file, a command
// or an argument, in a network namespace that is watched from outside.
//
//	rows_test.go   a hostile scenario for each key; unplayed says why a key has none
//	     |
//	     v  under a policy: nothing may be seen       without one: the key must be seen, else the row proves nothing
//	run.Run in a namespace ---> packets at the other end of its only link    sniffer
//	                       ---> questions to its only name server            names
//	                       ---> canary files: opened, or made by a command   inotify
//
// The namespace has no uplink: its default route ends at a link without an answer, and the names all resolve to
// addresses behind it. So nothing leaves the machine.
//
// A new key of the language fails TestPolicy_Keys of scenarios/structure until it has its row here.
package policy
