package effect

import (
	"strings"
	"testing"

	"brunt/scenarios/result"
)

// TestAsk_UsualRate: where as many requests are bad without the fault as the limit allows, the answer names the rate
// and the limit, and where they are few it does not.
func TestAsk_UsualRate(t *testing.T) {
	for _, c := range []struct {
		name  string
		usual int64 // bad requests of 1000, always
		want  string
	}{
		{
			"at the limit", 9,
			"0.9% of requests were bad before the first fault and 0.9% long after the fault, and recovery shows only where " +
				"their share " +
				"is known to be under judge.limit, 1%: `judge: {limit: 3%}` is well above that share",
		},
		{"far below", 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := Ask(scene(65, func(i int) int64 {
				if i >= 30 && i < 50 {
					return 200
				}
				return c.usual
			}))
			if (a.Impact == result.Impacted) != (c.want == "") {
				t.Errorf("%s: %s", a.Impact, a.Notes.Phrase(nil))
			}
			if usual := a.Usual.Phrase(nil); usual != c.want || !strings.HasSuffix(a.Notes.Phrase(nil), c.want) {
				t.Errorf("%q, note %q; want %q", usual, a.Notes.Phrase(nil), c.want)
			}
		})
	}
}

// TestAsk_UsualRateAdvice: no limit is advised that is no higher than the one in force, or than the share of bad
// requests long after the fault.
func TestAsk_UsualRateAdvice(t *testing.T) {
	for _, c := range []struct {
		name         string
		limit        float64
		usual, after int64 // bad requests of 1000: before the fault, and from 20 s after it
	}{
		{"stuck far above a high limit", .05, 13, 80},
		{"stuck far above the usual rate", .01, 9, 80},
		{"the limit in force", .01, 3, 12},
	} {
		q := scene(105, func(i int) int64 {
			switch {
			case i < 30:
				return c.usual
			case i < 70:
				return 200
			}
			return c.after
		})
		q.Limit = c.limit
		if a := Ask(q); a.Usual != nil || a.Impact != result.NotRecovered {
			t.Errorf("%s: %s, %q", c.name, a.Impact, a.Usual.Phrase(nil))
		}
	}
}
