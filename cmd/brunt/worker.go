package main

import (
	"os"
	"strings"

	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/run"
	"brunt/scenarios/run/workers"

	"github.com/spf13/cobra"
)

// workerCommand is a process that makes a part of a run's load.
func workerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "worker",
		Short:  "Make the part of a load that standard input asks for, until it ends",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return run.ServeWorker(c.Context(), c.InOrStdin(), data(c), compileWorker)
		},
	}
}

// workersFlag is --workers.
type workersFlag struct {
	n    int
	text string // of a scenario that no file holds
}

func (f *workersFlag) register(c *cobra.Command) {
	c.Flags().IntVar(&f.n, "workers", 0,
		"make the load with so many processes of this machine, each a part of it (default `workers` of the scenario, else brunt's own alone)")
}

// checkWorkers refuses a number of workers that the plan can't be split between.
func (f *runFlags) checkWorkers(c *cobra.Command, p *plan.Plan) error {
	by, flag := "--workers", c.Flags().Changed("workers")
	if !flag && !f.smoke {
		by, f.workers.n = "`workers` of the scenario", p.Scenario.Workers
	}
	switch {
	case !flag && f.workers.n == 0:
		return nil
	case f.workers.n < 1 || f.workers.n > workers.Most:
		return usagef("%s is 1 to %d", by, workers.Most)
	case f.smoke:
		return usagef("--smoke measures nothing, so that it goes without %s", by)
	case f.requests:
		return usagef("--requests keeps every request of one process, so that it goes without %s", by)
	}
	if err := workers.Check(p, f.workers.n); err != nil {
		return usagef("%s: %w", by, err)
	}
	if f.read == nil {
		return nil
	}
	text, err := f.read(p.Scenario.File)
	f.workers.text = string(text)
	return err
}

// crew are the workers of a run of the plan.
func (f *runFlags) crew(p *plan.Plan) run.Workers {
	return run.Workers{
		N: f.workers.n, Command: append(self(), "worker"),
		Source: workers.Source{Path: p.Scenario.File, Text: f.workers.text, Set: f.set, Policies: f.policy},
	}
}

// compileWorker compiles the scenario of a run in one of its workers. The environment came over the pipe.
func compileWorker(s workers.Source) (*plan.Plan, error) {
	for _, entry := range s.Environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" && name != "GOMAXPROCS" {
			if err := os.Setenv(name, value); err != nil {
				return nil, err
			}
		}
	}
	f := &sourceFlags{set: s.Set, policy: s.Policies, planned: &dryrun.PlanFile{Seed: s.Seed}}
	if s.Text != "" {
		f.read = holding(s.Path, s.Text)
	}
	return compile(s.Path, f)
}
