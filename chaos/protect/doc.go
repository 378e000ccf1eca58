// Package protect says what no fault may hit, whichever selector has named it.
//
//	pid, unit, service, container, labels
//	          |
//	        [chaos.Hit] --> process --> control group --> container --> labels, names of policies
//	                           |            |                |
//	                        brunt, engine,  containers    containers that share its network,
//	                        kernel, system  around it     processes or filesystem
//
// A [Guard] is asked by [chaos.Targets.Refused] alone: when a fault is planned, which a dry run does too, again just
// before each injection, and before what a restart has removed is injected again. It trusts no name. It looks up which process a
// unit is now and which containers that process is in. So a process of a protected container is refused by its number too, and
// so is one that was started there by exec, that has left the container's control group or is a child of such a process.
//
// To add a rule, add it to [Guard.process] or [Guard.container]. A refusal says what is protected, by which rule, and what would
// allow it.
package protect
