// Package notes passes notes to a run that is under way: `brunt note` leaves one in a
// folder of the state directory, and the run takes it from there.
//
//	RunningIn --> Running.Leave --> STATE/notes/RUN/N.json --> Open: take(Note)
//	lists runs    writes a file,                                 the run reads and
//	              waits until it                                 removes the file
//	              is taken
//
// A run touches a file of its folder every second. A folder that was not touched for a
// while belongs to a run that died or is suspended; it is not listed, and later removed.
package notes
