package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/compare"
	"brunt/scenarios/compare/noise"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"

	"github.com/spf13/cobra"
)

// tellOutdated prints which values of records are not compared.
func tellOutdated(c *cobra.Command, records []*compare.Record) {
	if old := compare.Outdated(records); old != "" {
		fmt.Fprintf(stderr(c), "brunt: %s\n", old)
	}
}

// learn adds to a history that is too short for a verdict, or starts a new one. Single runs do not
// show how much a mean of several runs varies from day to day.
func (g *gate) learn(ctx context.Context, first *compare.Record, all []*compare.Record, left []string) error {
	first.Accept = g.accept
	more, err := g.several(ctx, g.runs-1)
	made := append([]*compare.Record{first}, more...)
	if err := errors.Join(err, g.keep(made)); err != nil {
		return err
	}
	d := &result.Decision{Verdict: scenarios.None}
	if g.accept {
		d.Word, d.Reason = "ACCEPTED", "the change was wanted, and the history starts again with this run"
	} else {
		known := append(compare.Measure(all), compare.Mean(made))
		n := min(len(known), compare.LeastHistory)
		d.Word = fmt.Sprintf("LEARNING %d/%d", n, compare.LeastHistory)
		d.Reason = fmt.Sprintf("the history has %s, and from %d on a run is compared with them", scenarios.Amount(n, "record"), compare.LeastHistory)
		d.Says = append(compare.Outlook(known, g.runs, g.options), left...)
	}
	return g.show(nil, d, made)
}

// lacksHistory is the error of a gate that may not learn, with the number of records that count.
func lacksHistory(n int, left []string) error {
	return usagef("--require-history: the history has %s to compare with, and %d are needed%s", scenarios.Amount(n, "record"),
		compare.LeastHistory, strings.Join(append([]string{""}, left...), "; "))
}

// planned is the record of a run that has not been made: its scenario and machine.
func planned(p *plan.Plan) *compare.Record {
	return compare.NewRecord(&result.Result{Name: p.Scenario.Name, Scenario: p.Scenario.Explain(), Chaos: len(p.Faults) > 0},
		compare.Calibrate(result.Environment{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}))
}

// checkHistory refuses to begin where a history is required and has too few records of the scenario. It returns the noise of
// the machine in the history.
func (f *gateFlags) checkHistory(ctx context.Context, h *compare.History, p *plan.Plan) (noise.Norm, error) {
	all, err := h.Records(ctx)
	if err != nil {
		return nil, err
	}
	all, left := planned(p).Comparable(all)
	measure := compare.Measure(all)
	if n := len(measure); f.require && (f.accept || n < compare.LeastHistory) {
		return nil, lacksHistory(n, left)
	}
	return compare.Norm(measure), nil
}
