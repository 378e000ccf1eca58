// Package target brings the target of a run up and takes it down: processes, containers, pods or a Compose
// project that the run starts, or a target that already runs.
//
//	New --> Up: links, units, ready --> Units, Links --> faults
//	          |                         Base --------> loads
//	          '- journal: how to take it down, before anything is started
//	    --> Watch: events of its containers --> events.Log, timeline.Timeline
//	    --> Down: units, links, whatever they left
//
// A link is a proxy between two units, or between the load and its target. It exists only if a fault of the plan
// needs it.
package target
