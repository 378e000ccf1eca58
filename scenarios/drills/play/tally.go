package play

import (
	"fmt"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/syntax"
)

// A tally counts the outcomes of drills: those of a sweep, and those of the library that fit the system.
type tally struct {
	swept   outcomes
	library outcomes
	failed  []string // drills of the sweep that failed although the scenario does not declare it, by name
}

// outcomes counts how drills ended.
type outcomes struct{ all, tried, pairs, passed, failed, planned int }

// Tally sums up the outcomes of the drills in sentences, the sweep first. It is empty if no drill was tried and none
// fits.
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
	case a.Held(), !a.OfSweep() && a.Result.Verdict == scenarios.Pass: // the library counts verdicts
		of.passed++
	case a.Result.Verdict == scenarios.Fail:
		of.failed++
		if a.OfSweep() {
			t.failed = append(t.failed, a.Name)
		}
	}
}

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

// OfSweep reports whether the attempt is a fault or a pair of a sweep.
func (a *Attempt) OfSweep() bool { return a.swept != nil || a.Pair }

// AsDeclared reports whether the drill failed as the scenario declares.
func (a *Attempt) AsDeclared() bool {
	return a.hard && a.Result != nil && a.Result.Verdict == scenarios.Fail
}

// Held reports whether the drill was run, and the system held or failed as declared. It did not hold if a step had an
// outage that no objective asks about.
func (a *Attempt) Held() bool {
	return a.Result != nil && (a.Result.Verdict == scenarios.Pass && !a.Result.HidesOutage() || a.AsDeclared())
}

// The ranks of drills, in the order for readers. A drill of the library comes after a drill of the sweep of the same
// rank.
const (
	surprising = 2 * iota // it failed, and the scenario does not declare that
	notKnown
	held // or it failed as declared
	notTried
)

// rank returns the place of a drill among the attempts.
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
