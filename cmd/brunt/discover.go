package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"brunt/chaos/journal"
	"brunt/chaos/kube"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/run/guard"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// mostUnproven bounds the listed remnants that may not be brunt's.
const mostUnproven = 40

// mostSearches bounds the repeated searches for processes that started in the meantime.
const mostSearches = 5

// discoverFlags tells what to do with the remnants found.
type discoverFlags struct {
	yes bool // revert remnants that are proven to be brunt's
	all bool // also revert remnants that may be brunt's, without asking

	context, namespace string // of the cluster to search
}

// clusters returns the namespaces of clusters to search.
func (f discoverFlags) clusters() []kube.Address {
	if f.context == "" {
		return nil
	}
	return []kube.Address{{Context: f.context, Namespace: f.namespace}}
}

// discover finds the remnants of dead runs without a journal, and reverts them if a flag says so.
func discover(c *cobra.Command, runs []string, f discoverFlags) error {
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	ops := guard.Operations()
	d, err := journal.DiscoverIn(ctx, ops, f.clusters(), runs...)
	if d == nil {
		return scenarios.Usage(err)
	}
	if err != nil {
		fmt.Fprintf(stderr(c), "brunt: not everything could be looked at: %s\n", oneLine(err))
	}
	listFound(c, d)
	out := stdout(c)
	switch {
	case len(d.Left) == 0 && (!f.yes || len(d.Unproven) == 0):
		return nil
	case !f.yes:
		fmt.Fprintln(out, "\n`brunt revert --discover --yes` takes back what is proven to be brunt's, and asks about the "+
			"rest one by one.")
		return exit(scenarios.ExitNotReverted)
	}
	fmt.Fprintln(out)
	also := asks(c, f)
	for range mostSearches {
		taken, terr := d.TakeBack(ctx, ops, also)
		for _, t := range taken {
			fmt.Fprintf(out, "%s: %s\n", foundAs(t.Run, t.Pending.What), outcomeText(t))
		}
		also = nil // do not ask twice about the same remnants
		if d, err = journal.DiscoverIn(ctx, ops, f.clusters(), runs...); d == nil {
			return err
		}
		if err = terr; err == nil && len(d.Left) == 0 {
			return nil
		}
	}
	if err == nil {
		err = errors.New("the ended processes keep starting others")
	}
	fmt.Fprintf(stderr(c), "brunt: %s\n", oneLine(err))
	return exit(scenarios.ExitNotReverted)
}

// listFound prints each remnant: its kind and place, whether it is proven to be brunt's, and the command that reverts
// it.
func listFound(c *cobra.Command, d *journal.Discovery) {
	out := stdout(c)
	for _, l := range d.Left {
		fmt.Fprintln(out, foundAs(l.Run, l.What))
		if l.Why != "" {
			fmt.Fprintf(out, "    brunt's: %s\n", words.Clean(l.Why))
		}
	}
	for _, run := range d.Alive {
		fmt.Fprintf(out, "%s: still running, or its watchdog is at work; brunt leaves its changes alone\n",
			words.Clean(run))
	}
	if len(d.Left) == 0 {
		fmt.Fprintln(out, "nothing has the mark of a dead run")
	}
	for i, l := range d.Unproven {
		if i == mostUnproven {
			fmt.Fprintf(out, "and %d more\n", len(d.Unproven)-i)
			break
		}
		fmt.Fprintf(out, "%s\n    not proven to be brunt's: %s\n", foundAs(l.Run, l.What), words.Clean(l.Why))
		if l.Command != "" {
			fmt.Fprintf(out, "    by hand: %s\n", words.Clean(l.Command))
		}
	}
}

// foundAs describes a remnant of a run; the run may be unknown.
func foundAs(run, what string) string {
	if run == "" {
		return words.Clean(what)
	}
	return words.Clean(run) + ": " + words.Clean(what)
}

// asks returns the function that decides whether to revert a remnant that may not be brunt's. It asks the user at the
// terminal about each one. Without a terminal it declines all, unless --all is given.
func asks(c *cobra.Command, f discoverFlags) func(journal.Leftover) bool {
	in, ok := c.InOrStdin().(*os.File)
	if f.all || !ok || !term.IsTerminal(int(in.Fd())) {
		return func(journal.Leftover) bool { return f.all }
	}
	lines := bufio.NewScanner(in)
	return func(l journal.Leftover) bool {
		fmt.Fprintf(stdout(c), "%s. Take it back? [y/N] ", foundAs(l.Run, l.What))
		if !lines.Scan() {
			return false
		}
		answer := strings.ToLower(strings.TrimSpace(lines.Text()))
		return answer == "y" || answer == "yes"
	}
}

// oneLine joins the lines of an error.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
