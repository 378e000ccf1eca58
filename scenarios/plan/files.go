package plan

import "brunt/scenarios"

// OwnFiles is the number of open files that brunt needs for itself: logs, links, the report.
const OwnFiles = 256

// FilesNeeded returns how many open files the plan may need, and how many of them brunt can't reduce: those of loads
// whose author set their number.
func (p *Plan) FilesNeeded() (all, fixed uint64) {
	all, fixed = OwnFiles, OwnFiles
	for i := range p.Loads {
		lp := &p.Loads[i]
		all += uint64(lp.InFlight())
		if lp.MaxInFlight > 0 || lp.Schedule.Closed() {
			fixed += uint64(lp.InFlight())
		}
	}
	return all, fixed
}

// InFlight returns how many iterations a load may have in flight.
func (lp *Load) InFlight() int {
	switch {
	case lp.Schedule.Closed():
		return int(lp.Schedule.Users.Max() + .5)
	case lp.MaxInFlight > 0:
		return lp.MaxInFlight
	}
	return scenarios.DefaultMaxInFlight
}
