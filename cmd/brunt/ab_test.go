package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/compare"
	"brunt/scenarios/result"

	"github.com/spf13/cobra"
)

// TestAB_Pair runs pairs of which some give no usable result: the order of those that count still
// alternates.
func TestAB_Pair(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(r *result.Result)
	}{
		{"the generator was the limit", func(r *result.Result) { r.Generator.Healthy = false }},
		{"a fault affected no traffic", func(r *result.Result) { r.Verdict = scenarios.Invalid }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &cobra.Command{}
			c.SetErr(io.Discard)
			x := &ab{abFlags: &abFlags{}, c: c, a: &side{letter: "a"}, b: &side{letter: "b"}}
			made, spoiled := 0, map[int]bool{1: true, 4: true, 5: true} // numbers of pairs
			x.one = func(_ context.Context, s *side, n int) (compare.Run, error) {
				made++
				r := &result.Result{Verdict: scenarios.Pass, Started: time.Unix(int64(made), 0), Generator: result.Generator{Healthy: true}}
				if spoiled[n] && s == x.b {
					tt.spoil(r)
				}
				return compare.Run{Name: fmt.Sprint(s.letter, n), Result: r}, nil
			}
			var order strings.Builder
			for range 6 {
				a, b, err := x.pair(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if spoiled[x.number-1] {
					t.Errorf("pair %d counts", x.number)
				}
				if a.Started.Before(b.Started) {
					order.WriteString("ab ")
				} else {
					order.WriteString("ba ")
				}
			}
			if order.String() != "ab ba ab ba ab ba " {
				t.Errorf("those that count were run %s", order.String())
			}
			for n := range 100 {
				spoiled[n] = true
			}
			if _, _, err := x.pair(t.Context()); !errors.Is(err, exit(scenarios.ExitInvalid)) {
				t.Errorf("pairs that show nothing end with %v, want exit code 5", err)
			}
		})
	}
}
