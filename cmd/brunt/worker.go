package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/run"
	"brunt/scenarios/run/workers"
	"brunt/scenarios/run/workers/pods"

	"github.com/spf13/cobra"
)

// workerCommand is a process that makes a part of a run's load. The run is at the standard input, or connects to the
// process.
func workerCommand() *cobra.Command {
	var s pods.Served
	c := &cobra.Command{
		Use:    "worker",
		Short:  "Make the part of a load that standard input asks for, until it ends",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if s.Listen == "" {
				return run.ServeWorker(c.Context(), c.InOrStdin(), data(c), compileWorker)
			}
			var err error
			if s.Index, err = strconv.Atoi(os.Getenv("JOB_COMPLETION_INDEX")); err != nil {
				return errors.New("JOB_COMPLETION_INDEX does not say which worker this is: the pods of an indexed Job have it")
			}
			return s.Serve(c.Context(), func(ctx context.Context, in io.Reader, out io.Writer) error {
				return run.ServeWorker(ctx, in, out, compileWorker)
			})
		},
	}
	c.Flags().StringVar(&s.Listen, "listen", "", "address that the run connects to; empty: the run is at standard input")
	c.Flags().StringVar(&s.Run, "run", "", "id of the run")
	c.Flags().StringVar(&s.Key, "key", "", "public half of the run's key, in hexadecimal")
	c.Flags().DurationVar(&s.Patience, "patience", 0, "how long it does without a connection")
	c.Flags().DurationVar(&s.First, "first", 0, "how long it waits for the first connection")
	return c
}

// workersFlag holds --workers.
type workersFlag struct {
	scenarios.Workers
	text string // of a scenario without a file
}

func (f *workersFlag) register(c *cobra.Command) {
	c.Flags().IntVar(&f.Count, "workers", 0,
		"make the load with so many processes, each a part of it, of this machine or where `workers` of the scenario says "+
			"(default `workers` of "+
			"the scenario, else brunt's own alone)")
}

// checkWorkers refuses workers together with outputs that hold the requests of one process.
func (f *runFlags) checkWorkers(c *cobra.Command, p *plan.Plan) error {
	by, flag := "--workers", c.Flags().Changed("workers")
	if f.workers.Workers = p.Scenario.Workers; f.smoke {
		f.workers.Workers = scenarios.Workers{}
	} else if !flag {
		by = "`workers` of the scenario"
	}
	switch {
	case f.workers.Count == 0:
		return nil
	case f.sendsSpans():
		return usagef("--out otlp-traces sends requests of one process, so that it goes without %s", by)
	case f.sendsRequests():
		return usagef("--out with a file holds the requests of one process, so that it goes without %s", by)
	case f.requests:
		return usagef("--requests keeps every request of one process, so that it goes without %s", by)
	}
	if f.read == nil {
		return nil
	}
	text, err := f.read(p.Scenario.File)
	f.workers.text = string(text)
	return err
}

// crew returns the workers of a run of the plan.
func (f *runFlags) crew(p *plan.Plan, id string) (w run.Workers, err error) {
	w = run.Workers{
		N: f.workers.Count, Command: append(self(), "worker"), Terms: workers.Terms{Stop: f.workers.Lost == "stop"},
		Source: workers.Source{Path: p.Scenario.File, Text: f.workers.text, Set: f.set, Policies: f.policy},
	}
	if !f.workers.Elsewhere() {
		return w, nil
	}
	if w.Source, err = w.Source.Bundle(p); err != nil {
		return w, err
	}
	s := pods.Settings{Workers: f.workers.Workers, Run: id, Lasts: p.Takes()}
	if p.Stack.OnPods() {
		s.Namespace = plan.For(p, id).Scenario.Workers.Namespace
	}
	if s.Image, err = pods.ImageOf(&s.Workers, os.Getenv); err != nil {
		return w, err
	}
	cluster, err := pods.Open(&s.Workers, p)
	if err != nil {
		return w, err
	}
	w.Hirer, w.Terms.Remote, w.Terms.Patience, w.Terms.Skew = pods.New(cluster, s), true, s.Patience.D(), s.Skew.D()
	return w, nil
}

// compileWorker compiles the scenario of a run in one of its workers. The environment comes over the pipe.
func compileWorker(s workers.Source) (*plan.Plan, error) {
	for _, entry := range s.Environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" && name != "GOMAXPROCS" {
			if err := os.Setenv(name, value); err != nil {
				return nil, err
			}
		}
	}
	f := &sourceFlags{
		set: s.Set, policy: s.Policies, planned: &dryrun.PlanFile{Seed: s.Seed}, read: s.Read(), split: -1,
	}
	if s.Text != "" && f.read == nil {
		f.read = holding(s.Path, s.Text)
	}
	return compile(s.Path, f)
}
