// Package pulse finds the spans in which brunt itself did not run: it was stopped, the machine was
// suspended, or it got no processor. Requests in such a span say nothing about the target.
//
//	a timer, every 20 ms --> late by 50 ms or more? --> [Pulse.Freezes] --> measure, run/generator
//	     every 5 ms, with a CPU quota --> late by 5 ms or more, and stopped by it?
package pulse
