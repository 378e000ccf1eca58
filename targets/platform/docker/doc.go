// Package docker speaks to a Docker engine for faults on containers: it finds the
// engine as Docker's own command does, finds containers, changes their state, and tells
// of what happens to them. It knows no fault, and keeps no state of its own.
//
//	Open --DOCKER_HOST, context, socket--> Engine --> Find, Inspect     read only
//	                                              --> Kill, Stop, ...   lifecycle
//	                                              --> Events            by the engine's own clock
//	                                              --> BuildSelf         an image FROM scratch, without a registry
//
// What brunt makes in an engine carries the label [RunLabel] with the name of its run.
// A container that carries [ProtectLabel] is never touched.
package docker
