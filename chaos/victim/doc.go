// Package victim has the common parts of faults on the processes of a unit: the unit with its process, a step for each
// selected unit, and the injection after a restart of the unit.
//
//	Fault.Each --> Victim --> Planned.Plan --> Inject --restart of the unit--> Plan, Inject again
//
// [Stressors] starts child processes that use up a resource of the unit, or measure how much of it the unit gets.
package victim
