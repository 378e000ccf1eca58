package compare

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// RecordVersion is the version of the files of records that are written. Since version 4 a record has the settings of
// its scenario and the noise of its machine, and its key leaves out the address of the target. Since version 3
// skipped steps count as errors, as in an objective. Since version 2 the recovery of a fault is measured by requests
// instead of windows, and its phase ends a hold later. Records of older versions are read without the values whose
// meaning has changed, so that old and new meanings are never compared: see [Record.upgrade].
const RecordVersion = 4

// A Record is the entry of a run in a history: one value of each metric at each place.
type Record struct {
	Version int       `json:"version"`          // of this file
	Run     string    `json:"run"`              // the run's name
	Name    string    `json:"name"`             // of the scenario
	Key     string    `json:"key"`              // digest of the scenario's settings: runs with the same key are comparable
	Machine Machine   `json:"machine"`          // the machine of the run
	Started time.Time `json:"started"`          // when the run began
	Commit  string    `json:"commit,omitempty"` // of the system under test, from --commit
	Red     bool      `json:"red,omitempty"`    // found to be worse: later runs are not compared with it
	Accept  bool      `json:"accept,omitempty"` // the history restarts with it: earlier runs no longer count
	Values  []Kept    `json:"values"`           // the measured values

	// version of the meanings of the values, as [result.Definitions]; zero means 1
	Definitions int `json:"definitions,omitempty"`
	// the key up to version 3: older records with this key are comparable too
	Former string `json:"former_key,omitempty"`
	// the settings of the resolved scenario by their paths, without the target's address; a digest in place of a long
	// value; empty up to version 3
	Scenario map[string]string `json:"scenario,omitempty"`
	Duration result.Num        `json:"duration,omitempty"` // of the load, in seconds
	Noise    []Noise           `json:"noise,omitempty"`    // of the machine during each run
	// how the noise exceeded that of the history; later runs are not compared with such a record
	Disturbed string `json:"disturbed,omitempty"`

	dropped []int // indexes in redefinitions of those for which upgrade removed values
}

// A Kept is one value of a record.
type Kept struct {
	Phase  slo.Phase  `json:"phase"`           // as in result.json
	Load   string     `json:"load"`            // * is all of them
	Step   string     `json:"step"`            // * is all of them
	Metric string     `json:"metric"`          // p50 p90 p95 p99 errors rate recover cpu memory
	Value  result.Num `json:"value"`           // null is infinite
	Count  int64      `json:"count"`           // requests that it rests on
	Bad    int64      `json:"bad,omitempty"`   // of a share: the requests that count as bad
	Grain  float64    `json:"grain,omitempty"` // step size of a value measured in steps
	Cut    int64      `json:"cut,omitempty"`   // of count: requests that brunt cut off at the end of the run
	Rest   result.Num `json:"rest,omitempty"`  // the value without them; null is infinite

	Runs int `json:"runs,omitempty"` // number of runs that it is the mean of; zero means one
	// of several runs: standard deviation of the values if they are shares, else of their logarithms
	Spread float64 `json:"spread,omitempty"`
}

// NewRecord makes the record of a run.
func NewRecord(r *result.Result, m Machine) *Record {
	rec := &Record{
		Version: RecordVersion, Definitions: r.Definitions, Run: r.Run, Name: r.Name, Machine: m, Started: r.Started,
		Duration: r.Duration, Scenario: settingsOf(r), Former: formerKey(r),
	}
	if rec.Key = rec.Former; rec.Scenario != nil {
		rec.Key = settingsKey(rec.Scenario)
	}
	all := metrics.values(r, beyond)
	for _, at := range places(r, []values{all}) {
		for i := range metrics {
			m := &metrics[i]
			if v, has := all[at][m.Name]; has {
				rec.Values = append(rec.Values, Kept{
					Phase: at.phase, Load: at.load, Step: at.step, Metric: m.Name, Value: result.Num(v.x), Count: v.n,
					Bad: v.k, Grain: v.s, Cut: v.cut, Rest: result.Num(v.rest),
				})
			}
		}
	}
	return rec
}

// Figures returns the values of the whole run in brief.
func (r *Record) Figures() string {
	var out []string
	for _, k := range r.Values {
		if row := (Row{Phase: k.Phase, Load: k.Load, Step: k.Step, Metric: k.Metric}); k.Phase.Kind == slo.RunPhase &&
			k.Load == "*" && k.Step == "*" {
			out = append(out, k.Metric+" "+row.value(k.Value))
		}
	}
	for _, n := range r.Noise {
		out = append(out, n.String())
	}
	return strings.Join(out, ", ")
}

// values converts the record's values to those of a run.
func (r *Record) values() values {
	out := values{}
	for _, k := range r.Values {
		at := place{k.Phase, k.Load, k.Step}
		if out[at] == nil {
			out[at] = map[string]value{}
		}
		out[at][k.Metric] = value{
			x: orInfinite(k.Value), n: k.Count, k: k.Bad, s: k.Grain, zero: k.zero(), runs: k.Runs, spread: k.Spread,
			cut: k.Cut, rest: orInfinite(k.Rest),
		}
	}
	return out
}

// zero reports whether the value was zero in all runs, so that one step is in its place.
func (k *Kept) zero() bool {
	m := metrics.named(k.Metric)
	return m != nil && m.oneStep && k.Spread == 0 && math.Abs(float64(k.Value)-k.Grain) <= 1e-9*k.Grain
}

// mostValues is the largest number of values in a record that is read: brunt never writes a larger one.
const mostValues = 100_000

// parseRecord parses a record's file.
func parseRecord(b []byte) (*Record, error) {
	var r Record
	if err := json.Unmarshal(b, &r); err != nil { // trailing data is refused as well: it might be another record
		return nil, err
	}
	switch {
	case r.Version < 1 || r.Version > RecordVersion:
		return nil, fmt.Errorf("version %d, and this brunt reads versions 1 to %d", r.Version, RecordVersion)
	case r.Run == "" || r.Key == "" || r.Started.IsZero():
		return nil, errors.New("it lacks a run, a key or a time")
	case len(r.Values) > mostValues:
		return nil, fmt.Errorf("it has %d values", len(r.Values))
	case len(r.Noise) > mostRuns:
		return nil, fmt.Errorf("it has the noise of %d runs", len(r.Noise))
	}
	for _, k := range r.Values {
		if f := float64(k.Value); f < 0 || math.IsInf(f, 0) || k.Count < 0 || k.Bad < 0 || k.Bad > max(k.Count, 0) ||
			k.Grain < 0 || k.Cut < 0 || k.Rest < 0 || math.IsInf(float64(k.Rest), 0) ||
			k.Runs < 0 || k.Runs > mostRuns || k.Spread < 0 || !slices.Contains(MetricNames(), k.Metric) {
			return nil, fmt.Errorf("%s of %s/%s/%s is %v of %d", k.Metric, k.Phase, k.Load, k.Step, f, k.Count)
		}
	}
	r.upgrade()
	return &r, nil
}

// recoveryPhases names the recovery phases of all faults.
const recoveryPhases = "recovery/FAULT"

// sums names the values of all steps together.
const sums = "the sum of all steps"

// A redefinition is a change of what a value of a record counts.
type redefinition struct {
	what  string // metric, or [recoveryPhases] or [sums]
	meant string // what an older record counted
	old   func(r *Record) bool
}

// redefinitions are all changes of meaning, the oldest first.
var redefinitions = []redefinition{
	{"recover", "it was measured by windows and not by requests", func(r *Record) bool { return r.Version < 2 }},
	{
		recoveryPhases, "it ended with the recovery and not a hold after it",
		func(r *Record) bool { return r.Version < 2 },
	},
	{"errors", "skipped steps did not count as errors", func(r *Record) bool { return r.Version < 3 }},
	{"recover", lateHarm, func(r *Record) bool { return r.Version >= 2 && r.Definitions < 2 }},
	{sums, initCounted, func(r *Record) bool { return r.Definitions < 2 && r.inits() }},
	{"recover", laterHarm, func(r *Record) bool { return r.Definitions == 2 }},
}

// The meanings of definitions 1, and of definitions 2.
const (
	lateHarm    = "harm after the end of a fault counted as its own without further evidence"
	initCounted = "requests of init counted in it"
	laterHarm   = "later harm in a fault, a relapse after the last one, and slower answers at any time of a fault " +
		"counted as its own without further evidence"
)

// redefinedSince says what values of older definitions meant.
func redefinedSince(definitions int) string {
	switch {
	case definitions < 2:
		return "before definitions 2, " + lateHarm + ", and requests of init counted in the sum of all steps"
	case definitions == 2:
		return "before definitions 3, " + laterHarm
	}
	return "" // of definitions that this brunt does not know
}

// inits reports whether a load of the scenario has steps of init.
func (r *Record) inits() bool {
	for at := range r.Scenario {
		if load, ok := strings.CutPrefix(at, "load."); ok {
			if _, below, _ := strings.Cut(load, "."); strings.HasPrefix(below, "init[") || strings.HasPrefix(below, "init.") ||
				below == "init" {
				return true
			}
		}
	}
	return false
}

// upgrade removes the values of an older version whose meaning has changed. The errors of a record up to version 2
// stay if no step was skipped: then they rest on as many requests as the percentiles of their place.
func (r *Record) upgrade() {
	r.Definitions = max(1, r.Definitions)
	requests := map[place]int64{}
	for _, k := range r.Values {
		if m := metrics.named(k.Metric); m != nil && m.quantile > 0 {
			requests[place{k.Phase, k.Load, k.Step}] = k.Count
		}
	}
	r.Values = slices.DeleteFunc(r.Values, func(k Kept) bool {
		for i, d := range redefinitions {
			if !d.old(r) {
				continue
			}
			drop := false
			switch d.what {
			case recoveryPhases:
				drop = k.Phase.Kind == slo.RecoveryPhase
			case sums:
				drop = k.Step == "*" && k.Metric != "recover"
			case "errors":
				drop = k.Metric == d.what && requests[place{k.Phase, k.Load, k.Step}] != k.Count
			default:
				drop = k.Metric == d.what && k.Phase.Kind != slo.RecoveryPhase
			}
			if drop {
				if !slices.Contains(r.dropped, i) {
					r.dropped = append(r.dropped, i)
				}
				return true
			}
		}
		return false
	})
}

// Outdated says in one line which values of records are not compared because an older version measured something else
// by the same name, and what that was. It is empty if all values are compared.
func Outdated(records []*Record) string {
	var says []string
	for i, old := range redefinitions {
		n := 0
		for _, r := range records {
			if slices.Contains(r.dropped, i) {
				n++
			}
		}
		if n > 0 {
			says = append(says, fmt.Sprintf("%s of %s is not compared, as %s", old.what, syntax.Amount(n, "older record"),
				old.meant))
		}
	}
	return strings.Join(says, "; ")
}

// Mean combines several records of one session into one. Each value is the mean, with the number of runs and their
// spread. Everything else is taken from the first record. A value that is infinite in one run is infinite.
func Mean(records []*Record) *Record {
	mean := *records[0]
	mean.Values, mean.Noise = nil, nil
	type of struct {
		place
		metric string
	}
	known := map[of]bool{}
	var all []values
	for _, r := range records {
		all, mean.Noise = append(all, r.values()), append(mean.Noise, r.Noise...)
		mean.Disturbed = cmp.Or(mean.Disturbed, r.Disturbed)
	}
	for _, first := range records {
		for _, k := range first.Values {
			at := of{place{k.Phase, k.Load, k.Step}, k.Metric}
			if known[at] {
				continue
			}
			known[at] = true
			var vs []value
			for _, has := range all {
				if v, ok := has[at.place][at.metric]; ok {
					vs = append(vs, v)
				}
			}
			mean.Values = append(mean.Values, k.meanOf(vs))
		}
	}
	return &mean
}

// meanOf returns the mean of a value over several runs.
func (k Kept) meanOf(vs []value) Kept {
	m := metrics.named(k.Metric)
	if len(vs) < 2 || m == nil {
		return k
	}
	k.Count, k.Bad, k.Cut, k.Rest = 0, 0, 0, 0
	rest := make([]value, 0, len(vs))
	for _, v := range vs {
		k.Count, k.Bad, k.Grain, k.Cut = k.Count+v.n, k.Bad+v.k, max(k.Grain, v.s), k.Cut+v.cut
		rest = append(rest, v.uncut())
	}
	s := m.sessionOf(vs)
	if k.Cut > 0 {
		k.Rest = result.Num(m.value(m.sessionOf(rest).mean))
	}
	k.Value, k.Runs, k.Spread = result.Num(m.value(s.mean)), int(s.runs), 0
	if !math.IsInf(s.mean, 0) && !math.IsNaN(s.within) {
		k.Spread = math.Sqrt(s.within / (s.runs - 1))
	}
	return k
}
