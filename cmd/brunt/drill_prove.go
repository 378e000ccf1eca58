package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"brunt/reporters/html"
	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/drills"
	"brunt/scenarios/drills/play"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"

	"github.com/spf13/cobra"
)

// proveFlags are the settings of `brunt drill prove`.
type proveFlags struct {
	drillFlags
	prover play.Prover
	json   string
}

func drillProveCommand() *cobra.Command {
	var f proveFlags
	var on string
	c := &cobra.Command{
		Use:   "prove [NAME…]",
		Short: "Prove that drills pass on a good system, and fail where a defence is missing",
		Long: `Prove drills: each passes on the good system of its proof, and fails on each of its mutants,
systems without a defence, by an objective that the proof names, with the whole interval of
the measured value beyond the target. A run that shows nothing, because the machine was too
busy, is repeated, at most twice. A system that does not start ends the proofs. Without a
name, all drills that are part of brunt are proved. On a system of yours, each --without
sets a param of its scenario that takes a defence away, and makes one mutant, which must
fail by any objective of the drill. The exit code is 3 if a good system failed or a mutant
did not, and 5 if a run showed nothing each time.`,
		Example: `  brunt drill prove replica-crash --times 5
  brunt drill prove leader-cut --scenario store.yaml --without election=15000
  brunt drill prove ./my-drill.yaml --scenario checkout.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			if on != "" && len(args) == 0 {
				return usagef("--scenario wants the names of the drills to prove on it")
			}
			if on == "" && len(f.prover.Without) > 0 {
				return usagef("--without goes with --scenario, whose param takes a defence away")
			}
			if f.prover.Times < 1 {
				return usagef("--times is at least 1")
			}
			return f.prove(c, args, on)
		},
	}
	f.register(c)
	c.ValidArgsFunction = completeDrills
	c.Flags().IntVar(&f.prover.Times, "times", 1, "how often each system is tried")
	c.Flags().StringVar(&on, "scenario", "", "prove on the system of this scenario instead of the built-in one")
	c.Flags().StringArrayVar(&f.prover.Without, "without", nil,
		"with --scenario: a param of it that takes a defence away, NAME=VALUE; can be given several times")
	c.Flags().StringVarP(&f.prover.Dir, "output", "o", "",
		"folder for the reports of all runs (default: those of runs that refute a proof, in brunt-results)")
	c.Flags().StringVar(&f.json, "json", "", "write the outcome to a file as JSON")
	f.log, f.repeat, f.table.brief = logFlags{"text", "error"}, 1, true
	return c
}

// prove proves drills, on the system of the scenario if on names one.
func (f *proveFlags) prove(c *cobra.Command, names []string, on string) (err error) {
	p := &f.prover
	var scenario []string
	if on != "" {
		scenario = []string{on}
	}
	if p.Subject, err = f.subject(scenario); err != nil {
		return err
	}
	p.Page = html.File
	p.Run = func(ctx context.Context, one *plan.Plan, dir string) (*result.Result, error) {
		f.out = dir
		return f.once(ctx, c, one, nil)
	}
	p.Judged = func(t *play.Trial, j drills.Judgement, took time.Duration) {
		fmt.Fprintf(stderr(c), "%-18s %-24s %-8s %-28s %s (%.0f s)\n", t.Drill.Name, t.System(), j.Answer, j.Figure, j.Why,
			took.Seconds())
	}
	trials, err := p.Lay(names)
	if err != nil {
		return err
	}
	if err := recoverOthers(c); err != nil {
		return err
	}
	ctx, stop := interruptible(&f.screen, interrupts, hurries)
	defer stop()
	done, code, err := p.Prove(ctx, trials)
	if err != nil {
		return err
	}
	printProofs(stdout(c), done)
	if f.json != "" {
		if err := writeWhole(f.json, disk.Shared, func(w io.Writer) error { return encodeJSON(w, done) }); err != nil {
			return err
		}
	}
	if code != scenarios.ExitPass {
		return exit(code)
	}
	return nil
}

// printProofs prints the table of all proofs.
func printProofs(w io.Writer, done []drills.Record) {
	fmt.Fprintf(w, "\n%-18s %-24s %-9s %-7s %s\n", "drill", "system", "proved", "spoilt", "measured")
	for _, p := range done {
		fmt.Fprintf(w, "%-18s %-24s %-9s %-7d %s\n", p.Drill, p.System, fmt.Sprintf("%d of %d", p.Proved, p.Runs), p.Spoilt,
			drills.Range(p.Figures))
		if p.Why != "" {
			fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(p.Why, "\n", "\n  "))
		}
	}
}
