package run

import (
	"brunt/scenarios/machine"
)

// files raises the limit of open files to what the loads may need. Where the hard limit is too low,
// loads without a limit of their own get one that fits.
func (r *runner) files() {
	want, fixed := r.FilesNeeded()
	soft, hard := machine.RaiseFileLimit(want)
	if soft >= want {
		return
	}
	if fixed > soft {
		r.Note("the loads may need %d open files, and this process may have %d (hard limit %d): raise `ulimit -n`, or requests will fail for want of sockets", want, soft, hard)
	}
	share := float64(soft-min(soft, fixed)) / float64(want-fixed+1)
	for i := range r.Loads {
		if lp := &r.Loads[i]; lp.MaxInFlight == 0 && !lp.Schedule.Closed() {
			lp.MaxInFlight = max(100, int(share*float64(lp.InFlight())))
		}
	}
}
