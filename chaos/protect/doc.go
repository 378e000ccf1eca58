// Package protect decides what no fault may hit, whichever selector names it.
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
// container that is given by its number, one that was started there by exec, one that has left the container's control
// group, and children of such processes.
//
// To add a rule, add it to [Guard.process] or [Guard.container]. A refusal names the protected thing, the rule, and the
// setting that would allow the hit.
package protect
