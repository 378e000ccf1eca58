// Package platform starts the system that a scenario loads and breaks, and always stops it afterwards. A unit is one
// replica of a service; its name is service[i].
//
//	Spec --driver--> Group --Up----> Prepare, then units in the order of their links: start, await ready
//	                   |               after an error Down, so that nothing is left running
//	                   '-----Down--> units removed together, then Release
//
// A [Group] has the same life cycle on every platform. Its [Driver] creates the objects that all units share, and an
// [Instance] is one unit:
//
//	platform/process     commands that brunt starts, supervises and restarts
//	platform/container   containers that brunt creates in a Docker engine, which supervises them
//	platform/compose     a project of the machine's Compose command
//	platform/kube        the manifests of pods in a cluster, which a run creates together
//
// A process reaches another service only through declared links. brunt puts a proxy between each pair of units, so
// that it can slow or cut the link. Containers have real networks without a proxy.
//
// To add a built-in system, write a file with a struct whose exported fields are its YAML, with a Spec method, and
// add a line to [Kinds]. To add a platform, write a package with a Driver and an Instance, and a function New that
// returns a Group.
package platform
