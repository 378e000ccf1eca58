package compare

import (
	"fmt"
	"time"
)

// sinceBetter returns the values of a metric at a place since its level last improved. The spread of a history with
// two levels is at least their difference, and a bound from both is so wide that nothing exceeds it: a metric that
// improved by a third and then got worse by as much would never fail. A level that got worse without a failed gate
// stays in the history, because forgetting the better level would let the metric creep up. Both cases are reported.
// [changes] separates levels from noise, over all rows. A new level counts once it has [LeastHistory] records.
func (c *Comparison) sinceBetter(p place, m *metric, base []values, a []value) []value {
	if c.history == nil {
		return a
	}
	t := trend(c.history, base, p, m, len(c.history[len(c.history)-1].Values))
	first := 0 // start of the current level
	for i, move := range t.Moves {
		if move.Change >= 0 {
			continue
		}
		since := len(t.Points) - move.At
		if since < LeastHistory {
			c.Moved = append(c.Moved,
				fmt.Sprintf("%s changed level on %s; runs are compared with the new level once it has %d records "+
					"(%d/%d)", t.Where(), t.Sentence(move), LeastHistory, since, LeastHistory))
			break
		}
		first = i + 1
	}
	from := 0 // start of the level's points
	if first > 0 {
		from = t.Moves[first-1].At
		a = a[from:]
		c.Moved = append(c.Moved, fmt.Sprintf("%s is compared with the newest %d records, because its level changed on %s",
			t.Where(), len(a), t.Sentence(t.Moves[first-1])))
	}
	last := len(t.Moves)
	if last > first && t.scaled[last]-t.scaled[first] > m.limit(c.options.Margins.of(m)) {
		c.Moved = append(c.Moved,
			fmt.Sprintf("%s crept: since %s it went from %s to %s without a failed gate, last on %s; if that was "+
				"intended, --accept restarts the history",
				t.Where(), t.Points[from].Started.UTC().Format(time.DateOnly), t.Say(t.Levels[first]), t.Say(t.Levels[last]),
				t.Sentence(t.Moves[last-1])))
	}
	return a
}
