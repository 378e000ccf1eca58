package play

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

// Tally says what became of the drills, that of the sweep first; empty: none was tried and none fits.
func (c *Campaign) Tally() string {
	var t tally
	for _, a := range c.Attempts {
		t.add(a)
	}
	return t.String()
}

// add adds a drill.
func (t *tally) add(a *Attempt) {
	of := &t.library
	if a.OfSweep() {
		of = &t.swept
	}
	if a.fits || a.OfSweep() {
		of.all++
	}
	if a.Result == nil {
		return
	}
	of.tried++
	if a.Pair {
		of.pairs++
	}
	switch {
	case a.AsDeclared():
		of.planned++
	case a.Result.Verdict == scenarios.Pass:
		of.passed++
	case a.Result.Verdict == scenarios.Fail:
		of.failed++
		if a.OfSweep() {
			t.failed = append(t.failed, a.Name)
		}
	}
}

// String says what became of the drills, as [Campaign.Tally] does.
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

// OfSweep reports whether it is a fault or a pair of a sweep.
func (a *Attempt) OfSweep() bool { return a.swept != nil || a.Pair }

// AsDeclared reports whether it failed as the scenario declares.
func (a *Attempt) AsDeclared() bool {
	return a.hard && a.Result != nil && a.Result.Verdict == scenarios.Fail
}

// Held reports whether it was run, and the system held or failed as declared.
func (a *Attempt) Held() bool {
	return a.Result != nil && (a.Result.Verdict == scenarios.Pass || a.AsDeclared())
}

// The ranks of drills, in the order in which readers want them. One of the library comes after those of a sweep.
const (
	surprising = 2 * iota // it failed, and nothing declares that
	notKnown
	held // or it failed as declared
	notTried
)

// rank is the place of a drill among others.
func (a *Attempt) rank() int {
	rank := notKnown
	switch {
	case a.Result == nil:
		rank = notTried
	case a.Held():
		rank = held
	case a.Result.Verdict == scenarios.Fail, a.Result.Verdict == scenarios.NotReverted:
		rank = surprising
	}
	if !a.OfSweep() {
		rank++
	}
	return rank
}
