// Package clock has the fault on the clock of a unit: time.skew rewrites the code by which its processes read
// the time of day (package vdso).
package clock
