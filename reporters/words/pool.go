package words

import (
	"fmt"

	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// PoolSentence says how often the occurrences of a fault met an objective, and what that shows: of all runs if there
// are several, else of this run.
func PoolSentence(p *result.Pool) string {
	s, runs := p.All, true
	if s == nil {
		s, runs = p.Run, false
	}
	if s == nil {
		return ""
	}
	return Clean(p.Objective) + ": " + shownSentence(p, s, runs)
}

// PoolOfRun says the same of this run alone; it is empty if [PoolSentence] does, or if this run has one occurrence.
func PoolOfRun(p *result.Pool) string {
	if p.All == nil || p.Run == nil {
		return ""
	}
	return "Of these in this run: " + shownSentence(p, p.Run, false)
}

// SeriesSentence says what a series of runs shows about an objective that a share of occurrences has to meet.
func SeriesSentence(objective string, share float64, s *result.Shown) string {
	return Clean(objective) + ": " + shownSentence(&result.Pool{Share: result.Num(share), Asked: true}, s, true)
}

func shownSentence(p *result.Pool, s *result.Shown, runs bool) string {
	text := fmt.Sprintf("met in %d of %d", s.Met, s.Of())
	clustered := runs && s.Of() > s.Runs
	if clustered {
		text += " in " + Plural(int64(s.Runs), "run", "runs")
	}
	if s.Unknown > 0 {
		text += fmt.Sprintf(" (unknown of %d)", s.Unknown)
	}
	share := quantity.FormatShareBriefly(float64(p.Share))
	switch {
	case s.Of() == 0:
		text = "no occurrence could be judged"
	case p.Asked && float64(s.High) < float64(p.Share):
		text += fmt.Sprintf(", so by at most %s", atMost(s.High))
	default:
		text += fmt.Sprintf(", so by at least %s", atLeast(s.Low))
	}
	if s.Of() > 0 {
		if runs {
			text += " of all occurrences (95% confidence, whenever the series of runs ends)"
		} else {
			text += " of occurrences under the conditions of this run (95% confidence)"
		}
	}
	unit := "in a row"
	if clustered {
		unit = "runs in a row"
	}
	switch {
	case float64(s.Low) >= float64(p.Share) || p.Asked && float64(s.High) < float64(p.Share):
	case s.Many:
		text += fmt.Sprintf("; no practical number would show %s", share)
	case s.Missed+s.Unknown == 0 && !clustered:
		text += fmt.Sprintf("; %d in a row would show %s", s.Row, share)
	default:
		text += fmt.Sprintf("; %d more %s would show %s", s.More, unit, share)
	}
	if s.Left > 0 {
		text += fmt.Sprintf("; %d left out, because brunt itself was late", s.Left)
	}
	text += "."
	if clustered {
		text += " Each run counts once, because its occurrences share a start of the system."
	}
	if p.Instants == result.InPhase && !runs {
		text += " They came at the same phase of a second: a cycle of the system that divides the time between them, such " +
			"as a heartbeat, was always hit at the same point; `jitter` spreads them."
	}
	return text
}

// atLeast formats a lower bound of a share, rounded down.
func atLeast(n result.Num) string { return quantity.FormatShare(float64(int(float64(n)*1000)) / 1000) }

// atMost formats an upper bound of a share, rounded up.
func atMost(n result.Num) string {
	return quantity.FormatShare(1 - float64(int((1-float64(n))*1000))/1000)
}
