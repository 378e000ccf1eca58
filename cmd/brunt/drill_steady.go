package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/drills"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/run"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

const (
	// settles is how long a system may take after a drill, unless --settle says otherwise.
	settles = time.Minute
	// steadyFile holds what a system answered before the first drill.
	steadyFile = "steady.json"
)

// A steadyState holds what a system that goes on between drills answered before the first.
type steadyState struct {
	compile func() (*plan.Plan, error) // the plan of a probe; nil: brunt starts the system for each drill
	within  time.Duration              // of --settle
	lasts   time.Duration              // of a probe
	before  *drills.SteadyState        // nil: it is not known yet in this process
	broken  string                     // why no more drill may run, in a clause; empty: nothing keeps it
	advice  string                     // what to do then, in a sentence
}

// A keptState is a steady state in its file.
type keptState struct {
	System string             `json:"system"` // the digest of the scenario
	State  drills.SteadyState `json:"state"`
}

// why says why a drill that can run does not, after play ended before it.
func (s *steadyState) why(ctx context.Context) string {
	if context.Cause(ctx) == nil && s.broken != "" {
		return s.broken
	}
	return "interrupted before it"
}

// prepareSteady notes how the system is probed, which the plan is of.
func (f *allFlags) prepareSteady(c *cobra.Command, p *plan.Plan, args, set []string) {
	if !drills.HasSteadyState(p) || f.steady.within == 0 {
		return
	}
	if _, err := drills.SteadyPlan(p, f.steady.lasts); err != nil {
		fmt.Fprintf(stderr(c), "brunt: whether the system is steady between two drills is not checked: %v\n", err)
		return
	}
	f.steady.compile = func() (*plan.Plan, error) {
		had := f.set
		defer func() { f.set = had }()
		f.set = set
		base, err := f.base(args, nil, nil)
		if err != nil {
			return nil, err
		}
		return drills.SteadyPlan(base.Plan, f.steady.lasts)
	}
}

// settled reports whether the system is ready for a drill. Before the first it finds what a system answers, or whether
// it answers as it did before the first drill of an earlier process.
func (f *allFlags) settled(ctx context.Context, c *cobra.Command) (bool, error) {
	s := &f.steady
	if s.compile == nil || s.before != nil {
		return s.broken == "", nil
	}
	p, err := s.compile()
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256([]byte(syntax.WriteYAML(p.Scenario.Root, func(s string) string { return s })))
	file, system := filepath.Join(f.dir, steadyFile), hex.EncodeToString(sum[:])
	var kept keptState
	if text, err := disk.Read(file, 1<<20); err == nil && json.Unmarshal(text, &kept) == nil && kept.System == system {
		s.before = &kept.State
		return f.settle(ctx, c, "does not answer as it did before the first drill",
			fmt.Sprintf("If that is how it shall be, delete %s.", file))
	}
	found, err := f.probe(ctx)
	if err != nil || ctx.Err() != nil {
		return false, err
	}
	s.before = &found
	if dead := found.Dead(); dead != "" {
		s.broken, s.advice = "the system does not answer before the first drill: "+strings.TrimSuffix(dead, "."),
			"Nothing was started."
		return false, nil
	}
	err = writeWhole(file, disk.Shared, func(w io.Writer) error { return encodeJSON(w, keptState{system, found}) })
	return true, err
}

// settle waits until the system answers as before. Otherwise no more drill runs: what says of the system why, and
// advice what to do.
func (f *allFlags) settle(ctx context.Context, c *cobra.Command, what, advice string) (bool, error) {
	s, waits := &f.steady, false
	if s.compile == nil || s.before == nil {
		return true, nil
	}
	began := time.Now()
	different, err := drills.WaitSteady(ctx, *s.before, s.within, f.probe, func(different string) {
		if !waits {
			hang(stderr(c), "waiting: ", fmt.Sprintf("the system does not answer yet as it did before the drills: %s",
				different), errColumns(c))
		}
		waits = true
	})
	f.spent += time.Since(began)
	if err != nil || different == "" || ctx.Err() != nil {
		return err == nil && ctx.Err() == nil, err
	}
	s.advice, s.broken = advice, fmt.Sprintf("the system %s, within %s: %s", what, quantity.FormatDuration(s.within),
		different)
	return false, nil
}

// settleAfter waits until the system answers as before, after a drill.
func (f *allFlags) settleAfter(ctx context.Context, c *cobra.Command, drill string) (bool, error) {
	return f.settle(ctx, c, "did not come back after "+drill,
		fmt.Sprintf("Once it is mended, the same command with -o %s goes on.", f.dir))
}

// summary says why no more drill ran, and what to do; empty: nothing kept it.
func (s *steadyState) summary() string {
	if s.broken == "" {
		return ""
	}
	return "The" + strings.TrimPrefix(s.broken, "the") + ". " + s.advice + " "
}

// probe runs a probe of the system, without a report.
func (f *allFlags) probe(ctx context.Context) (drills.SteadyState, error) {
	p, err := f.steady.compile()
	if err != nil {
		return drills.SteadyState{}, err
	}
	dir, err := disk.TempDir("brunt-steady-")
	if err != nil {
		return drills.SteadyState{}, err
	}
	defer os.RemoveAll(dir)
	log, err := f.log.logger(io.Discard)
	if err != nil {
		return drills.SteadyState{}, err
	}
	o := f.runOptions(ctx, dir, log)
	defer bequeath(dir, run.PendingResult(p, o), p.Scenario.Secrets.Mask)()
	res, err := run.Run(ctx, p, o)
	if res == nil {
		return drills.SteadyState{}, err
	}
	return drills.SteadyStateOf(res), nil
}

// ended returns the exit code of all drills, whose worst verdict has code, where the system or a person ended them
// between two.
func (f *allFlags) ended(ctx context.Context, worst scenarios.Verdict, code int) int {
	var by run.Interrupt
	if errors.As(context.Cause(ctx), &by) {
		if scenarios.Worse(worst, scenarios.Interrupted) == scenarios.Interrupted {
			return by.Code
		}
	}
	if f.steady.broken != "" && scenarios.Worse(worst, scenarios.Fail) == scenarios.Fail {
		return scenarios.ExitFail
	}
	return code
}
