package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// leftElsewhere reports journals of dead runs of other machines, which share a state directory with this one.
func leftElsewhere(dir string) error {
	states, _ := journal.List(dir) // recovery reports the same errors
	var errs []error
	for _, s := range states {
		if n := len(s.Open) + len(s.Problems()); s.Foreign && !s.Alive && n > 0 {
			errs = append(errs,
				fmt.Errorf("%s: it is of another machine, %s, and %s may be left there; run `brunt revert` on that machine",
					s.Path, s.Host, syntax.Amount(n, "fault")))
		}
	}
	return errors.Join(errs...)
}

func revertCommand() *cobra.Command {
	find := false
	var f discoverFlags
	c := &cobra.Command{
		Use:   "revert [RUN …]",
		Short: "Take back what dead runs left behind",
		Long: `Take back what dead runs left behind, by their journals: the runs that are named, or all.

brunt takes back what it can prove to be of this user's brunt: the journal and its folder are
this user's, and no other user can change them or replace them. It names any other journal,
what its undos would do, and how its owner takes it back. So with sudo -E, root's brunt leaves
your runs to you. In a cluster, an undo changes only an object that carries the mark of its run.

With --discover, look for it without a journal, where that was lost or lies in a state
directory that is not known. It finds what carries a mark of brunt's: processes, objects
in the engine, control groups, clocks, and the copies of its journal's entries that the
kernel keeps for root. It finds too what faults set and others may set: paused, stopped
and disconnected containers, lowered limits, stopped processes, queueing disciplines. For
each it says where it is, whether it is proven to be brunt's, and the command that takes it
back by hand. --yes takes back what is proven, and asks for the rest one by one at a
terminal; --all takes that without asking. Nothing of a run that goes on is touched. What an
exec, a webhook or a call has done is known from a journal or a copy alone. Linux only.

--context and --namespace name a namespace of a cluster. brunt takes back what dead runs of any
machine left there, by the journals that their watchdogs keep in it. With --discover it looks
for it without a journal: what a fault has changed carries what was there before. Without
--namespace it looks for namespaces that runs have made, by their label.`,
		Example: `  brunt revert
  brunt revert 20261126-065233-jqhzgmqh
  brunt revert --context staging --namespace shop
  brunt revert --discover
  brunt revert --discover --context staging --namespace shop
  brunt revert --discover --context staging
  brunt revert --discover --yes`,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case find && f.all && !f.yes:
				return usagef("--all goes with --yes")
			case f.context == "" && f.namespace != "", f.namespace == "" && f.context != "" && !find:
				return usagef("--context and --namespace go together; --discover --context alone looks for namespaces that runs " +
					"have made")
			case find:
				return discover(c, args, f)
			case f.yes, f.all:
				return usagef("--yes and --all go with --discover")
			case len(args) > 0 && f.context != "":
				return usagef("runs are named without --context; with it all of the namespace are taken back")
			case f.context != "":
				return revertInCluster(c, f.context, f.namespace)
			}
			return revertDead(c, args)
		},
	}
	c.Flags().BoolVar(&find, "discover", false, "look for remnants without a journal (Linux)")
	c.Flags().BoolVar(&f.yes, "yes", false, "with --discover: take back what is proven to be brunt's, and ask about the "+
		"rest")
	c.Flags().BoolVar(&f.all, "all", false, "with --yes: take back the rest without asking")
	c.Flags().StringVar(&f.context, "context", "", "a context of the kubeconfig: take back the remnants in its cluster")
	c.Flags().StringVar(&f.namespace, "namespace", "", "with --context: the namespace of the cluster")
	return c
}

// checkNamed returns an error for the first of the named runs that left no journal here, or that goes on.
func checkNamed(runs []string) error {
	var all []journal.State
	for _, dir := range journal.Dirs(os.Getenv) {
		states, _ := journal.List(dir) // recovery reports the same errors
		all = append(all, states...)
	}
	for _, run := range runs {
		switch i := slices.IndexFunc(all, func(s journal.State) bool { return s.Run == run }); {
		case i < 0:
			return usagef("run %s has no journal here, so nothing of it is known to be left; `brunt status` lists the runs that "+
				"have one, and --discover %s looks without one", run, run)
		case all[i].Alive && all[i].Status(guard.Operations()).State != journal.Reverting:
			return usagef("run %s goes on; it takes its faults back when it is interrupted", run)
		}
	}
	return nil
}

// revertDead reverts the faults that dead runs of this machine left, using their journals: the named runs, or all.
func revertDead(c *cobra.Command, runs []string) error {
	if err := checkNamed(runs); err != nil {
		return err
	}
	n := 0
	var errs []error
	for _, dir := range journal.Dirs(os.Getenv) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		taken, err := journal.Recover(ctx, guard.Operations(), dir, "revert", runs...)
		cancel()
		for _, t := range taken {
			n++
			fmt.Fprintf(stdout(c), "%s: %s: %s\n", words.Clean(t.Run), words.Clean(t.Pending.What), outcomeText(t))
		}
		if !errors.Is(err, journal.ErrUnreadable) {
			errs = append(errs, err, leftElsewhere(dir))
		}
	}
	if len(runs) == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		strays, err := journal.RemoveStrays(ctx)
		cancel()
		errs = append(errs, err)
		for _, t := range strays {
			n++
			fmt.Fprintf(stdout(c), "%s: %s: %s\n", words.Clean(t.Run), words.Clean(t.Pending.What), outcomeText(t))
		}
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintf(stderr(c), "brunt: %s\n", words.CleanLines(err.Error()))
		return exit(scenarios.ExitNotReverted)
	}
	if n == 0 {
		fmt.Fprintln(stdout(c), "nothing is left behind")
	}
	return nil
}

func outcomeText(t journal.Taken) string {
	switch {
	case t.Err != nil:
		return "failed: " + words.Clean(t.Err.Error())
	case t.Outcome == chaos.Gone:
		return "gone by itself"
	}
	return "taken back"
}
