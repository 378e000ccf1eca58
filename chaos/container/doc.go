// Package container represents units that run in containers of a Docker engine. It also removes what a run
// has created in the engine, and starts agents beside a container.
//
//	Container --Inspect--> engine      ref (name) -> id + start time -> same container? -> act
//
// A container is identified by its name, so that a container that Compose recreates is the same unit.
// An undo checks the id and the start time: a successor is never touched.
package container
