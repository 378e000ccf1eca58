package html

import (
	"cmp"
	"slices"
	"strconv"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// slowestView is a row of the slowest requests.
type slowestView struct {
	Step, Response, At, Outcome, Faults string
	Timings                             string // where its time went
	Trace                               *words.Trace
	Curl                                string // the command that sends the request again; empty: unknown
}

// slowTable is a table of the slowest requests. The page decides which columns it has.
type slowTable struct {
	Page *pageView
	Rows []slowestView
}

func slowOf(p *pageView, rows []slowestView) slowTable { return slowTable{p, rows} }

// mostSlowRows bounds the slowest requests; mostSlowest bounds the ones that are not folded.
const (
	mostSlowRows = 60
	mostSlowest  = 5
)

func (p *pageView) slowest(r *result.Result) {
	all := slices.Clone(r.Slowest) // their order in the result is by step
	slices.SortStableFunc(all, func(a, b result.SlowRequest) int { return cmp.Compare(b.Response, a.Response) })
	for i := range all[:min(len(all), mostSlowRows)] {
		s := &all[i]
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
	p.Uncurled = p.Uncurled && p.Curled // otherwise the table has no column of commands
	if len(p.Slowest) > mostSlowest+1 {
		p.Slowest, p.Slower = p.Slowest[:mostSlowest], p.Slowest[mostSlowest:]
	}
}
