package words

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// busyMachine is the share of time in which some task waits for a processor, from which on the machine is called busy.
const busyMachine = .5

// trust says how far brunt's own time leaves a run's figures certain. It is nil if brunt made no load.
func trust(r *result.Result) *Trust {
	g := &r.Generator
	if r.Imported != "" || g.Offered == 0 && len(g.Limits) == 0 {
		return nil
	}
	t := &Trust{Mark: "✓", Tone: "good", Late: g.Lag.P99}
	late := "brunt itself sent 99% of requests at most " + Seconds(g.Lag.P99) + " late"
	open := openByLag(r)
	switch {
	case g.Healthy && open == 0 && g.Pressure >= busyMachine:
		t.Mark, t.Tone, t.Title = "!", "unsure", "Busy machine"
		t.Text = late + ". In the worst ten seconds tasks waited for a processor " + wholePercent(float64(g.Pressure)) +
			" of the time, so a target on this machine may have been slower for it" +
			pick(hasClosed(r), ", and may have had less load: the users of a closed load wait for brunt.", ".")
		return t
	case g.Healthy && open == 0:
		t.Title = "Quiet machine"
		if !g.Pressure.Known() {
			t.Title = "On time"
		}
		t.Text = late + "."
		return t
	case g.Healthy: // late at the wrong moment
		t.Mark, t.Tone, t.Title = "!", "unsure", "Late for a moment"
		if countObjectives(r, openByMachine) > 0 {
			t.Title = "Busy machine"
		}
		if g.Lag.Max.Known() {
			late += ", and one " + Seconds(g.Lag.Max) + " late"
		}
		t.Text = late + ". " + openText(open, "") + "."
		return t
	}
	t.Mark, t.Tone, t.Title = "!", "unsure", "Busy machine"
	usedUp := func(l result.Limit) bool { return l.Remedy == result.MoreCores }
	if !g.LateAlone() || slices.ContainsFunc(g.Limited, usedUp) {
		t.Title = "brunt at its limit"
		if !g.Lag.P99.Known() {
			late = Clean(firstOf(g.Limits))
		}
	}
	failed := countObjectives(r, func(o *result.ObjectiveResult) bool {
		// an invalid run says nothing of the target
		return o.Verdict == scenarios.Fail && r.Verdict != scenarios.Invalid
	})
	t.Text = late + "."
	switch {
	case failed == 1:
		t.Text += " The failure stands without it"
	case failed > 1:
		t.Text += " The " + Int(failed) + " failures stand without it"
	case open > 0 || len(r.Objectives) == 0 || r.Verdict == scenarios.Invalid:
	case hasClosed(r):
		t.Text += " The users of a closed load wait for brunt too, so the target may have had less load than they make"
	default:
		t.Text += " The verdict is the same without it"
	}
	switch {
	case open > 0 && failed > 0:
		t.Text += "; " + openText(open, "other ")
	case open > 0:
		t.Text += " " + openText(open, "")
	}
	if t.Text == late+"." {
		t.Text += " Read response times as upper limits."
	} else {
		t.Text += "; read response times as upper limits."
	}
	return t
}

// hasClosed reports whether a load that brunt makes is closed. Its users send nothing while they wait for brunt, and no
// figure counts that wait.
func hasClosed(r *result.Result) bool {
	return slices.ContainsFunc(r.Loads, func(l result.LoadInfo) bool { return l.Closed && l.Engine == "" })
}

// openByOwnTime reports whether brunt's own time leaves an objective open: it is invalid or undecided because of that.
func openByOwnTime(o *result.ObjectiveResult) bool {
	if o.Verdict != scenarios.Inconclusive {
		return o.Verdict == scenarios.Invalid && o.Why == result.Late
	}
	return openByMachine(o) || o.Because.Has(result.SlowerOwn, result.OwnSlow, result.OwnLate)
}

// openByMachine reports whether an objective is undecided because other programs held the processors of the machine.
func openByMachine(o *result.ObjectiveResult) bool {
	return o.Verdict == scenarios.Inconclusive && o.Because.Has(result.MachineFails)
}

// openByLag counts the objectives that are not certain because of brunt's own time.
func openByLag(r *result.Result) int64 { return countObjectives(r, openByOwnTime) }

func countObjectives(r *result.Result, counts func(*result.ObjectiveResult) bool) (n int64) {
	for i := range r.Objectives {
		if counts(&r.Objectives[i]) {
			n++
		}
	}
	return n
}

// openText says that n verdicts are not certain. A kind such as "other " stands before the noun.
func openText(n int64, kind string) string {
	return Plural(n, kind+"verdict is", kind+"verdicts are") + " not certain because of it"
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// Line returns the title and the text in one line.
func (t *Trust) Line() string { return t.Title + ": " + t.Text }
