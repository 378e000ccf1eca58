package observe

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/scenarios/result"
)

// Asks are the times at which brunt asked units for what the load needs beside its requests, such as a new token. The
// zero value is ready for use, and safe for concurrent use.
type Asks struct {
	mu sync.Mutex
	at map[string][]time.Duration
}

// Add records that brunt asks a unit, at a time of the run.
func (a *Asks) Add(unit string, now time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.at == nil {
		a.at = map[string][]time.Duration{}
	}
	a.at[unit] = append(a.at[unit], now)
}

// met reports whether brunt asked a unit of a fault while the fault was in.
func (a *Asks) met(rec *chaos.Record) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(rec.Units, func(unit string) bool {
		return slices.ContainsFunc(a.at[unit], func(at time.Duration) bool {
			return at >= rec.Injected && (rec.Cleared == 0 || at < rec.Cleared)
		})
	})
}

// Unreached says what to do about a fault of whose units nothing reached any from the begin of the load until its
// injection, and brunt asked none while the fault was in, so that the requests of its phase say nothing about it. It is
// empty where a unit's traffic is not known, see the documentation of the package, and of a fault that counts its own.
// A group is unreached if none of its steps affected traffic.
func (u *Usage) Unreached(rec *chaos.Record, asks *Asks) string {
	if rec.N < 0 || rec.Traffic != nil {
		return ""
	}
	units := strings.Join(rec.Units, ", ")
	if rec.Kind != result.GroupKind {
		if u.affected(rec, rec.Injected) || asks.met(rec) {
			return ""
		}
		return fmt.Sprintf("nothing reached %s from the begin of the load until %s was injected: send it requests, or aim "+
			"the fault at a unit that has some",
			units, rec.Name)
	}
	injected := slices.DeleteFunc(slices.Clone(rec.Steps), func(step *chaos.Record) bool { return step.InjectErr != nil })
	// up to the begin of the group: what verified the steps before it may have reached its units
	for _, step := range injected {
		if u.affected(step, rec.Injected) || asks.met(step) {
			return ""
		}
	}
	if len(injected) == 0 {
		return ""
	}
	return fmt.Sprintf("no step of %s affected any traffic (%s): send its units requests, or aim a step at one that "+
		"has some", rec.Name, units)
}

// affected reports whether a fault, or a step of a group, met traffic as far as is known: what it counted itself, or
// what reached its units before until.
func (u *Usage) affected(rec *chaos.Record, until time.Duration) bool {
	if rec.Traffic != nil {
		return rec.Traffic.N > 0
	}
	return len(rec.Units) == 0 || slices.ContainsFunc(rec.Units, func(unit string) bool {
		reached, known := u.reached(unit, until)
		return reached || !known
	})
}
