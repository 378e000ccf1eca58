package run

import "brunt/scenarios"

// files raises the limit of open files to what the loads may need. Where it can't
// go that high, loads whose author set no limit get one that fits.
func (r *runner) files() {
	const own = 256 // for logs, links, the report
	want, fixed := uint64(own), uint64(own)
	for i := range r.Loads {
		lp := &r.Loads[i]
		want += uint64(lp.inFlight())
		if lp.MaxInFlight > 0 || lp.Schedule.Closed() {
			fixed += uint64(lp.inFlight())
		}
	}
	soft, hard := raiseFiles(want)
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
