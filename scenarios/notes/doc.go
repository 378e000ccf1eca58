// Package notes passes notes to a running run. `brunt note` writes a note to a folder of the state directory, and the
// run reads it there.
//
//	RunningIn --> Running.Leave --> STATE/notes/RUN/N.json --> Open: take(Note)
//	lists runs    writes a file,                                 the run reads and
//	              waits until it                                 removes the file
//	              is taken
//
// A run touches a file in its folder every second. A folder that was not touched for a while belongs to a run that
// died or is suspended. It is not listed, and is removed later.
package notes
