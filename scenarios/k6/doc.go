// Package k6 is the engine of loads that are scripts of k6: it starts the script in a
// process of its own, brunt-k6, and turns what comes back into outcomes.
//
//	brunt                                     brunt-k6 (links k6, AGPL-3.0)
//	  Start --Config, Command: lines on stdin--> the script in a wrapper
//	  Read  <--frames on stdout--------------- k6's samples, folded
//	  log   <--stderr------------------------- console.log, k6's own messages
//
// Neither half knows k6 here: what knows it is cmd/brunt-k6, which hands samples to a
// [Stream]. So all that can go wrong between the two is tested without it.
//
// The files:
//
//	wire.go       frames: requests and iterations in a few bytes each
//	message.go    messages from and to the script
//	stream.go     the script's half: samples to frames, in bounded memory
//	step.go       the step that a request belongs to, by its tags
//	tally.go      the script's own metrics, as k6 would sum them up
//	sketch.go     a distribution of any numbers, in bounded memory
//	threshold.go  the script's thresholds, as k6 would judge them
//	options.go    the script's options with what the scenario says instead
//	inspect.go    what a script will do: its scenarios, thresholds and times
//	find.go       where brunt-k6 is, and how to build it
//	child.go      the process: starts it, sends commands, ends it
//
// A request's time is service time: k6 knows no intended time, and drops an iteration
// that it has no virtual user for. Such a one is an error `dropped`.
package k6
