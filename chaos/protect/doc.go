// Package protect says what no fault may hit, whichever selector has named it.
//
//	pid, unit, service, container, labels
//	          |
//	        [chaos.Hit] --> process --> control group --> container --> labels, names of policies
//	                           |            |                |
//	                        brunt, engine,  containers    containers that share its network,
//	                        kernel, system  around it     processes or filesystem
//
// Only [chaos.Targets.Refused] asks a [Guard]: when brunt plans a fault, also for a dry run, again just before each
// injection, and before it injects a fault again after a restart. A Guard does not rely on names. It looks up which
// process a unit is now and which containers that process is in. It therefore also refuses a process of a protected
// container by its number, and one that was started there by exec, that has left the container's control group or is a
// child of such a process.
//
// To add a rule, add it to [Guard.process] or [Guard.container]. A refusal says what is protected, by which rule, and
// what would allow it.
package protect
