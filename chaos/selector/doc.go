// Package selector finds what a fault hits: units by a [Selector], links and packets by an [Edge].
//
//	service, unit, zone, pid, labels --> Selector --pick--> units
//	from, to, service, unit, zone -----> Edge -----pick--> links, or injection points in the networks of containers
//
// Both check their settings against what the target is made of before the run, tell which units they could
// reach, and find the leader where `pick: leader` asks for it.
package selector
