package reporters

import (
	"net/url"
	"regexp"
	"strconv"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// slowView is a row of the slowest requests.
type slowView struct {
	Step, Response, At, Outcome, Faults string
	Trace                               *traceView
	Curl                                string // the command that sends it again; empty is not known
}

// traceView is a trace; Link is where it is seen, empty where nobody said.
type traceView struct{ ID, Link string }

// mostSlowRows bounds the table of slowest requests.
const mostSlowRows = 60

func (p *page) slowest(r *result.Result) {
	for i := range r.Slowest[:min(len(r.Slowest), mostSlowRows)] {
		s := &r.Slowest[i]
		outcome := clean(s.Outcome)
		if s.Status != 0 {
			outcome += ", status " + strconv.Itoa(s.Status)
		}
		p.Slowest = append(p.Slowest, slowView{
			Curl: curlOf(s.Curl),
			Step: clean(s.Step), Response: seconds(s.Response), At: offset(s.At),
			Outcome: outcome, Faults: clean(join(s.Faults)), Trace: traceOf(r.TraceLink, s.Trace),
		})
		p.Traced = p.Traced || s.Trace != ""
		p.Curled, p.Uncurled = p.Curled || s.Curl != "", p.Uncurled || s.Curl == ""
	}
	p.Uncurled = p.Uncurled && p.Curled // else there is no column
}

var traceIDForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// traceOf is a trace by its id; nil is none. A link that is not one of http or https is
// left out.
func traceOf(link, id string) *traceView {
	if !traceIDForm.MatchString(id) {
		return nil
	}
	v := &traceView{ID: id}
	u, err := url.Parse(scenarios.TraceLink(link, id))
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil {
		v.Link = u.String()
	}
	return v
}
