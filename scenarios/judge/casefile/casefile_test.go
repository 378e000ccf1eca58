package casefile

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/measuretest"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

const sec = time.Second

// recorded plays 20 s of a load of 50 requests a second into a recorder: one fault slows answers and fails some, and
// brunt stands still once.
func recorded(t *testing.T, objectives []slo.Objective) *measure.Recording {
	t.Helper()
	now := time.Duration(0)
	rec, err := measure.New(measure.Config{
		Series: measure.Series{
			Loads: []measure.SeriesLoad{{Name: "main", Closed: true, Users: 5}}, Steps: []measure.SeriesStep{{Name: "read"}},
		},
		Limits: requests.LimitsOf(objectives), SlowShare: .01, Timeout: sec, Shards: 1, Dir: t.TempDir(), NoPause: true,
		Now:     func() time.Duration { return now },
		Freezes: func() []measure.Freeze { return []measure.Freeze{{From: 15 * sec, To: 15*sec + sec/4}} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rec.Close(); err != nil {
			t.Error(err)
		}
	})
	for at := time.Duration(0); at < 20*sec; at += sec / 50 {
		now = at
		switch at {
		case 8 * sec:
			rec.Inject("slow", "slow")
		case 12 * sec:
			rec.Clear(0)
		}
		took, kind := time.Millisecond, scenarios.OK
		if at >= 8*sec && at < 12*sec {
			if took = sec / 20; at%(sec/5) == 0 {
				kind = scenarios.Error
			}
		}
		o := measuretest.Request(at, took, kind)
		rec.Shard(0).Record(&o)
		if at%sec == 0 {
			if err := rec.Fold(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return rec.Finish()
}

// TestFile keeps a case, reads it and asks the judge again: nothing differs. With another limit in the case, the
// difference is found at the objective that it turns.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(variable, dir)
	var objectives []slo.Objective
	for _, text := range []string{
		"p95 < 10ms", "errors < 5% in slow", "p95 < 2x of baseline in slow", "recover < 10s after slow", "lost = 0",
		"max(queue) < 9", "detect < 3s after slow",
	} {
		o, err := slo.ParseObjective(text)
		if err != nil {
			t.Fatal(text, err)
		}
		objectives = append(objectives, o)
	}
	c := judge.Case{
		SLO: objectives, Steady: &objectives[0], Loads: []requests.Span{{To: 20 * sec}}, Hold: 2 * sec,
		Faults:  map[string]judge.FaultCase{"slow": {RequireImpact: true}},
		Ledgers: []*result.LedgerRecord{{Write: "read", Read: true, Acknowledged: 3, Held: 2, Lost: 1, RPO: result.NaN}},
		Series: []result.Series{{Name: "queue", Every: 1, Points: []result.Point{
			{T: 1, V: 0}, {T: 2, V: result.NaN}, {T: 3, V: 4},
		}}},
		Usage: []result.UnitUsage{{Unit: "web[0]", CPU: result.Num(math.NaN())}},
		Lost: &requests.LostWorkers{
			Why:   "worker 2 was lost",
			Loads: []requests.LostLoad{{From: 19 * sec, To: 20 * sec, Most: 10, Flows: [][]int32{{0}}}},
		},
	}
	all := recorded(t, objectives)
	found, err := judge.Judge(all, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := Keep("a run/of two", all, c, found); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "a_run_of_two-*.case"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	kept := opened(t, files[0])
	if d, err := kept.differences(); err != nil || len(d) > 0 {
		t.Errorf("%v\n%s", err, strings.Join(d, "\n"))
	}
	kept.Objectives[0].Text = "p95 < 1s"
	d, err := kept.differences()
	if err != nil || !slices.Contains(d, `.Objectives[0].verdict: "fail", now "pass"`) {
		t.Errorf("with another limit: %v\n%s", err, strings.Join(d, "\n"))
	}
}

func opened(t *testing.T, path string) *file {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kept, err := read(f)
	if err != nil {
		t.Fatal(path, err)
	}
	return kept
}

// TestShadow asks the judge again what the case files in the folder BRUNT_SHADOW hold, which another version of the
// judge was asked, and lists each difference.
func TestShadow(t *testing.T) {
	dir := os.Getenv("BRUNT_SHADOW")
	if dir == "" {
		t.Skip("BRUNT_SHADOW names no folder of case files")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.case"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no case files in", dir, err)
	}
	for _, path := range paths {
		if found, err := opened(t, path).differences(); err != nil || len(found) > 0 {
			t.Errorf("%s: %v\n%s", path, err, strings.Join(found, "\n"))
		}
	}
	t.Log(len(paths), "case files")
}
