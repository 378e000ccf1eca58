// Package victim has what faults on the processes of a unit share: the unit with its process, a step for
// each selected unit, and the fault injected again after the container restarts.
//
//	Fault.Each --> Victim --> Planned.Plan --> Inject --restart of the container--> Plan, Inject again
//
// [Stressors] starts child processes that use up a resource of the unit, or measure what it gets.
package victim
