package words

import (
	"fmt"
	"strings"

	"brunt/scenarios/result"
)

// escaped says at which load a target that was stuck came back, and that it then held the load of the baseline.
func escaped(e *result.Escape) string {
	return "came back at " + loadShare(e, e.Back) + ", held at " + Rate(e.Rate) + " again"
}

// loadShare formats a share of the load of the baseline as a rate, such as 21/s (35%).
func loadShare(e *result.Escape, share result.Num) string {
	return fmt.Sprintf("%s (%s)", Rate(e.Rate*share), Percent(float64(share)))
}

// Hysteresis says what an overload shows, in a sentence without its end.
func Hysteresis(o *result.Overload) string {
	e := o.Escape
	of := func(s *result.EscapeStep) string { return Count(s.Bad) + " of " + Count(s.Offered) + " requests" }
	after := "after " + Seconds(o.Push.End-o.Push.Start) + " at " + Rate(e.Rate*o.Push.Share) + " "
	switch o.Answer() {
	case result.BadBefore:
		return "hysteresis: unknown, because " + of(&o.Before) + " were bad at " + Rate(e.Rate) + " before the overload"
	case result.NotOverload:
		return "hysteresis: unknown, because only " + of(&o.Push) + " were bad at " + Rate(e.Rate*o.Push.Share) +
			", the overload"
	case result.Hysteresis:
		return "hysteresis: " + after + "it stayed bad at " + Rate(e.Rate) + " for " + Seconds(e.Bad) + ", " + escaped(e)
	case result.NoHysteresis:
		return "hysteresis: none seen; " + after + "it was good again at " + Rate(e.Rate) + " within " + Seconds(e.Bad)
	}
	end := strings.TrimSuffix(escapeEnd(e, "the overload"), ".")
	return "hysteresis: not shown, " + strings.TrimSpace(after) + ". " + end
}

// EscapeEnd says how an escape from the wake of a fault ended, in a sentence.
func EscapeEnd(e *result.Escape) string { return escapeEnd(e, "the fault") }

func escapeEnd(e *result.Escape, trigger string) string {
	whole := Rate(e.Rate)
	bad := "It was bad for " + Seconds(e.Bad) + " at " + whole + " without " + trigger
	back := bad + ", came back at " + loadShare(e, e.Back) + ", " + Seconds(e.After) + " after the load was lowered"
	switch e.Outcome {
	case result.EscapeStuck:
		return back + ", and held at " + whole + " again: the load alone had held it down."
	case result.EscapeByItself:
		return "It came back by itself at " + whole + ", " + Seconds(e.Bad) + " after " + trigger + " was gone: it is slow, " +
			"not stuck."
	case result.EscapeImproving:
		return "It still got better at " + whole + " " + Seconds(e.Bad) + " after " + trigger + " was gone: it is slow, and " +
			"a longer load shows how slow."
	case result.EscapeUntold:
		return back + ", and held at " + whole + " again. Time alone may have brought it back: a load that goes on " +
			"for longer after " + trigger + " tells."
	case result.EscapeLess:
		failed := e.Rate
		if n := len(e.Steps); n > 0 {
			failed *= e.Steps[n-1].Share
		}
		return back + ", and failed again at " + Rate(failed) + ": it has less capacity than before " + trigger + "."
	case result.EscapeNone:
		least, lowered := result.Num(1), result.Num(0)
		for i := range e.Steps {
			if share := e.Steps[i].Share; share < 1 {
				least, lowered = min(least, share), lowered+e.Steps[i].End-e.Steps[i].Start
			}
		}
		return bad + ", and did not come back in " + Seconds(lowered) + " of lower loads, down to " + loadShare(e, least) +
			": another cause than the load holds it down, or a backlog that takes longer to drain."
	case result.EscapeCut:
		return "The run was ended before it was known whether the load holds it down."
	}
	return ""
}
