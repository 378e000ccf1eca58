package site

import (
	"fmt"
	"time"

	"brunt/reporters/evidence"
	"brunt/scenarios/result"
	"brunt/scenarios/result/programme"
)

// A Plan holds what the programme of a site shows besides its runs.
type Plan struct {
	Cadences []programme.Cadence
	Signers  *evidence.Signers // whose attestations count; nil: of any key
	// returns the ways to fail that no run tried, by system; nil: none are shown
	Untried func([]*result.Result) []programme.Untried
}

// programmeFile is the page of the programme of a site of files.
const programmeFile = "programme.html"

// Programme returns the programme of the runs in folders at a time, without links to their pages. Problems lists the
// runs that could not be read, as sentences.
func Programme(roots []string, plan Plan, at time.Time) (p *programme.Programme, problems []string) {
	list, problems := find(roots, nil)
	p, more := programmeOf(navigation{list: list, run: func(*entry) string { return "" }}, plan, at)
	return p, append(problems, more...)
}

func programmeOf(n navigation, plan Plan, at time.Time) (p *programme.Programme, problems []string) {
	var runs []programme.Run
	var tried []*result.Result
	for _, e := range n.list {
		run := programme.Run{Folder: e.Key, Link: n.run(e), Result: e.brief()}
		attested, err := evidence.ReadAttestations(e.dir, plan.Signers)
		if err != nil {
			problems = append(problems, fmt.Sprintf("The attestations of %s can't be read: %v.", e.Key, err))
		}
		for _, a := range attested {
			one := programme.Attestation{By: a.By, At: a.At, States: a.States, Problem: a.Problem}
			if a.Signed != nil && a.Problem == "" {
				one.Key = a.Signed.Key
			}
			run.Attested = append(run.Attested, one)
		}
		runs = append(runs, run)
		if !e.Started.After(at) {
			tried = append(tried, run.Result)
		}
	}
	p = programme.Of(runs, plan.Cadences, at)
	if plan.Untried != nil {
		p.Untried = plan.Untried(tried)
	}
	return p, problems
}

// brief returns the parts of a run's result that its head holds.
func (e *entry) brief() *result.Result {
	r := &result.Result{
		Run: e.Run, Name: e.Name, Verdict: e.Verdict, Reason: e.Reason, Meta: e.Meta, Started: e.Started,
		Ended: e.Ended, Duration: e.Duration, Objectives: e.Objectives, Control: e.Control, Faults: e.Faults,
	}
	r.Environment.Units = e.Environment.Units
	for _, u := range e.Usage {
		r.Usage = append(r.Usage, result.UnitUsage{Unit: u.Unit, Service: u.Service})
	}
	return r
}
