// Package noise measures how quiet a machine was during a run, and tells whether that is outside of what a history of
// runs has seen. A run on a machine that is noisier than that of its history says nothing about the target.
//
//	probe -> run -> probe -> Noise -> Norm of the history -> within, or how it exceeds it
//
// Figures are of two kinds. The calibration probe, before and after the load, and stolen CPU time do not depend on the
// target. brunt's own lag and the CPU pressure during the load do: a target on the same machine that uses more of the
// processors raises them.
//
//	noise.go   the figures of a run, and the norm of a history
//	probe.go   the calibration probe and the meter of a run
//
// To add a figure, add a field to Noise and a row to figures.
package noise
