package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/drills"
	"brunt/scenarios/result"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

// allFlags are the settings of `brunt drill all`.
type allFlags struct {
	drillFlags
	only   []string
	dir    string // of -o
	sweep  bool
	budget time.Duration
	spent  time.Duration // of the budget, by the runs until now
	steady steadyState
	// params that some drill declares: --set gives them to those drills, and no scenario
	ofDrills map[string]bool
}

func drillAllCommand() *cobra.Command {
	f := allFlags{steady: steadyState{lasts: drills.SteadyLasts}}
	c := &cobra.Command{
		Use:   "all [SCENARIO]",
		Short: "Run every drill that fits a system, and write a page of what was tried",
		Long: `Run every drill that fits a scenario and whose roles are bound, by --role or by the roles of the
scenario, from the harmless to the harmful. Without a scenario they run on the built-in
system. The page shows what was tried on which part, what was never tried, and the verdict
of each drill. A run that shows nothing, because the machine was too busy, is repeated, at
most twice. Where the folder of -o has runs of the same drills, brunt goes on after them. The
worst verdict counts; brunt ends at a fault that could not be taken back.

A system that brunt did not start goes on between two drills. Before the first and after each
brunt asks it for 3 s with the load of the scenario, and waits until it answers as before: at
most twice as many requests fail, or 1 %, and the median and the 90th percentile are at most
twice as long, or 20 ms longer. If it does not come back within --settle, no other drill runs,
as it would be about the one before; the exit code is 3. The same command with that -o goes on
once the system is mended, and holds it against what it answered before the first drill.

With --sweep every part is tried besides, as far as --budget allows: each service crashed and
hung, each link slow, cut and answered with 503; what the scenario declares soft comes first.
Then come pairs of those faults that the system survived one by one; the page says how they
are chosen, and what they can't find. A failure without a service that the scenario declares
hard is as declared, and does not count.`,
		Example: `  brunt drill all -o drills
  brunt drill all checkout.yaml --sweep --budget 40m --only sweep
  brunt drill all checkout.yaml --role replica=posts --role dependency="gateway->users"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.all(c, args) },
	}
	f.registerBase(c)
	f.registerRoles(c)
	c.ValidArgsFunction = completeScenario
	c.Flags().StringSliceVar(&f.only, "only", nil,
		"families of drills to run, such as redundancy,dependency; sweep is that of --sweep")
	c.Flags().BoolVar(&f.sweep, "sweep", false, "also try every service and link, one by one and then in pairs")
	c.Flags().DurationVar(&f.budget, "budget", 0,
		"time for all runs, those that the folder of -o has among them (default: no limit, "+
			"and 8 pairs of a sweep)")
	c.Flags().DurationVar(&f.steady.within, "settle", settles,
		"how long a system that brunt did not start may take after a drill to answer as "+
			"before the first; 0: brunt does not wait for it")
	c.Flags().StringVarP(&f.dir, "output", "o", "",
		"folder for the page and the reports (default brunt-results/drills-TIME)")
	f.log, f.repeat, f.table.brief = logFlags{"text", "error"}, 1, true
	return c
}

// An attempt is one drill of all, with what became of it.
type attempt struct {
	name   string // of its folder
	drill  *drills.Drill
	swept  *drills.Swept // of a sweep; nil: a drill of the library, or a pair
	pair   bool          // it is a pair of a sweep
	fits   bool          // the system has what it needs
	laid   *drills.Laid  // nil: it can't run
	path   string
	source sourceFlags    // with the params that the drill leaves to the scenario
	res    *result.Result // nil: it was not run
	kept   bool           // the folder had the run
	why    string         // it was not run
}

func (f *allFlags) all(c *cobra.Command, args []string) error {
	if f.budget < 0 || f.budget > 0 && f.budget < time.Minute {
		return usagef("--budget is a minute at least")
	}
	if f.steady.within < 0 {
		return usagef("--settle is 0 or more, such as 2m")
	}
	library, err := drills.Library()
	if err != nil {
		return err
	}
	system, declared, err := f.system(c, args, library)
	if err != nil {
		return err
	}
	tries, err := f.attempts(args, library)
	if err != nil {
		return err
	}
	if f.sweep {
		singles, err := f.singles(args, system, declared)
		if err != nil {
			return err
		}
		tries = append(tries, singles...)
	}
	if !slices.ContainsFunc(tries, func(a attempt) bool { return a.laid != nil }) {
		return usagef("no drill can run, as none of %d has its roles: %s, for one: %s; `brunt drill plan` shows for each "+
			"what can play them, and --sweep "+
			"tries every part without any role", len(tries), tries[0].name, tries[0].why)
	}
	if err := recoverOthers(c); err != nil {
		return err
	}
	if f.dir == "" {
		f.dir = filepath.Join("brunt-results", "drills-"+run.NewID())
	}
	if err := os.MkdirAll(f.dir, 0o777); err != nil {
		return usagef("the folder for the reports: %w", err)
	}
	ctx, stop := interruptible(&f.screen, interrupts, hurries)
	defer stop()
	goes, err := f.play(ctx, c, tries)
	if err == nil && goes && f.sweep {
		var pairs []attempt
		if pairs, err = f.pairs(args, tries); err == nil {
			_, err = f.play(ctx, c, pairs)
		}
		tries = append(tries, pairs...)
	}
	if err != nil {
		return err
	}
	return f.finish(ctx, c, tries, system, f.again(args), declared)
}

// attempts lays every drill over the system; one that can't run has the reason.
func (f *allFlags) attempts(args []string, library []*drills.Drill) ([]attempt, error) {
	if err := f.known(library); err != nil {
		return nil, err
	}
	var tries []attempt
	set, roles := f.set, f.roles
	for _, one := range drills.HarmlessFirst(library) {
		if len(f.only) > 0 && !slices.Contains(f.only, one.Family) {
			continue
		}
		of := slices.DeleteFunc(slices.Clone(roles), func(r string) bool { // a role is of some of the drills
			name, _, _ := strings.Cut(r, "=")
			return !slices.Contains(one.RoleNames(), name)
		})
		f.set = set
		d, err := f.find(one.Name, f.builtin(args))
		if err != nil {
			tries = append(tries, attempt{name: one.Name, drill: one, why: firstLine(err)})
			continue
		}
		f.set = f.ofScenario(f.set)
		a, err := f.lays(args, one.Name, d, of)
		if err != nil {
			return nil, err
		}
		tries = append(tries, a)
	}
	f.set, f.roles = set, roles
	return tries, nil
}
