//go:build linux

package safety

import (
	"slices"
	"time"
)

// What shrinking may take.
const (
	mostShrunk   = 2               // failed programs of a test
	shrinkWithin = 6 * time.Minute // for one of them
	tries        = 2               // plays of a smaller program, which may fail only now and then
)

// shrink returns the least program that fails still, what came of it, and the number of plays.
func (w *worker) shrink(p program) (least program, last verdict, plays int) {
	least = p
	end := time.Now().Add(shrinkWithin)
	for smaller := true; smaller; {
		smaller = false
		for _, c := range least.smaller() {
			for range tries {
				if time.Now().After(end) {
					return least, last, plays
				}
				plays++
				if v := w.play(c); len(v.problems) > 0 {
					least, last, smaller = c, v, true
					break
				}
			}
			if smaller {
				break
			}
		}
	}
	return least, last, plays
}

// smaller lists programs with less in them, those with much less first.
func (p program) smaller() (out []program) {
	add := func(change func(*program) bool) {
		c := p
		c.Faults, c.Kills, c.Gaps = slices.Clone(p.Faults), slices.Clone(p.Kills), slices.Clone(p.Gaps)
		if change(&c) {
			out = append(out, c)
		}
	}
	if half := len(p.Faults) / 2; half > 1 {
		add(func(c *program) bool { c.Faults = c.Faults[half:]; return true })
		add(func(c *program) bool { c.Faults = c.Faults[:half]; return true })
	}
	for i := range p.Gaps {
		add(func(c *program) bool { c.Gaps = slices.Delete(c.Gaps, i, i+1); return true })
	}
	for i := range p.Kills {
		add(func(c *program) bool { c.Kills = slices.Delete(c.Kills, i, i+1); return true })
	}
	for i := range p.Faults {
		add(func(c *program) bool { c.Faults = slices.Delete(c.Faults, i, i+1); return len(c.Faults) > 0 })
	}
	for i := range p.Faults {
		add(func(c *program) bool {
			f := &c.Faults[i]
			plain := f.Pulse > 0 || f.Every > 0 || f.Group
			f.Pulse, f.Every, f.Group = 0, 0, false
			return plain
		})
		add(func(c *program) bool {
			f := &c.Faults[i]
			long := f.For > 600
			f.For = min(f.For, 400)
			return long
		})
		add(func(c *program) bool {
			f := &c.Faults[i]
			late := f.At > 300
			f.At = min(f.At, 100)
			return late
		})
	}
	return out
}
