package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run"

	"github.com/cenkalti/backoff/v5"
)

// firstPause is how long a gate waits before it repeats a disturbed run. Each further pause is twice as long.
const firstPause = 5 * time.Second

// A disturbedError means that a run failed its own objectives while another load disturbed the machine. It never fails
// a gate.
type disturbedError struct {
	why string // the noise, and its norm
	run *result.Result
}

func (e disturbedError) Error() string {
	return fmt.Sprintf("a run failed while another load disturbed the machine, so that it decides nothing: %s; the run "+
		"itself: %s", e.why, e.run.Reason)
}

// again waits until the machine is quiet enough to repeat a disturbed run. It reports false if the time to wait is
// used up.
func (g *Gate) again(ctx context.Context, why string) bool {
	if g.pause == nil {
		g.pause = backoff.NewExponentialBackOff()
		g.pause.InitialInterval, g.pause.MaxInterval, g.pause.Multiplier = firstPause, max(firstPause, g.Settings.Wait), 2
		g.pause.RandomizationFactor = 0 // the log says how long a gate waits
	}
	for {
		pause := min(g.pause.NextBackOff(), g.Settings.Wait-g.waited)
		if pause <= 0 {
			return false
		}
		fmt.Fprintf(g.Log, "brunt: another load disturbs the machine: %s; brunt waits %s\n", why,
			quantity.FormatDuration(pause))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false
		}
		g.waited += pause
		e := g.Norm.Exceeded(g.probe(ctx))
		if e.Answer != result.Yes { // untested: nothing to wait for is known
			return true
		}
		why = e.Text
	}
}

// several performs n runs. It repeats an unusable run, such as one limited by brunt itself, as ab repeats a pair. A
// run that fails, or whose target does not start, ends the gate; the earlier runs are returned.
func (g *Gate) several(ctx context.Context, n int) ([]*compare.Record, error) {
	var out []*compare.Record
	for range n {
		r, err := g.one(ctx)
		for again := 1; again < compare.NoiseAttempts && errors.Is(err, scenarios.Exit(scenarios.ExitInvalid)) &&
			!g.neverLoaded(); again++ {
			fmt.Fprintln(g.Log, "brunt: a run shows nothing about the target and is repeated")
			r, err = g.one(ctx)
		}
		for failed := (disturbedError{}); errors.As(err, &failed); r, err = g.one(ctx) {
			if !g.again(ctx, failed.why) {
				if by, ok := errors.AsType[run.Interrupt](context.Cause(ctx)); ok {
					err = scenarios.Exit(by.Code)
				}
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

// neverLoaded reports whether the run that ended the gate made no request. Then the target did not start, or its setup
// failed, and no noise of the machine explains that.
func (g *Gate) neverLoaded() bool { return g.ended != nil && g.ended.Generator.Offered == 0 }

// run performs a run. A run that fails its own objectives is an error.
func (g *Gate) run(ctx context.Context) (*compare.Record, error) {
	g.ended = nil // by a run that was repeated
	meter := compare.BeginNoise(ctx)
	res, err := g.Run(ctx)
	if err != nil {
		g.ended = res
		return nil, err
	}
	around := meter.End(ctx, res)
	if e := g.Norm.Exceeded(around); res.ExitCode == scenarios.ExitFail && e.Answer == result.Yes && !e.ByLoad {
		return nil, disturbedError{e.Text, res}
	}
	if res.ExitCode != 0 {
		fmt.Fprintf(g.Out, "a run ended with %s: %s; %s\n", res.Verdict, res.Reason, g.Page(res.Run))
		g.ended = res
		return nil, scenarios.Exit(res.ExitCode)
	}
	r := compare.NewRecord(res, compare.Calibrate(res.Environment))
	r.Commit, r.Noise = g.Settings.Commit, []compare.Noise{around}
	g.all = append(g.all, r)
	fmt.Fprintf(g.Out, "run %d: %s; %s\n", len(g.all), r.Figures(), g.Page(res.Run))
	return r, nil
}

// keep adds the runs to the history as one record, because runs of one day count as one.
func (g *Gate) keep(records []*compare.Record) error {
	return g.History.Add(compare.Mean(records))
}

// describe fills in the parts of a report besides the verdict. Made are the runs that the decision rests on.
func (g *Gate) describe(d *result.Decision, made []*compare.Record) {
	d.Kind, d.Name, d.Started, d.Took = "gate", g.Name, g.began, result.Sec(time.Since(g.began))
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
		d.Runs = append(d.Runs, result.JudgedRun{
			Name: fmt.Sprintf("run %d", i+1), Folder: r.Run, Started: r.Started, Figures: r.Figures(), State: state,
		})
	}
}

// why says why a gate ended early.
func (g *Gate) why(err error) string {
	if g.ended != nil {
		return "a run ended with " + g.ended.VerdictWords() + ": " + g.ended.Reason
	}
	return err.Error()
}
