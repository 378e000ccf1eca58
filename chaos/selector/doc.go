// Package selector finds what a fault hits: units by a [Selector], links and packets by an [Edge].
//
//	service, unit, zone, pid, labels --> Selector --pick--> units
//	from, to, service, unit, zone -----> Edge -----pick--> links, or injection points in the networks of containers
//
// Both check their settings against the [chaos.Scope] of the target before the run, list the units that they could hit,
// and find the leader for `pick: leader`.
package selector
