// Package events holds the clock of a run, its events and its notes.
//
//	targets, faults, scripts --Event----> Log --Options.Event--> live displays
//	every part of the run -----Note----->  |---Subscribe-------> scripts
//	`brunt note` --------------Receive-->  '---Events, Noted---> result.Result
//
// A [Log] masks secrets in everything that it records. Its times are offsets from one t0: a run creates its log
// before it knows t0, and calls [Log.Begin] when the load begins.
package events
