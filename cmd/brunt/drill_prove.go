package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"brunt/reporters/html"
	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/drills"

	"github.com/spf13/cobra"
)

// proveFlags are the settings of `brunt drill prove`.
type proveFlags struct {
	drillFlags
	times int
	json  string
	dir   string // of -o
	done  []drills.Record
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
busy, is repeated, at most twice. Without a name, all drills that are part of brunt are
proved. The exit code is 3 if a good system failed or a mutant did not, and 5 if a run
showed nothing each time.`,
		Example: `  brunt drill prove replica-crash --times 5
  brunt drill prove ./my-drill.yaml --scenario checkout.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			if on != "" && len(args) == 0 {
				return usagef("--scenario is for drills of your own, which are named")
			}
			if f.times < 1 {
				return usagef("--times is at least 1")
			}
			return f.prove(c, args, on)
		},
	}
	f.register(c)
	c.ValidArgsFunction = completeDrills
	c.Flags().IntVar(&f.times, "times", 1, "how often each system is tried")
	c.Flags().StringVar(&on, "scenario", "", "prove on the system of this scenario instead of the built-in one")
	c.Flags().StringVarP(&f.dir, "output", "o", "",
		"folder for the reports of all runs (default: those of runs that refute a proof, in brunt-results)")
	c.Flags().StringVar(&f.json, "json", "", "write the outcome to a file as JSON")
	f.log, f.repeat, f.table.brief = logFlags{"text", "error"}, 1, true
	return c
}

// mostTries is how often a run of a proof is made that shows nothing.
const mostTries = 3

// A trial is a drill laid over one system of its proof.
type trial struct {
	drill  *drills.Drill
	laid   *drills.Laid
	mutant *drills.Mutant // nil: the good system
	path   string
	source sourceFlags // with the params that the drill leaves to the scenario
}

func (t *trial) system() string {
	if t.mutant == nil {
		return drills.Good
	}
	return t.mutant.Name
}

// prove lays all drills over all their systems before it starts the first, so that a mistake starts nothing.
func (f *proveFlags) prove(c *cobra.Command, names []string, on string) error {
	if len(names) == 0 {
		names = drills.Names()
	}
	var trials []trial
	for _, name := range names {
		some, err := f.trials(name, on)
		if err != nil {
			return err
		}
		trials = append(trials, some...)
	}
	if err := recoverOthers(c); err != nil {
		return err
	}
	ctx, stop := interruptible(&f.screen, interrupts, hurries)
	defer stop()
	code := scenarios.ExitPass
	for _, t := range trials {
		one, err := f.try(ctx, c, t)
		f.done = append(f.done, one)
		switch {
		case err != nil:
			return err
		case one.Proved < one.Runs:
			code = scenarios.ExitFail
		case one.Runs < f.times && code == scenarios.ExitPass:
			code = scenarios.ExitInvalid
		}
		if context.Cause(ctx) != nil {
			code = scenarios.ExitInterrupted
			break
		}
	}
	f.summary(stdout(c))
	if f.json != "" {
		if err := writeWhole(f.json, disk.Shared, func(w io.Writer) error { return encodeJSON(w, f.done) }); err != nil {
			return err
		}
	}
	if code != scenarios.ExitPass {
		return exit(code)
	}
	return nil
}

// trials lays a drill over the systems of its proof, and compiles each.
func (f *proveFlags) trials(name, on string) ([]trial, error) {
	set := f.set
	defer func() { f.set = set }()
	d, err := f.find(name, on == "")
	if err != nil {
		return nil, err
	}
	if len(d.Proof.Mutants) == 0 {
		return nil, usagef("the drill %s has no mutant, so that nothing shows that it can fail", d.Name)
	}
	mutants := []*drills.Mutant{nil}
	for i := range d.Proof.Mutants {
		mutants = append(mutants, &d.Proof.Mutants[i])
	}
	var scenario []string
	if on != "" {
		scenario = []string{on}
	}
	var out []trial
	for _, mutant := range mutants {
		base, err := f.base(scenario, d, mutant)
		if err != nil {
			return nil, err
		}
		roles := d.Proof.Roles.Map()
		if mutant == nil {
			if err := d.Bind(drills.SystemOf(base.Plan), roles); err != nil {
				return nil, scenarios.Usage(err)
			}
		}
		laid, err := d.Lay(base, roles)
		if err != nil {
			return nil, err
		}
		t := trial{d, laid, mutant, f.place(base, d), f.sourceFlags}
		if _, err := t.source.text(t.path, laid.Text, false); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// try runs a drill on one system as often as --times says.
func (f *proveFlags) try(ctx context.Context, c *cobra.Command, t trial) (drills.Record, error) {
	one := drills.Record{Drill: t.drill.Name, System: t.system(), Digest: t.drill.Digest(t.mutant)}
	for range f.times {
		var j drills.Judgement
		for range mostTries {
			var err error
			began := time.Now()
			if j, err = f.one(ctx, c, t); err != nil || context.Cause(ctx) != nil {
				return one, err
			}
			fmt.Fprintf(stderr(c), "%-18s %-24s %-8s %-28s %s (%.0f s)\n", t.drill.Name, t.system(), j.Answer, j.Figure, j.Why,
				time.Since(began).Seconds())
			if j.Answer != drills.Spoilt {
				break
			}
			one.Spoilt++
		}
		if j.Answer == drills.Spoilt {
			continue
		}
		one.Runs++
		one.Figures = append(one.Figures, j.Figure)
		if j.Answer == drills.Proved {
			one.Proved++
		} else if one.Why == "" {
			one.Why = j.Why
		}
	}
	return one, nil
}

// one runs a drill on one system once. The report is kept where -o names a folder, or where the run refutes the proof.
func (f *proveFlags) one(ctx context.Context, c *cobra.Command, t trial) (drills.Judgement, error) {
	plan, err := t.source.text(t.path, t.laid.Text, false)
	if err != nil {
		return drills.Judgement{}, err
	}
	f.out = filepath.Join(cmp.Or(f.dir, "brunt-results"),
		fmt.Sprintf("prove-%s-%s-%d", t.drill.Name, t.system(), time.Now().UnixMilli()))
	res, err := f.once(ctx, c, plan, nil)
	if err != nil || res == nil {
		return drills.Judgement{}, err
	}
	j := t.drill.Judge(t.laid, t.mutant, res)
	if f.dir == "" && j.Answer != drills.Refuted {
		err := os.RemoveAll(f.out)
		_ = os.Remove(filepath.Dir(f.out)) // if it is empty
		return j, err
	}
	if j.Answer == drills.Refuted {
		j.Why += "; " + filepath.Join(f.out, html.File)
	}
	return j, nil
}

// summary prints the table of all proofs.
func (f *proveFlags) summary(w io.Writer) {
	fmt.Fprintf(w, "\n%-18s %-24s %-9s %-7s %s\n", "drill", "system", "proved", "spoilt", "measured")
	for _, p := range f.done {
		fmt.Fprintf(w, "%-18s %-24s %-9s %-7d %s\n", p.Drill, p.System, fmt.Sprintf("%d of %d", p.Proved, p.Runs), p.Spoilt,
			drills.Range(p.Figures))
		if p.Why != "" {
			fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(p.Why, "\n", "\n  "))
		}
	}
}
