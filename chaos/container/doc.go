// Package container is a unit that runs in a container of a Docker engine, and what brunt does by the
// engine: removing what a run has made there, and starting helpers beside a container.
//
//	Container --Inspect--> engine      ref (name) -> id + start time -> same container? -> act
//
// A container is meant by its name, so that one that Compose recreates is the same unit. An undo is
// held against the id and the start time: a successor is never touched.
package container
