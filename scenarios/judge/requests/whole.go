package requests

import (
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// Lacking counts the good answers of a phase that lack a part that their steps expect. It returns their share before
// the phase, and whether the share grew: yes if by more than chance, so that the 95 % bounds of both shares do not
// overlap, no if no answer lacks a part or if the upper bound is at most twice that of before, and otherwise untested.
// The share is 0 if no step expects parts.
func Lacking(during, before *measure.Counts) (partial int64, share result.Num, grew result.Answer) {
	switch {
	case during.Partial == 0:
		grew = result.No
	case before.Wants == 0:
		return during.Partial, 0, result.Untested
	}
	if during.Wants == 0 || before.Wants == 0 {
		return during.Partial, 0, grew
	}
	least := effect.LowerBound(float64(during.Partial), float64(during.Wants), effect.Confidence)
	most := effect.UpperBound(float64(before.Partial), float64(before.Wants), effect.Confidence)
	share = result.Num(float64(before.Partial) / float64(before.Wants))
	switch {
	case least > most:
		grew = result.Yes
	case effect.UpperBound(float64(during.Partial), float64(during.Wants), effect.Confidence) <= 2*most:
		grew = result.No
	}
	return during.Partial, share, grew
}
