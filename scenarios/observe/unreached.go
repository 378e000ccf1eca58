package observe

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
)

// Asks holds the times at which brunt itself sent requests to units that the load needs, such as for a new token. The
// zero value is ready for use, and safe for concurrent use.
type Asks struct {
	mu sync.Mutex
	at map[string][]time.Duration
}

// Add records that brunt sends a request to a unit, at a time of the run.
func (a *Asks) Add(unit string, now time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.at == nil {
		a.at = map[string][]time.Duration{}
	}
	a.at[unit] = append(a.at[unit], now)
}

// met reports whether brunt sent a request to a unit of a fault while the fault was active.
func (a *Asks) met(rec *chaos.Record) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(rec.Units, func(unit string) bool {
		return slices.ContainsFunc(a.at[unit], func(at time.Duration) bool {
			return at >= rec.Injected && (rec.Cleared == 0 || at < rec.Cleared)
		})
	})
}

// Unreached explains, with a remedy, that a fault affected no traffic: its units had no traffic from the begin of the
// load until the injection, and brunt sent them no request during the fault. The requests of its phase then say
// nothing about the fault. The text is empty for other faults, if the traffic of a unit is not known, see traffic,
// and for a fault that counts its own traffic. A group is unreached if none of its steps affected traffic. all are the
// faults of the run, because brunt asks the units that these hit.
func (u *Usage) Unreached(rec *chaos.Record, all []*chaos.Record, asks *Asks) string {
	if rec.N < 0 || rec.Traffic != nil {
		return ""
	}
	units := strings.Join(rec.Units, ", ")
	if rec.Kind != result.GroupKind {
		if u.affected(rec, rec.Injected, all) || asks.met(rec) {
			return ""
		}
		return fmt.Sprintf("nothing reached %s from the begin of the load until %s was injected: send it requests, or aim "+
			"the fault at a unit that has some",
			units, rec.Name)
	}
	injected := slices.DeleteFunc(slices.Clone(rec.Steps), func(step *chaos.Record) bool { return step.InjectErr != nil })
	// only up to the begin of the group: requests that verified earlier steps may have reached these units
	for _, step := range injected {
		if u.affected(step, rec.Injected, all) || asks.met(step) {
			return ""
		}
	}
	if len(injected) == 0 {
		return ""
	}
	return fmt.Sprintf("no step of %s affected any traffic (%s): send its units requests, or aim a step at one that "+
		"has some", rec.Name, units)
}

// affected reports whether a fault, or a step of a group, may have met traffic: by its own count, or by the traffic
// of its units before until. Unknown traffic counts.
func (u *Usage) affected(rec *chaos.Record, until time.Duration, all []*chaos.Record) bool {
	if rec.Traffic != nil {
		return rec.Traffic.N > 0
	}
	return len(rec.Units) == 0 || slices.ContainsFunc(rec.Units, func(unit string) bool {
		reached, known := u.reached(unit, until, askedBy(all, unit))
		return reached || !known
	})
}

// askedBy lists the spans in which brunt may have asked a unit for the effect or the end of a fault.
func askedBy(all []*chaos.Record, unit string) (out []requests.Span) {
	for _, rec := range all {
		if rec.N < 0 || !slices.Contains(rec.HitUnits(), unit) {
			continue
		}
		in := requests.Span{From: rec.Injected, To: math.MaxInt64}
		if rec.Over > 0 {
			in.To = rec.Over + fresh // a reading may use a list from before
		}
		out = append(out, in)
	}
	return out
}
