package html

import (
	"strconv"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// slowestView is a row of the slowest requests.
type slowestView struct {
	Step, Response, At, Outcome, Faults string
	Timings                             string // where its time went
	Trace                               *words.Trace
	Curl                                string // the command that sends it again; empty: not known
}

// mostSlowRows bounds the table of slowest requests.
const mostSlowRows = 60

func (p *pageView) slowest(r *result.Result) {
	for i := range r.Slowest[:min(len(r.Slowest), mostSlowRows)] {
		s := &r.Slowest[i]
		outcome := words.Clean(s.Outcome)
		if s.Status != 0 {
			outcome += ", status " + strconv.Itoa(s.Status)
		}
		p.Slowest = append(p.Slowest, slowestView{
			Curl: curlOf(s.Curl),
			Step: words.Clean(s.Step), Response: words.Seconds(s.Response), At: words.Offset(s.At),
			Outcome: outcome, Faults: words.Clean(words.Join(s.Faults)), Trace: words.TraceOf(r.TraceLink, s.Trace),
			Timings: words.SlowTimings(s),
		})
		p.Traced = p.Traced || s.Trace != ""
		p.Curled, p.Uncurled = p.Curled || s.Curl != "", p.Uncurled || s.Curl == ""
	}
	p.Uncurled = p.Uncurled && p.Curled // otherwise there is no column
}
