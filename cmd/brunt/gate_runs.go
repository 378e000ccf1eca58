package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"brunt/reporters/html"
	"brunt/scenarios"
	"brunt/scenarios/compare"
	"brunt/scenarios/compare/noise"
	"brunt/scenarios/quantity"
)

// firstPause is how long a gate waits before it makes a disturbed run again. Each further pause is twice as long.
const firstPause = 5 * time.Second

// A disturbedError is the end of a run that failed its own objectives while another load disturbed the machine.
type disturbedError struct {
	why  string
	code int // of the run
}

func (e disturbedError) Error() string { return "the machine was disturbed: " + e.why }

// again waits until the machine is quiet enough to make a disturbed run again. It reports false where --wait is used up.
func (g *gate) again(ctx context.Context, why string) bool {
	for {
		if g.pause *= 2; g.pause == 0 {
			g.pause = firstPause
		}
		pause := min(g.pause, g.wait-g.waited)
		if pause <= 0 {
			return false
		}
		fmt.Fprintf(stderr(g.c), "brunt: another load disturbs the machine: %s; brunt waits %s\n", why, quantity.FormatDuration(pause))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false
		}
		g.waited += pause
		e := g.norm.Exceeded(g.probe(ctx))
		if e.Text == "" {
			return true
		}
		why = e.Text
	}
}

// several performs n runs. It repeats an unusable run, such as one limited by brunt itself, as ab
// repeats a pair. A run that fails ends the gate; the runs before it are returned.
func (g *gate) several(ctx context.Context, n int) ([]*compare.Record, error) {
	var out []*compare.Record
	for range n {
		r, err := g.one(ctx)
		for again := 1; again < mostAgain && errors.Is(err, exit(scenarios.ExitInvalid)); again++ {
			fmt.Fprintln(stderr(g.c), "brunt: a run shows nothing about the target and is repeated")
			r, err = g.one(ctx)
		}
		for failed := (disturbedError{}); errors.As(err, &failed); r, err = g.one(ctx) {
			if !g.again(ctx, failed.why) {
				err = exit(failed.code)
				break
			}
		}
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
	return out, nil
}

// run performs a run. A run that fails its own objectives is an error.
func (g *gate) run(ctx context.Context) (*compare.Record, error) {
	plan, err := g.compile(ctx, g.path)
	if err != nil {
		return nil, err
	}
	meter := noise.Begin(ctx)
	res, err := g.once(ctx, g.c, plan, nil)
	if err != nil {
		return nil, err
	}
	around := meter.End(ctx, res)
	if e := g.norm.Exceeded(around); res.ExitCode == scenarios.ExitFail && e.Text != "" && !e.ByLoad {
		return nil, disturbedError{e.Text, res.ExitCode}
	}
	if res.ExitCode != 0 {
		fmt.Fprintf(stdout(g.c), "a run ended with %s: %s; %s\n", res.Verdict, res.Reason, filepath.Join(g.out, res.Run, html.File))
		g.ended = res
		return nil, exit(res.ExitCode)
	}
	r := compare.NewRecord(res, compare.Calibrate(res.Environment))
	r.Commit, r.Noise = g.commit, []noise.Noise{around}
	g.all = append(g.all, r)
	fmt.Fprintf(stdout(g.c), "run %d: %s; %s\n", len(g.all), r.Figures(), filepath.Join(g.out, res.Run, html.File))
	return r, nil
}

// keep adds the runs to the history, as one record: the runs of one day count as one.
func (g *gate) keep(records []*compare.Record) error {
	return g.history.Add(compare.Mean(records))
}
