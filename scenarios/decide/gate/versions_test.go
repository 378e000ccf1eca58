package gate

import (
	"context"
	"errors"
	"io"
	"math"
	"path/filepath"
	"testing"
	"time"

	"brunt/reporters/evidence"
	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// written reads a result of the results that former brunts wrote.
func written(t *testing.T, name string) *result.Result {
	t.Helper()
	r, err := evidence.Read(filepath.Join("..", "..", "..", "reporters", "catalog", "testdata", "results", name))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// another is a result of a later run.
func another(r *result.Result, id string) *result.Result {
	next := *r
	next.Run, next.Started = id, r.Started.Add(time.Minute)
	return &next
}

// olderVersions are the names of versions of results that are compared with the newest.
func olderVersions() []string { return []string{"1", "2-untyped"} }

// TestVersions_Compared compares results of older versions with those of the newest, by their requests.
func TestVersions_Compared(t *testing.T) {
	for _, version := range olderVersions() {
		for _, kind := range []string{"-control", "-fault"} {
			t.Run(version+kind, func(t *testing.T) {
				was, is := written(t, version+kind), written(t, "2"+kind)
				both := func(r *result.Result) []compare.Run {
					return []compare.Run{{Name: r.Run, Result: r}, {Name: "later", Result: another(r, r.Run+"later")}}
				}
				c, err := compare.Compare(both(was), both(is), compare.Options{
					Allow: []string{"scenario", "generator"}, // they ran on a busy machine
				})
				if err != nil {
					t.Fatal(err)
				}
				of := map[string][2]float64{}
				for _, row := range c.Rows {
					if row.Phase.Kind == slo.RunPhase && row.Load == "*" && row.Step == "*" {
						of[row.Metric] = [2]float64{float64(row.Base), float64(row.Cand)}
					}
				}
				p50 := func(r *result.Result) float64 { return float64(r.Cells[0].Response.P50) } // of the whole run
				if got, want := of["p50"], [2]float64{p50(was), p50(is)}; !near(got, want) {
					t.Errorf("p50: compared %v, want %v", got, want)
				}
				errors := func(r *result.Result) float64 { return float64(r.Objectives[1].Measured) }
				if got, want := of["errors"], [2]float64{errors(was), errors(is)}; !near(got, want) {
					t.Errorf("errors: compared %v, want %v", got, want)
				}
			})
		}
	}
}

// near reports whether values differ by no more than files are rounded by.
func near(a, b [2]float64) bool {
	return math.Abs(a[0]-b[0]) < 1e-8 && math.Abs(a[1]-b[1]) < 1e-8
}

// TestVersions_Gated holds a run of the newest version to a history of runs of an older one, and refuses one that
// failed.
func TestVersions_Gated(t *testing.T) {
	// The speed of this machine may differ between two measurements by more than one class of machine allows.
	machine := func(r *result.Result) compare.Machine {
		return compare.Machine{OS: r.Environment.OS, Arch: r.Environment.Arch, CPUs: r.Environment.CPUs, Score: 1000}
	}
	for _, version := range olderVersions() {
		t.Run(version, func(t *testing.T) {
			was := written(t, version+"-control")
			h := learned(t, t.TempDir(), func(i int) *compare.Record {
				return compare.NewRecord(another(was, was.Run+string(rune('a'+i))), machine(was))
			})
			if n := len(h.Records()); n != compare.LeastHistory || len(h.Problems) > 0 {
				t.Fatalf("the history has %d records and the problems %v", n, h.Problems)
			}
			is := written(t, "2-control")
			is.Scenario = was.Scenario // as this brunt resolves it
			r := compare.NewRecord(is, machine(is))
			if like, left := r.Comparable(h.Records()); len(like) != compare.LeastHistory {
				t.Fatalf("%d records are comparable: %v", len(like), left)
			}
			g := &Gate{
				Settings: Settings{Runs: 1, Options: compare.Options{Alpha: .05}}, History: h, Out: io.Discard, Log: io.Discard,
				one: func(context.Context) (*compare.Record, error) { return r, nil },
			}
			o, err := g.decide(t.Context())
			if o.Found == nil || o.Decision == nil || len(o.Found.Rows) == 0 {
				t.Fatalf("%+v, %v", o, err)
			}
			failed := written(t, version+"-fault")
			g = &Gate{
				History: h, Out: io.Discard, Log: io.Discard, Page: func(string) string { return "" },
				Run: func(context.Context) (*result.Result, error) { return failed, nil },
			}
			o, err = g.Decide(t.Context())
			if !errors.Is(err, scenarios.Exit(scenarios.ExitFail)) || o.Decision == nil || o.Decision.Word != "FAIL" {
				t.Errorf("of a run that failed: %+v, %v", o.Decision, err)
			}
		})
	}
}
