package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"brunt/chaos/journal"
	"brunt/chaos/netns"
	"brunt/chaos/oci"
	"brunt/scenarios"
	"brunt/scenarios/edit/doctor"
	"brunt/scenarios/plan"
	"brunt/scenarios/run"
	"brunt/scenarios/run/workers/pods"
	"brunt/targets/platform/docker"

	"github.com/spf13/cobra"
)

func doctorCommand() *cobra.Command {
	var f sourceFlags
	c := &cobra.Command{
		Use:   "doctor [SCENARIO]",
		Short: "Check what this machine can do, and say what to do about the rest",
		Long: `Check what this machine can do, and say what to do about the rest. With a scenario,
also check whether it can run here and now: its commands and ports, its open files, and
whether its target answers. Where its workers are pods, ask the cluster for each right that they
take, and whether it would admit them; where faults hit pods, for those of the faults and of the
watchdog there. Nothing is started.

It lists too what no fault may hit here, with the rule, and what ` + "`brunt revert --discover`" + `
finds of dead runs.

The second table lists the faults on the network of a container or of another namespace,
with the mechanisms of the kernel that can inject each, the best first. brunt tries each
mechanism in a temporary namespace. A scenario chooses one by ` + "`via:`" + `.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var needs []doctor.Check
			if len(args) == 1 {
				plan, err := compile(args[0], &f)
				if err != nil {
					return err
				}
				needs = append(doctor.Needs(c.Context(), plan), clusterNeeds(c.Context(), plan)...)
				needs = append(needs, watchdogNeeds(c.Context(), plan)...)
				needs = append(needs, agentNeeds(c.Context(), plan)...)
			}
			bad := false
			t := tabwriter.NewWriter(stdout(c), 0, 0, 2, ' ', 0)
			checks := append(doctor.Machine(c.Context(), journal.Dirs(os.Getenv), os.Getenv),
				doctor.Policies(policyFiles(f.policy))...)
			for _, k := range append(checks, needs...) {
				bad = bad || k.State == doctor.Bad
				fmt.Fprintf(t, "%s\t%s\t%s\n", k.Name, k.State, k.Found)
				if k.Fix != "" {
					fmt.Fprintf(t, "\t\t-> %s\n", k.Fix)
				}
			}
			if err := t.Flush(); err != nil {
				return err
			}
			if err := printCapabilities(stdout(c), netns.Capabilities()); err != nil {
				return err
			}
			if bad {
				return exit(scenarios.ExitError)
			}
			return nil
		},
	}
	f.register(c)
	return c
}

// clusterNeeds asks the cluster whether it would accept the pods of a plan's workers.
func clusterNeeds(ctx context.Context, p *plan.Plan) []doctor.Check {
	w := &p.Scenario.Workers
	if !w.Elsewhere() {
		return nil
	}
	bad := func(what string, err error) []doctor.Check {
		return []doctor.Check{
			{Name: what, State: doctor.Bad, Found: err.Error(), Fix: "the load of this scenario is made by pods"},
		}
	}
	id := run.NewID()
	p = plan.For(p, id) // a run makes the namespace of a stack of pods, and names it after its id
	w = &p.Scenario.Workers
	s := pods.Settings{Workers: *w, Run: id, Lasts: p.Takes()}
	arch := ""
	var err error
	if s.Image, err = workerImage(w); err != nil {
		return bad("image of the workers", err)
	}
	if w.Image == "" && os.Getenv("BRUNT_IMAGE") == "" {
		if self, err := docker.SelfPath(os.Getenv); err == nil {
			if arch, err = oci.Architecture(self); err != nil {
				return bad("image of the workers", err)
			}
		}
	}
	if err := pods.Check(p); err != nil {
		return bad("workers", err)
	}
	cluster, err := openCluster(w, p)
	if err != nil {
		return bad("cluster of the workers", err)
	}
	defer cluster.Close()
	var out []doctor.Check
	k := p.Scenario.Target.Kubernetes
	made := k != nil && slices.Contains(k.Made(), w.Namespace)
	for _, f := range pods.Examine(ctx, cluster, s, w.Count, arch, made) {
		state := doctor.Fine
		if f.Fix != "" {
			state = doctor.Bad
		}
		out = append(out, doctor.Check{Name: f.What, State: state, Found: f.Text, Fix: f.Fix})
	}
	return out
}

// printCapabilities prints which faults brunt can inject into the packets of a namespace, with which mechanism, and
// the requirements of the others.
func printCapabilities(w io.Writer, all []netns.Capability) error {
	none := func(k netns.Capability) bool { return errors.Is(k.Err, netns.ErrNoThrowaway) }
	if len(all) > 0 && !slices.ContainsFunc(all, func(k netns.Capability) bool { return !none(k) }) {
		_, err := fmt.Fprintf(w, "\nfaults of a namespace's network can't be tried: %v\n-> %s\n", all[0].Err, all[0].Fix)
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\nfault\tby\tworks\twhy not\n")
	fixes := map[string]string{}
	var order []string
	for _, k := range all {
		works, why := "yes", ""
		if k.Err != nil {
			works, why = "no", k.Err.Error()
			if fixes[k.Via] == "" {
				order = append(order, k.Via)
			}
			fixes[k.Via] = k.Fix
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", k.Do.Fault(), k.Via, works, why)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, via := range order {
		if fixes[via] != "" {
			fmt.Fprintf(w, "-> %s: %s\n", via, fixes[via])
		}
	}
	return nil
}
