// Package container is a unit in a container of a Docker engine, and what brunt does through the
// engine: removing what a run has created there, and starting agents beside a container.
//
//	Container --Inspect--> engine      ref (name) -> id + start time -> same container? -> act
//
// A container is identified by its name, so that a container that Compose recreates is the same unit.
// An undo checks the id and the start time: a successor is never touched.
package container
