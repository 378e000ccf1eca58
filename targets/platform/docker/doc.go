// Package docker is a client of the Docker engine. It finds the engine like Docker's own command, finds containers,
// changes their state, and reports their events. It does not depend on faults and keeps no state.
//
//	Open --DOCKER_HOST, context, socket--> Engine --> Find, Inspect     read only
//	                                              --> Kill, Stop, ...   lifecycle
//	                                              --> Events            by the engine's own clock
//	                                              --> BuildSelf         an image FROM scratch, without a registry
//
// Everything that brunt creates in an engine carries the label [containers.RunLabel] with the name of its run.
// brunt never touches a container that carries [containers.ProtectLabel].
package docker
