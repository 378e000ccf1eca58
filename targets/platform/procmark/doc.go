// Package procmark finds and kills processes by marks in their environment, such as BRUNT_RUN=name.
//
// A process that brunt starts carries the marks of its run, and so do all its descendants. A child can
// leave its process group or its session, but it keeps its environment unless it replaces it on purpose.
package procmark
