package observe

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
)

// Unreached says what to do about a fault of whose units nothing reached any from the begin of the load until its injection, so that
// the requests of its phase say nothing about it. It is empty where a unit's traffic is not known, see the documentation of the package, and of
// a fault that counts its own. A group is unreached if none of its steps affected traffic.
func (u *Usage) Unreached(rec *chaos.Record) string {
	if rec.N < 0 || rec.Traffic != nil {
		return ""
	}
	units := strings.Join(rec.Units, ", ")
	if rec.Kind != chaos.GroupKind {
		if u.affected(rec, rec.Injected) {
			return ""
		}
		return fmt.Sprintf("nothing reached %s from the begin of the load until %s was injected: send it requests, or aim the fault at a unit that has some",
			units, rec.Name)
	}
	injected := slices.DeleteFunc(slices.Clone(rec.Steps), func(step *chaos.Record) bool { return step.InjectErr != nil })
	for _, step := range injected { // up to the begin of the group: what verified the steps before it may have reached its units
		if u.affected(step, rec.Injected) {
			return ""
		}
	}
	if len(injected) == 0 {
		return ""
	}
	return fmt.Sprintf("no step of %s affected any traffic (%s): send its units requests, or aim a step at one that has some", rec.Name, units)
}

// affected reports whether a fault, or a step of a group, met traffic as far as is known: what it counted itself, or what
// reached its units before until.
func (u *Usage) affected(rec *chaos.Record, until time.Duration) bool {
	if rec.Traffic != nil {
		return rec.Traffic.N > 0
	}
	return len(rec.Units) == 0 || slices.ContainsFunc(rec.Units, func(unit string) bool {
		reached, known := u.reached(unit, until)
		return reached || !known
	})
}
