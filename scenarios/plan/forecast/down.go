package forecast

import (
	"fmt"
	"slices"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios/quantity"
)

// downMeanwhile notes faults that hit a unit while another fault keeps it down: a unit that does not run can't be hit.
func (c *check) downMeanwhile(est []timeline.Estimated) {
	for _, e := range est {
		unit, kind := c.onUnit(e)
		if unit == "" || e.Rough || kind.Effect == chaos.Cut {
			continue
		}
		i := slices.IndexFunc(est, func(by timeline.Estimated) bool {
			of, how := c.onUnit(by)
			return of == unit && by.Entry != e.Entry && how.Effect == chaos.Dies && !by.Entry.OneShot() && !by.Rough &&
				by.At < e.At && e.At < by.Clear
		})
		if i < 0 {
			continue
		}
		c.notes = append(c.notes, fmt.Sprintf("%s comes at %s, while %s keeps %s down: a unit that does not run can't be hit, "+
			"and the run is invalid then. Let it come before %s or after %s.", e.Name, quantity.FormatInstant(e.At),
			est[i].Name, unit, quantity.FormatInstant(est[i].At), quantity.FormatInstant(est[i].Clear)))
	}
}

// onUnit returns the only unit whose process or container a fault hits, and the kind of the fault. The unit is empty if
// there are several, or if the fault hits something else.
func (c *check) onUnit(e timeline.Estimated) (unit string, kind chaos.Descriptor) {
	d, ok := e.Entry.Damage.(chaos.Described)
	if !ok {
		return "", chaos.Descriptor{}
	}
	kind = d.Describe()
	units := e.Entry.Traits(c.plan.Scope).Reaches
	if kind.On&(chaos.OnProcesses|chaos.OnContainers) == 0 || len(units) != 1 {
		return "", kind
	}
	return units[0], kind
}
