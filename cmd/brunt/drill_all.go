package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"brunt/reporters/evidence"
	"brunt/scenarios/drills/play"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

// allFlags are the settings of `brunt drill all`.
type allFlags struct {
	drillFlags
	campaign play.Campaign
}

func drillAllCommand() *cobra.Command {
	var f allFlags
	p := &f.campaign
	c := &cobra.Command{
		Use:   "all [SCENARIO]",
		Short: "Run every drill that fits a system, and write a page of the results",
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
	c.Flags().StringSliceVar(&p.Only, "only", nil,
		"families of drills to run, such as redundancy,dependency; sweep is the family of --sweep")
	c.Flags().BoolVar(&p.Sweep, "sweep", false, "also try every service and link, one by one and then in pairs")
	c.Flags().DurationVar(&p.Budget, "budget", 0,
		"time for all runs, including the runs already in the folder of -o (default: no limit, "+
			"and 8 pairs of a sweep)")
	c.Flags().DurationVar(&p.Settle, "settle", time.Minute,
		"how long a system that brunt did not start may take after a drill to answer as "+
			"before the first; 0: brunt does not wait for it")
	c.Flags().StringVarP(&p.Dir, "output", "o", "",
		"folder for the page and the reports (default brunt-results/drills-TIME)")
	f.log, f.repeat, f.table.brief = logFlags{"text", "error"}, 1, true
	return c
}

func (f *allFlags) all(c *cobra.Command, args []string) (err error) {
	p := &f.campaign
	if p.Budget < 0 || p.Budget > 0 && p.Budget < time.Minute {
		return usagef("--budget is a minute at least")
	}
	if p.Settle < 0 {
		return usagef("--settle is 0 or more, such as 2m")
	}
	if p.Subject, err = f.subject(args); err != nil {
		return err
	}
	if p.Roles, err = namedOnce("--role", f.roles); err != nil {
		return err
	}
	f.wire(c)
	if err := p.Lay(c.Context()); err != nil {
		return err
	}
	if err := recoverOthers(c); err != nil {
		return err
	}
	if p.Dir == "" {
		p.Dir = filepath.Join("brunt-results", "drills-"+run.NewID())
	}
	ctx, stop := interruptible(&f.screen, interrupts, hurries)
	defer stop()
	played := p.Play(ctx)
	done := f.finish(ctx, c, f.again(args))
	if played != nil {
		return weighed(errors.Join(played, withoutExits(done)), codeOf(done))
	}
	return done
}

// wire sets the functions with which the campaign performs runs and prints progress.
func (f *allFlags) wire(c *cobra.Command) {
	p := &f.campaign
	p.Run = func(ctx context.Context, one *plan.Plan, dir string) (*result.Result, error) {
		f.out = dir
		return f.once(ctx, c, one, nil)
	}
	p.Probe, p.Kept = f.probe, func(dir string) (*result.Result, error) { return evidence.Read(dir) }
	p.Ran = func(a *play.Attempt) {
		hang(stderr(c), fmt.Sprintf("%-20s %-15s ", a.Name, a.Result.VerdictWords()), a.Result.Reason, errColumns(c))
	}
	p.Waiting = func(different string) {
		hang(stderr(c), "waiting: ", "the system does not answer yet as it did before the drills: "+different, errColumns(c))
	}
	p.Unchecked = func(why error) {
		fmt.Fprintf(stderr(c), "brunt: whether the system is steady between two drills is not checked: %v\n", why)
	}
}
