package run

import (
	"brunt/scenarios"
	"brunt/scenarios/machine"
)

// ownFiles are the open files that brunt needs for itself: logs, links, the report.
const ownFiles = 256

// wants tells how many open files the plan may need, and how many of them are not
// brunt's to save: those of loads whose author set their number.
func (p *Plan) wants() (all, fixed uint64) {
	all, fixed = ownFiles, ownFiles
	for i := range p.Loads {
		lp := &p.Loads[i]
		all += uint64(lp.inFlight())
		if lp.MaxInFlight > 0 || lp.Schedule.Closed() {
			fixed += uint64(lp.inFlight())
		}
	}
	return all, fixed
}

// files raises the limit of open files to what the loads may need. Where it can't
// go that high, loads whose author set no limit get one that fits.
func (r *runner) files() {
	want, fixed := r.wants()
	soft, hard := machine.RaiseFileLimit(want)
	if soft >= want {
		return
	}
	if fixed > soft {
		r.note("the loads may need %d open files, and this process may have %d (hard limit %d): raise `ulimit -n`, or requests will fail for want of sockets", want, soft, hard)
	}
	share := float64(soft-min(soft, fixed)) / float64(want-fixed+1)
	for i := range r.Loads {
		if lp := &r.Loads[i]; lp.MaxInFlight == 0 && !lp.Schedule.Closed() {
			lp.MaxInFlight = max(100, int(share*float64(lp.inFlight())))
		}
	}
}

// inFlight is how many iterations a load may have under way.
func (lp *LoadPlan) inFlight() int {
	switch {
	case lp.Schedule.Closed():
		return int(lp.Schedule.Users.Max() + .5)
	case lp.MaxInFlight > 0:
		return lp.MaxInFlight
	}
	return scenarios.DefaultMaxInFlight
}
