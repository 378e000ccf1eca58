package play

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/drills"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/syntax"
)

// A Campaign runs every drill of the library that fits a system and whose roles are bound, from the harmless to the
// harmful. A sweep adds each fault of each part, and then pairs of those that the system survived.
type Campaign struct {
	Subject Subject
	Roles   map[string]string // parts that play roles, by role, in addition to those of the scenario
	Only    []string          // families of drills; empty: all
	Sweep   bool
	Budget  time.Duration // for all runs, including those that Dir has; zero: no limit, and 8 pairs of a sweep
	// Settle is how long a system that brunt did not start may take after a drill until it answers as before the
	// first drill. Zero means that the campaign does not wait.
	Settle time.Duration
	// Dir has a folder for each run, the scenario of each, and the answers of the system before the first drill. A
	// campaign continues after the runs that Dir already has.
	Dir string

	// Run performs a run and writes its report to a folder.
	Run func(ctx context.Context, p *plan.Plan, dir string) (*result.Result, error)
	// Probe performs a run and keeps nothing of it.
	Probe func(ctx context.Context, p *plan.Plan) (*result.Result, error)
	// Kept reads the result of an earlier run from the folder of its report.
	Kept func(dir string) (*result.Result, error)

	// Ran is called for each drill that was run or is kept.
	Ran func(*Attempt)
	// Waiting is called once for each drill if the system does not yet answer as it did before the first drill. It
	// gets the difference.
	Waiting func(different string)
	// Unchecked is called if the campaign can't check whether the system is steady between two drills. It gets the
	// reason.
	Unchecked func(why error)

	Attempts []*Attempt        // set by Lay; sorted by Play in the order for readers
	System   *drills.System    // set by Lay: the parts of the system
	Declared map[string]string // set by Lay: the services that the scenario declares, with hard or soft

	steady   steadyState
	spent    time.Duration   // the budget that the runs used so far
	ofDrills map[string]bool // params that some drill declares: Set gives them to those drills only, never to the scenario
}

// An Attempt is one drill of a campaign and its outcome.
type Attempt struct {
	Name   string // of its run and of the folder of the run
	Drill  *drills.Drill
	Laid   *Laid          // nil: it can't run
	Pair   bool           // it is a pair of a sweep
	Result *result.Result // nil: it was not run
	Why    string         // why it was not run

	swept *drills.Swept // of a sweep; nil: a drill of the library, or a pair
	hard  bool          // the scenario declares that the system fails without the part that is hit
	fits  bool          // the system has everything that the drill needs
	kept  bool          // the folder already had the run
}

// Lay lays all drills over the system and compiles each, so that a mistake is found before the first run. If no drill
// can run, the error is a [scenarios.UsageError].
func (c *Campaign) Lay(ctx context.Context) error {
	library, err := drills.Library()
	if err != nil {
		return err
	}
	if err := c.open(ctx, library); err != nil {
		return err
	}
	if err := c.known(library); err != nil {
		return err
	}
	if err := c.layLibrary(library); err != nil {
		return err
	}
	if c.Sweep {
		if err := c.laySweep(); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(c.Attempts, func(a *Attempt) bool { return a.Laid != nil }) {
		return scenarios.Usagef("no drill can run, as none of %d has its roles: %s, for one: %s; `brunt drill plan` shows for "+
			"each what can play them, and --sweep tries every part without any role", len(c.Attempts), c.Attempts[0].Name,
			c.Attempts[0].Why)
	}
	return nil
}

// open compiles the scenario, to learn the parts of its system and the dependencies that it declares.
func (c *Campaign) open(ctx context.Context, library []*drills.Drill) error {
	sweeps, err := drills.Sweeps()
	if err != nil {
		return err
	}
	c.ofDrills = map[string]bool{}
	for _, d := range slices.Concat(library, sweeps) {
		for _, name := range d.ParamNames() {
			c.ofDrills[name] = true
		}
	}
	base, err := c.Subject.base(nil, nil, c.ofScenario(c.Subject.Set))
	if err != nil {
		return err
	}
	c.System, c.Declared = c.Subject.count(ctx, base.Plan), base.Plan.Scenario.Dependencies
	c.prepareSteady(base.Plan)
	return nil
}

// ofScenario returns the params that no drill declares.
func (c *Campaign) ofScenario(set map[string]string) map[string]string {
	out := maps.Clone(set)
	maps.DeleteFunc(out, func(name, _ string) bool { return c.ofDrills[name] })
	return out
}

// known returns an error for families that have no drill, and for roles that no drill has.
func (c *Campaign) known(library []*drills.Drill) error {
	families, roles := []string{drills.SweepFamily}, []string{}
	for _, d := range library {
		families = append(families, d.Family)
		roles = append(roles, d.RoleNames()...)
	}
	for _, family := range c.Only {
		if !slices.Contains(families, family) {
			return scenarios.Usagef("there is no drill of %s; %s", family, syntax.DidYouMean(family, families))
		}
	}
	if len(c.Only) == 1 && c.Only[0] == drills.SweepFamily && !c.Sweep {
		return scenarios.Usagef("the drills of sweep are those of --sweep")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Roles)) {
		if !slices.Contains(roles, name) {
			return scenarios.Usagef("no drill has a role %s; %s", name, syntax.DidYouMean(name, roles))
		}
	}
	return nil
}

// layLibrary lays every drill of the library over the system. A drill that can't run gets the reason.
func (c *Campaign) layLibrary(library []*drills.Drill) error {
	for _, one := range drills.HarmlessFirst(library) {
		if len(c.Only) > 0 && !slices.Contains(c.Only, one.Family) {
			continue
		}
		d, set, err := c.Subject.find(one.Name, c.Subject.Set)
		if err != nil {
			c.Attempts = append(c.Attempts, &Attempt{Name: one.Name, Drill: one, Why: firstLine(err)})
			continue
		}
		roles := maps.Clone(c.Roles)
		maps.DeleteFunc(roles, func(name, _ string) bool { return !slices.Contains(one.RoleNames(), name) })
		a, err := c.lay(one.Name, d, roles, c.ofScenario(set))
		if err != nil {
			return err
		}
		c.Attempts = append(c.Attempts, a)
	}
	return nil
}

// laySweep lays the drill of each fault of a sweep over the system.
func (c *Campaign) laySweep() error {
	for _, one := range c.System.Sweep(c.Declared) {
		set := map[string]string{}
		maps.Copy(set, c.Subject.Set)
		maps.Copy(set, one.Set)
		d, set, err := c.Subject.find(one.Drill, set)
		if err != nil {
			return err
		}
		a, err := c.lay(one.Name, d, one.Roles(), c.ofScenario(set))
		if err != nil {
			return err
		}
		a.swept, a.hard = &one, one.AsDeclared(c.Declared)
		c.Attempts = append(c.Attempts, a)
	}
	return nil
}

// pairsUnlimited is how many pairs of faults a sweep tries without a budget.
const pairsUnlimited = 8

// pairs lays pairs of the faults that the system survived, the most telling first.
func (c *Campaign) pairs() ([]*Attempt, error) {
	var outcomes []drills.Outcome
	for _, a := range c.Attempts {
		if a.swept != nil {
			outcomes = append(outcomes, drills.Outcome{Swept: a.swept, Result: a.Result})
		}
	}
	most := pairsUnlimited
	if c.Budget > 0 {
		most = int((c.Budget - c.spent) / drills.PairLasts)
	}
	var out []*Attempt
	for _, pair := range drills.Pairs(outcomes, most) {
		d, err := pair.Drill()
		if err != nil {
			return nil, err
		}
		a, err := c.lay(pair.Name(), d, pair.Roles(), c.ofScenario(c.Subject.Set))
		if err != nil {
			return nil, err
		}
		a.Pair = true
		out = append(out, a)
	}
	return out, nil
}

// lay lays a drill over the system, and compiles it.
func (c *Campaign) lay(name string, d *drills.Drill, roles, set map[string]string) (*Attempt, error) {
	base, err := c.Subject.base(d, nil, set)
	if err != nil {
		return nil, err
	}
	a := &Attempt{Name: name, Drill: d, fits: d.Fits(c.Subject.systemOf(base.Plan)) == nil}
	laid, err := c.Subject.over(base, d, roles, set)
	if err == nil {
		_, err = c.Subject.Compile(laid.Source)
	}
	if err != nil {
		a.Why = firstLine(err)
		return a, nil
	}
	a.Laid = laid
	return a, nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// Play runs all drills that can run. It stops when the budget is spent, when the system does not come back, when a
// fault can't be reverted, or when ctx ends. Then it sorts the attempts in the order for readers.
func (c *Campaign) Play(ctx context.Context) error {
	if err := os.MkdirAll(c.Dir, 0o777); err != nil {
		return scenarios.Usagef("the folder for the reports: %w", err)
	}
	goes, err := c.play(ctx, c.Attempts)
	if err == nil && goes && c.Sweep {
		var pairs []*Attempt
		if pairs, err = c.pairs(); err == nil {
			_, err = c.play(ctx, pairs)
		}
		c.Attempts = append(c.Attempts, pairs...)
	}
	slices.SortStableFunc(c.Attempts, func(a, b *Attempt) int { return a.rank() - b.rank() })
	return err
}

// play runs the attempts that can run. Goes says whether more drills may follow.
func (c *Campaign) play(ctx context.Context, attempts []*Attempt) (goes bool, err error) {
	for i, a := range attempts {
		if a.Laid == nil {
			continue
		}
		if c.Budget > 0 && c.spent+a.Drill.Lasts.D() > c.Budget {
			a.Laid, a.Why = nil, "the budget is spent"
			continue
		}
		if err := c.attempt(ctx, a); err != nil {
			if a.Result != nil {
				c.Ran(a)
				i++
			}
			leave(attempts[i:], "brunt itself failed before it: "+firstLine(err))
			return false, err
		}
		if a.Result == nil {
			leave(attempts[i:], c.steady.why(ctx))
			return false, nil
		}
		c.Ran(a)
		switch {
		case a.Result.Verdict == scenarios.NotReverted:
			leave(attempts[i+1:], "a fault could not be taken back before it")
			return false, nil
		case context.Cause(ctx) != nil:
			leave(attempts[i+1:], c.steady.why(ctx))
			return false, nil
		}
		if a.kept {
			continue
		}
		if goes, err := c.settleAfter(ctx, a.Name); err != nil || !goes {
			leave(attempts[i+1:], c.steady.why(ctx))
			return false, err
		}
	}
	return true, nil
}

// leave gives drills that can run the reason why they will not run.
func leave(attempts []*Attempt, why string) {
	for _, a := range attempts {
		if a.Laid != nil {
			a.Laid, a.Why = nil, why
		}
	}
}

// compile compiles the scenario of a drill. A drill of a sweep counts the calls on all links.
func (c *Campaign) compile(a *Attempt) (*plan.Plan, error) {
	p, err := c.Subject.Compile(a.Laid.Source)
	if err == nil {
		p.ReadLinks = a.OfSweep()
	}
	return p, err
}

// mostTries is how often a drill is run until its run shows something.
const mostTries = 3

// attempt runs a drill until the run shows something, unless the folder already has such a run of the same scenario.
func (c *Campaign) attempt(ctx context.Context, a *Attempt) error {
	p, err := c.compile(a)
	if err != nil {
		return err
	}
	dir := filepath.Join(c.Dir, a.Name)
	kept := dir + ".yaml"
	if text, err := disk.Read(kept, 1<<20); err == nil && string(text) == a.Laid.Text {
		res, err := c.Kept(dir)
		if err == nil && res.Verdict != scenarios.Interrupted && !res.Void() &&
			run.IdentityOf(p).Made(res) {
			a.Result, a.kept = res, true
			c.spent += res.Ended.Sub(res.Started)
			return nil
		}
	}
	if goes, err := c.settled(ctx); err != nil || !goes {
		return err
	}
	if err := os.WriteFile(kept, []byte(a.Laid.Text), disk.Private); err != nil {
		return scenarios.Usage(err)
	}
	for try := 1; ; try++ {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if a.Result, err = c.Run(ctx, p, dir); err != nil || a.Result == nil {
			return err
		}
		c.spent += a.Result.Ended.Sub(a.Result.Started)
		again := a.Result.Verdict == scenarios.Invalid && !a.Result.Unmet() && context.Cause(ctx) == nil &&
			try < mostTries
		if !again || c.Budget > 0 && c.spent+a.Drill.Lasts.D() > c.Budget {
			return nil
		}
		if p, err = c.compile(a); err != nil {
			return err
		}
	}
}
