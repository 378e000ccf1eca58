package play

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/drills"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/run"
)

// steadyFile holds the answers of a system before the first drill.
const steadyFile = "steady.json"

// A steadyState holds the answers, before the first drill, of a system that keeps running between drills.
type steadyState struct {
	compile func() (*plan.Plan, error) // the plan of a probe; nil: brunt starts the system for each drill
	lasts   time.Duration              // of a probe; zero is [drills.SteadyLasts]
	before  *drills.SteadyState        // nil: not known yet in this process
	broken  string                     // why no more drill may run, in a clause; empty: more may run
	advice  string                     // what to do then, in a sentence
}

// A keptState is the content of steadyFile.
type keptState struct {
	System string             `json:"system"` // the digest of the scenario
	State  drills.SteadyState `json:"state"`
}

// why says why a drill that can run was not run after play ended early.
func (s *steadyState) why(ctx context.Context) string {
	if context.Cause(ctx) == nil && s.broken != "" {
		return s.broken
	}
	return "interrupted before it"
}

// prepareSteady prepares the probe of the system of a plan.
func (c *Campaign) prepareSteady(p *plan.Plan) {
	if !drills.HasSteadyState(p) || c.Settle == 0 {
		return
	}
	if c.steady.lasts == 0 {
		c.steady.lasts = drills.SteadyLasts
	}
	if _, err := drills.SteadyPlan(p, c.steady.lasts); err != nil {
		c.Unchecked(err)
		return
	}
	c.steady.compile = func() (*plan.Plan, error) {
		base, err := c.Subject.base(nil, nil, c.ofScenario(c.Subject.Set))
		if err != nil {
			return nil, err
		}
		return drills.SteadyPlan(base.Plan, c.steady.lasts)
	}
}

// settled reports whether the system is ready for a drill. Before the first drill it records the answers of the
// system, or compares them with those before the first drill of an earlier process.
func (c *Campaign) settled(ctx context.Context) (bool, error) {
	s := &c.steady
	if s.compile == nil || s.before != nil {
		return s.broken == "", nil
	}
	p, err := s.compile()
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256([]byte(written(p.Scenario.Root)))
	file, system := filepath.Join(c.Dir, steadyFile), hex.EncodeToString(sum[:])
	var kept keptState
	if text, err := disk.Read(file, 1<<20); err == nil && json.Unmarshal(text, &kept) == nil && kept.System == system {
		s.before = &kept.State
		return c.settle(ctx, "does not answer as it did before the first drill",
			fmt.Sprintf("If that is how it shall be, delete %s.", file))
	}
	found, err := c.probe(ctx)
	if err != nil || ctx.Err() != nil {
		return false, err
	}
	s.before = &found
	if dead := found.Dead(); dead != "" {
		s.broken, s.advice = "the system does not answer before the first drill: "+strings.TrimSuffix(dead, "."),
			"Nothing was started."
		return false, nil
	}
	return true, keptState{system, found}.write(file)
}

// write keeps the state for a later process.
func (k keptState) write(file string) error {
	err := disk.Replace(file, disk.Shared, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		e.SetEscapeHTML(false)
		return e.Encode(k)
	})
	if err != nil {
		return scenarios.Usage(err)
	}
	return nil
}

// settle waits until the system answers as before. If it does not, no more drill runs: what then says why, in the
// form of a predicate of the system, and advice says what to do.
func (c *Campaign) settle(ctx context.Context, what, advice string) (bool, error) {
	s, waits := &c.steady, false
	if s.compile == nil || s.before == nil {
		return true, nil
	}
	began := time.Now()
	different, err := drills.WaitSteady(ctx, *s.before, c.Settle, c.probe, func(different string) {
		if !waits {
			c.Waiting(different)
		}
		waits = true
	})
	c.spent += time.Since(began)
	if err != nil || different == "" || ctx.Err() != nil {
		return err == nil && ctx.Err() == nil, err
	}
	s.advice, s.broken = advice, fmt.Sprintf("the system %s, within %s: %s", what, quantity.FormatDuration(c.Settle),
		different)
	return false, nil
}

// settleAfter waits until the system answers as before, after a drill.
func (c *Campaign) settleAfter(ctx context.Context, drill string) (bool, error) {
	return c.settle(ctx, "did not come back after "+drill,
		fmt.Sprintf("Once it is mended, the same command with -o %s goes on.", c.Dir))
}

// probe runs a probe of the system.
func (c *Campaign) probe(ctx context.Context) (drills.SteadyState, error) {
	p, err := c.steady.compile()
	if err != nil {
		return drills.SteadyState{}, err
	}
	res, err := c.Probe(ctx, p)
	if res == nil {
		return drills.SteadyState{}, err
	}
	return drills.SteadyStateOf(res), nil
}

// Stopped says in two sentences why the system let no more drill run, and what to do. It is empty if more may run.
func (c *Campaign) Stopped() string {
	if c.steady.broken == "" {
		return ""
	}
	return "The" + strings.TrimPrefix(c.steady.broken, "the") + ". " + c.steady.advice
}

// ExitCode returns the exit code of the campaign. It is code, which belongs to the worst verdict, unless the system
// or a person ended the campaign between two drills.
func (c *Campaign) ExitCode(ctx context.Context, worst scenarios.Verdict, code int) int {
	var by run.Interrupt
	if errors.As(context.Cause(ctx), &by) {
		if scenarios.Worse(worst, scenarios.Interrupted) == scenarios.Interrupted {
			return by.Code
		}
	}
	if c.steady.broken != "" && scenarios.Worse(worst, scenarios.Fail) == scenarios.Fail {
		return scenarios.ExitFail
	}
	return code
}
