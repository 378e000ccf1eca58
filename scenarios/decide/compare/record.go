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
)

// RecordVersion is the version of the files of records. No other is read, and none whose values have other meanings
// ([result.Definitions]), so that old and new meanings are never compared.
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

	Definitions int `json:"definitions"` // version of the meanings of the values: [result.Definitions]
	// the settings of the resolved scenario by their paths, without the target's address; a digest in place of a long
	// value
	Scenario map[string]string `json:"scenario,omitempty"`
	Duration result.Num        `json:"duration,omitempty"` // of the load, in seconds
	Noise    []Noise           `json:"noise,omitempty"`    // of the machine during each run
	// how the noise exceeded that of the history; later runs are not compared with such a record
	Disturbed string `json:"disturbed,omitempty"`
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
		Version: RecordVersion, Definitions: result.Definitions, Run: r.Run, Name: r.Name, Machine: m, Started: r.Started,
		Duration: r.Duration, Scenario: settingsOf(r),
	}
	if rec.Key = textKey(r); rec.Scenario != nil {
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

// errOtherVersion reports a record that another version of brunt wrote, with other meanings.
var errOtherVersion = errors.New("another version of brunt wrote it")

// parseRecord parses a record's file.
func parseRecord(b []byte) (*Record, error) {
	var r Record
	if err := json.Unmarshal(b, &r); err != nil { // trailing data is refused as well: it might be another record
		return nil, err
	}
	switch {
	case r.Version != RecordVersion || r.Definitions != result.Definitions:
		return nil, errOtherVersion
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
	return &r, nil
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
