package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/cluster/guard"
	"brunt/chaos/kube"
	"brunt/reporters/words"
	"brunt/scenarios"

	"github.com/spf13/cobra"
)

// foundInCluster finds the runs with a watchdog in a namespace. The caller closes the returned connection.
func foundInCluster(ctx context.Context, contextName, namespace string) ([]guard.Found, *kube.Cluster, error) {
	c, at, err := cluster.Connect(ctx, kube.Address{Context: contextName, Namespace: namespace})
	if err != nil {
		return nil, nil, err
	}
	found, err := guard.List(ctx, c, at)
	if err != nil {
		c.Close()
		return nil, nil, fmt.Errorf("%s: %w", at, err)
	}
	return found, c, nil
}

// statusInCluster shows the runs with a watchdog in a namespace, and their active faults there.
func statusInCluster(c *cobra.Command, contextName, namespace string, asJSON bool) error {
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	found, client, err := foundInCluster(ctx, contextName, namespace)
	if err != nil {
		return err
	}
	client.Close()
	if asJSON {
		out := json.NewEncoder(data(c))
		out.SetIndent("", "  ")
		if err := out.Encode(found); err != nil {
			return err
		}
	}
	left := 0
	for i := range found {
		f := &found[i]
		if !f.Alive {
			left += len(f.In)
		}
		if !asJSON {
			printFound(c, f)
		}
	}
	switch {
	case left > 0:
		return exit(scenarios.ExitNotReverted)
	case len(found) == 0 && !asJSON:
		fmt.Fprintln(stdout(c), "no run has a watchdog there, and nothing is left behind by one that had")
	}
	return nil
}

func printFound(c *cobra.Command, f *guard.Found) {
	out := stdout(c)
	how := "its brunt did not report in time; its watchdog takes back its faults"
	if f.Alive {
		how = "runs"
	}
	fmt.Fprintf(out, "%s: %s; it began %s on %s\n", words.Clean(f.Run), how, f.Began.Local().Format(time.DateTime),
		words.Clean(f.Host))
	for _, e := range f.In {
		fmt.Fprintf(out, "  %s: %s\n    in since %s\n", words.Clean(e.Fault), words.Clean(e.What),
			e.Since.Local().Format(time.TimeOnly))
		for _, text := range e.Undo {
			fmt.Fprintf(out, "    its undo %s\n", words.Clean(text))
		}
	}
	for _, t := range f.Taken {
		fmt.Fprintf(out, "  %s\n    its watchdog took it back at %s: %s\n", words.Clean(t.What),
			t.Time.Local().Format(time.TimeOnly), words.Clean(t.Why))
	}
	if f.Error != "" {
		fmt.Fprintf(out, "  %s\n", words.Clean(f.Error))
	}
}

// revertInCluster reverts faults that dead runs of any machine left in a namespace, using their journals there.
func revertInCluster(c *cobra.Command, contextName, namespace string) error {
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	found, client, err := foundInCluster(ctx, contextName, namespace)
	if err != nil {
		return err
	}
	defer client.Close()
	var errs []error
	for i := range found {
		f := &found[i]
		if f.Alive {
			fmt.Fprintf(stdout(c), "%s: it goes on, on %s, and is left alone\n", words.Clean(f.Run), words.Clean(f.Host))
			continue
		}
		taken, err := f.TakeBack(ctx, client)
		for _, t := range taken {
			fmt.Fprintf(stdout(c), "%s: %s: %s\n", words.Clean(t.Run), words.Clean(t.Pending.What), outcomeText(t))
			for _, text := range guard.Text(&t.Pending) {
				fmt.Fprintf(stdout(c), "    its undo %s\n", words.Clean(text))
			}
		}
		if err == nil {
			fmt.Fprintf(stdout(c), "%s: nothing is left, and its watchdog is removed\n", words.Clean(f.Run))
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintf(stderr(c), "brunt: %s\n", oneLine(err))
		return exit(scenarios.ExitNotReverted)
	}
	if len(found) == 0 {
		fmt.Fprintln(stdout(c),
			"no run with a watchdog there left anything behind; --discover looks for remnants without a journal")
	}
	return nil
}
