package requests

import (
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// Lacking counts the good answers of a phase that lack a part that their steps expect. It returns their share before
// the phase, and whether the share grew by more than chance: the 95 % bounds of both shares do not overlap. The share
// is 0 if no step expects parts.
func Lacking(during, before *measure.Counts) (partial int64, share result.Num, grew bool) {
	if during.Wants == 0 || before.Wants == 0 {
		return during.Partial, 0, false
	}
	least := effect.LowerBound(float64(during.Partial), float64(during.Wants), effect.Confidence)
	most := effect.UpperBound(float64(before.Partial), float64(before.Wants), effect.Confidence)
	return during.Partial, result.Num(float64(before.Partial) / float64(before.Wants)), least > most
}
