package k6

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// TestPart_Args: the segments of all parts are the whole, and follow the same sequence.
func TestPart_Args(t *testing.T) {
	if got := (Part{}).Args(); got != nil {
		t.Errorf("%q", got)
	}
	for i, want := range []string{"0:1/3", "1/3:2/3", "2/3:1"} {
		args := []string{"--execution-segment=" + want, "--execution-segment-sequence=0,1/3,2/3,1"}
		if got := (Part{i, 3}).Args(); !slices.Equal(got, args) {
			t.Errorf("part %d: %q, want %q", i, got, args)
		}
	}
}

// TestMerged: what the parts of a script report of its metrics comes to what one process makes of the same samples.
func TestMerged(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	const parts = 3
	one, merged, of := NewTally(), NewMerged(parts), [parts]*Tally{}
	limits := []Limit{
		{"times", "p(95)<90", false, 0},
		{"times{step:a}", "med<50", true, 2 * time.Second},
		{"made", "count>100", false, 0},
		{"made", "rate<40", false, 0},
		{"good", "rate>0.5", false, 0},
		{"level", "value<1000", false, 0},
	}
	all := append([]*Tally{one}, of[:]...)
	for i := range all {
		if all[i] == nil {
			of[i-1] = NewTally()
			all[i] = of[i-1]
		}
		for _, l := range limits {
			if err := all[i].Limit(l.Metric, l.Source, l.Abort, l.Delay); err != nil {
				t.Fatal(err)
			}
		}
	}
	add := func(to *Tally, name, typ, step string, v float64) {
		for _, s := range to.Metric(name, typ, "default") {
			if s.Takes(func(string) (string, bool) { return step, true }) {
				s.Add(v)
			}
		}
	}
	take := func(k int, elapsed time.Duration) {
		of[k].Take(elapsed, func(d *Deltas) {
			b, err := json.Marshal(Note{Deltas: d})
			if err != nil {
				t.Fatal(err)
			}
			var n Note
			if err := json.Unmarshal(b, &n); err != nil {
				t.Fatal(err)
			}
			if err := merged.Add(k, n.Deltas); err != nil {
				t.Fatal(err)
			}
		})
	}
	if err := merged.Add(0, &Deltas{Limits: of[0].Limits()}); err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		k := r.IntN(parts)
		for _, to := range []*Tally{one, of[k]} {
			v, step := float64((i*7919)%128), string(rune('a'+i%2))
			add(to, "times", "trend", step, v)
			add(to, "made", "counter", step, 1)
			add(to, "good", "rate", step, float64(i%3))
		}
		if r.IntN(50) == 0 {
			take(r.IntN(parts), time.Second)
		}
	}
	for k := range parts {
		add(of[k], "vus", "gauge", "", float64(k+1))
		take(k, 10*time.Second)
	}
	add(one, "vus", "gauge", "", 6)
	metrics, thresholds := one.Sum(10 * time.Second)
	gotMetrics, gotThresholds := merged.Sum()
	for i := range metrics {
		if metrics[i].Type != "gauge" {
			metrics[i].Last, gotMetrics[i].Last = 0, 0 // the last sample is that of any part
		}
	}
	if !reflect.DeepEqual(metrics, gotMetrics) || !reflect.DeepEqual(thresholds, gotThresholds) || len(metrics) != 5 ||
		!thresholds[1].Abort {
		t.Errorf("merged:\n%+v\n%+v\nwant:\n%+v\n%+v", gotMetrics, gotThresholds, metrics, thresholds)
	}
}

// TestPartOptions: the teardown of a part has its own time after the wait for the others, whatever unit that is written
// in.
func TestPartOptions(t *testing.T) {
	for _, c := range []struct {
		options string
		own     time.Duration
	}{
		{`{"vus": 3}`, defaultSetupTimeout},
		{`{"vus": 3, "teardownTimeout": "90s"}`, 90 * time.Second},
		{`{"vus": 3, "teardownTimeout": 5000}`, 5 * time.Second},
	} {
		b, err := PartOptions([]byte(c.options))
		if err != nil {
			t.Fatal(err)
		}
		var o map[string]any
		if err := json.Unmarshal(b, &o); err != nil {
			t.Fatal(err)
		}
		if got := durationOf(o["teardownTimeout"], 0); got != c.own+barrier || o["vus"] != 3. {
			t.Errorf("%s: %s in %s, want %s", c.options, got, b, c.own+barrier)
		}
	}
	if _, err := PartOptions([]byte("[]")); err == nil {
		t.Error("options that are no object pass")
	}
}
