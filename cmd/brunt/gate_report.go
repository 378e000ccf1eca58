package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/compare"
	"brunt/scenarios/result"
)

// conclude prints and writes what the gate came to. Made are the runs that it rests on. An error of a run, or of the history, decides the
// exit code.
func (g *gate) conclude(found *compare.Comparison, made []*compare.Record, err error) error {
	d := found.Decision()
	if err == nil {
		g.describe(d, made)
		g.shown = true
		return g.tell(stdout(g.c), found, d, g.out)
	}
	d.ExitCode = codeOf(err)
	d.Says = append(d.Says, "the gate ended early: "+g.why(err))
	return errors.Join(err, g.show(found, d, made))
}

// show prints and writes a decision whose exit code is set.
func (g *gate) show(found *compare.Comparison, d *result.Decision, made []*compare.Record) error {
	g.describe(d, made)
	g.shown = true
	return g.write(stdout(g.c), found, d, g.out)
}

// describe adds what a report has besides the verdict.
func (g *gate) describe(d *result.Decision, made []*compare.Record) {
	d.Kind, d.Name, d.Started, d.Took = "gate", g.name, g.began, result.Sec(time.Since(g.began))
	for i, r := range g.all {
		state := "no"
		switch {
		case r.Disturbed != "" && slices.Contains(made, r):
			state = "yes, though the machine was disturbed: " + r.Disturbed
		case r.Disturbed != "":
			state = "no, made again, as the machine was disturbed: " + r.Disturbed
		case slices.Contains(made, r):
			state = "yes"
		}
		d.Runs = append(d.Runs, result.JudgedRun{Name: fmt.Sprintf("run %d", i+1), Folder: r.Run, Started: r.Started, Figures: r.Figures(), State: state})
	}
}

// written shows a gate that ended before there was a comparison, if it ran anything.
func (g *gate) written(err error) error {
	if err == nil || g.shown || g.ended == nil && len(g.all) == 0 {
		return err
	}
	d := &result.Decision{Word: "NO VERDICT", Verdict: scenarios.Broken, Reason: g.why(err), ExitCode: codeOf(err)}
	if g.ended != nil {
		d.Word, d.Verdict = strings.ToUpper(string(g.ended.Verdict)), g.ended.Verdict
	}
	return errors.Join(err, g.show(nil, d, nil))
}

// why says why a gate ended early.
func (g *gate) why(err error) string {
	if g.ended != nil {
		return "a run ended with " + string(g.ended.Verdict) + ": " + g.ended.Reason
	}
	return err.Error()
}
