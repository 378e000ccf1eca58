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
