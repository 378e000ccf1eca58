package compare

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"brunt/scenarios"
)

// RecordVersion is the version of a record's file.
const RecordVersion = 1

// A Record is what a history keeps of a run: one value of each metric at each place.
type Record struct {
	Version int       `json:"version"`          // of this file
	Run     string    `json:"run"`              // the run's name
	Name    string    `json:"name"`             // of the scenario
	Key     string    `json:"key"`              // digest of the scenario as resolved: runs of one key are comparable
	Machine Machine   `json:"machine"`          // that it ran on
	Started time.Time `json:"started"`          // when the run began
	Commit  string    `json:"commit,omitempty"` // of the system under test, as --commit named it
	Red     bool      `json:"red,omitempty"`    // found to be worse: it is no part of what later runs are held to
	Accept  bool      `json:"accept,omitempty"` // the history begins anew with it: what is before is no measure any more
	Values  []Kept    `json:"values"`           // what was measured
}

// A Kept is one value of a record.
type Kept struct {
	Phase  string        `json:"phase"`           // as in result.json
	Load   string        `json:"load"`            // * is all of them
	Step   string        `json:"step"`            // * is all of them
	Metric string        `json:"metric"`          // p50 p90 p95 p99 errors rate recover cpu memory
	Value  scenarios.Num `json:"value"`           // null is without end
	Count  int64         `json:"count"`           // requests that it rests on
	Bad    int64         `json:"bad,omitempty"`   // of a share: those that count
	Grain  float64       `json:"grain,omitempty"` // of what is measured in steps: the step
}

// NewRecord takes out of a run what a history keeps.
func NewRecord(r *scenarios.Result, m Machine) *Record {
	rec := &Record{Version: RecordVersion, Run: r.Run, Name: r.Name, Key: Key(r), Machine: m, Started: r.Started}
	all := valuesOf(r)
	for _, at := range places(r, []values{all}) {
		for i := range metrics {
			m := &metrics[i]
			if v, has := all[at][m.Name]; has {
				rec.Values = append(rec.Values, Kept{Phase: at.phase, Load: at.load, Step: at.step, Metric: m.Name, Value: scenarios.Num(v.x), Count: v.n, Bad: v.k, Grain: v.s})
			}
		}
	}
	return rec
}

// Key is the digest of what a run was to do: its scenario as resolved, and whether faults were
// injected.
func Key(r *scenarios.Result) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%t\n%s", r.Chaos, r.Scenario))
	return hex.EncodeToString(sum[:8])
}

// values gives the record's values as a run has them.
func (r *Record) values() values {
	out := values{}
	for _, k := range r.Values {
		at := place{k.Phase, k.Load, k.Step}
		if out[at] == nil {
			out[at] = map[string]value{}
		}
		out[at][k.Metric] = value{x: orInfinite(k.Value), n: k.Count, k: k.Bad, s: k.Grain}
	}
	return out
}

// mostValues bounds a record: more is not a file that brunt wrote.
const mostValues = 100_000

// ParseRecord reads a record's file.
func ParseRecord(b []byte) (*Record, error) {
	var r Record
	if err := json.Unmarshal(b, &r); err != nil { // what follows a record is refused as well: it might be another one
		return nil, err
	}
	switch {
	case r.Version != RecordVersion:
		return nil, fmt.Errorf("version %d, and this brunt reads version %d", r.Version, RecordVersion)
	case r.Run == "" || r.Key == "" || r.Started.IsZero():
		return nil, errors.New("it lacks a run, a key or a time")
	case len(r.Values) > mostValues:
		return nil, fmt.Errorf("it has %d values", len(r.Values))
	}
	for _, k := range r.Values {
		if f := float64(k.Value); f < 0 || math.IsInf(f, 0) || k.Count < 0 || k.Bad < 0 || k.Bad > max(k.Count, 0) || k.Grain < 0 || !slices.Contains(MetricNames(), k.Metric) {
			return nil, fmt.Errorf("%s of %s/%s/%s is %v of %d", k.Metric, k.Phase, k.Load, k.Step, f, k.Count)
		}
	}
	return &r, nil
}

// Mean makes one record of several of one session, by the mean of each value; it is the
// first one's otherwise. A value that not all have an end of has none.
func Mean(records []*Record) *Record {
	mean := *records[0]
	mean.Values = slices.Clone(mean.Values)
	for i := range mean.Values {
		k := &mean.Values[i]
		m := metricNamed(k.Metric)
		var xs []float64
		for _, r := range records {
			if v, has := r.values()[place{k.Phase, k.Load, k.Step}][k.Metric]; has && m != nil {
				xs = append(xs, m.scaled(v.x))
			}
		}
		if len(xs) == len(records) {
			k.Value = scenarios.Num(m.middle(xs))
		}
	}
	return &mean
}
