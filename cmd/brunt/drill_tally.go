package main

import (
	"fmt"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/syntax"
)

// A tally is what became of drills: those of a sweep, and those of the library that fit the system.
type tally struct {
	swept   outcomes
	library outcomes
	failed  []string // of the sweep, not as declared, by name
}

// outcomes are how drills ended.
type outcomes struct{ all, tried, pairs, passed, failed, planned int }

// add adds a drill. Planned says that it failed as the scenario declares.
func (t *tally) add(a *attempt, planned bool) {
	of := &t.library
	if a.ofSweep() {
		of = &t.swept
	}
	if a.fits || a.ofSweep() {
		of.all++
	}
	if a.res == nil {
		return
	}
	of.tried++
	if a.pair {
		of.pairs++
	}
	switch {
	case planned:
		of.planned++
	case a.res.Verdict == scenarios.Pass:
		of.passed++
	case a.res.Verdict == scenarios.Fail:
		of.failed++
		if a.ofSweep() {
			t.failed = append(t.failed, a.name)
		}
	}
}

// String says what became of the drills, that of the sweep first; empty: none was tried and none fits.
func (t *tally) String() string {
	var out []string
	if n := t.swept; n.all > 0 {
		text := fmt.Sprintf("The sweep tried %d of %s", n.tried, syntax.Amount(n.all, "fault"))
		if n.pairs > 0 {
			text += fmt.Sprintf(", %s of them", syntax.Amount(n.pairs, "pair"))
		}
		text += fmt.Sprintf(": %d held, %d failed", n.passed, n.failed)
		if n.planned > 0 {
			text += fmt.Sprintf(", %d failed as declared", n.planned)
		}
		if unknown := n.tried - n.passed - n.failed - n.planned; unknown > 0 {
			text += fmt.Sprintf(", %d not known", unknown)
		}
		if out = append(out, text+"."); len(t.failed) > 0 {
			out = append(out, "Failed: "+strings.Join(t.failed, ", ")+".")
		}
	}
	switch n := t.library; {
	case n.all == 0:
	case t.swept.all == 0:
		out = append(out, drills.Share(n.passed, n.failed, n.all))
	case n.tried == 0:
		out = append(out, syntax.Amount(n.all, "drill")+" of the library fit, and none was tried.")
	default:
		out = append(out, "Of the library: "+drills.Share(n.passed, n.failed, n.all)+".")
	}
	return strings.Join(out, " ")
}

// ofSweep reports whether it is a fault or a pair of a sweep.
func (a *attempt) ofSweep() bool { return a.swept != nil || a.pair }

// The ranks of drills, in the order in which readers want them. One of the library comes after those of a sweep.
const (
	surprising = 2 * iota // it failed, and nothing declares that
	notKnown
	held // or it failed as declared
	notTried
)

// rank is the place of a drill among others.
func (a *attempt) rank(declared map[string]string) int {
	rank := notKnown
	switch {
	case a.res == nil:
		rank = notTried
	case a.res.Verdict == scenarios.Pass, a.planned(declared):
		rank = held
	case a.res.Verdict == scenarios.Fail, a.res.Verdict == scenarios.NotReverted:
		rank = surprising
	}
	if !a.ofSweep() {
		rank++
	}
	return rank
}

// planned reports whether it failed as the scenario declares.
func (a *attempt) planned(declared map[string]string) bool {
	return a.res != nil && a.swept != nil && a.swept.AsDeclared(declared) && a.res.Verdict == scenarios.Fail
}
