// Package journal writes down each fault before a run injects it, and reverts the faults that a dead run has left.
//
//	intent --> inject --> done             brunt lives
//	intent --> inject --x   Watchdog       brunt dies: a child in a session of its own replays the journal
//	intent --> inject --x   RemoteWatchdog brunt dies in a container: a container beside it replays the journal
//	intent --> inject --x   Recover        both die: the next run, or `brunt revert`, replays the journal
//
// A journal is a file of JSON lines, each synced to the disk before brunt does what it says. An entry carries undos;
// [chaos.Operations], which every function here takes as a parameter, say how to execute them. The package does not
// depend on faults.
//
// Without a journal, [Discover] finds what dead runs have left: by the marks in the environment of their processes and
// the labels in the engine, by the copies of entries that the kernel keeps, and by the marks and values that operations
// search for ([chaos.Operation.Find]). A remnant without a mark is not proven to be brunt's.
//
// To add an undo operation, name it in the Undo of the fault's [chaos.Descriptor]; see package chaos.
package journal
