// Package k6 runs loads that are k6 scripts. It starts the script in a separate process,
// brunt-k6, and turns its messages into outcomes.
//
//	brunt                                     brunt-k6 (links k6, AGPL-3.0)
//	  Start --Config, Command: lines on stdin--> the script in a wrapper
//	  Read  <--frames on stdout--------------- k6's samples, folded
//	  log   <--stderr------------------------- console.log, k6's own messages
//
// This package does not import k6. Only cmd/brunt-k6, which is a module of its own, does; it passes samples to a
// [Stream]. So the protocol between the two processes is tested without k6.
//
// The files:
//
//	wire.go       frames: requests and iterations in a few bytes each
//	message.go    messages from and to the script
//	stream.go     the script's side: samples to frames, in bounded memory
//	step.go       the step that a request belongs to, by its tags
//	tally.go      the script's own metrics, summed up like k6 does
//	sketch.go     a distribution of any numbers, in bounded memory
//	threshold.go  the script's thresholds, evaluated like k6 does
//	options.go    the script's options, with the changes by the scenario
//	part.go       one script divided between several processes, and the sum of their metrics
//	inspect.go    the plan of a script: its scenarios, thresholds and times
//	find.go       where brunt-k6 is, and how to build it
//	child.go      the process: starts it, sends commands, ends it; peak.go its peak memory
//
// The time of a request is its service time. k6 has no intended times, and drops an iteration if no virtual user is
// free for it. A dropped iteration is an error `dropped`.
package k6
