package main

import (
	"fmt"
	"time"

	"brunt/chaos/catalog"
	"brunt/chaos/cluster/guard"
	"brunt/chaos/journal"
	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/chaos/rpc"
	"brunt/scenarios"
	runguard "brunt/scenarios/run/guard"

	"github.com/spf13/cobra"
)

// watchdogCommand is the watchdog, which reverts everything when brunt dies.
func watchdogCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "watchdog JOURNAL",
		Short:  "Take back the open entries of the journal when standard input ends",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			err := journal.RunWatchdog(runguard.Operations(), c.InOrStdin(), args[0])
			if err == nil {
				return nil
			}
			if f, ferr := journal.WatchdogLog(args[0]); ferr == nil {
				fmt.Fprintf(f, "%s watchdog: %v\n", time.Now().UTC().Format(time.RFC3339), err)
				_ = f.Close()
			}
			return exit(scenarios.ExitNotReverted)
		},
	}
}

// remoteWatchdogCommand is the remote watchdog. A brunt in a container has the engine start it in a container of its
// own.
func remoteWatchdogCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "remote-watchdog DEADLINE",
		Short:  "Take back the open entries of the journal on standard input when it ends",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			most, err := time.ParseDuration(args[0])
			if err != nil {
				return err
			}
			ctx, stop := terminable(c)
			defer stop()
			return journal.RunRemoteWatchdog(ctx, catalog.AllOperations(), c.InOrStdin(), c.OutOrStdout(), most)
		},
	}
}

// clusterWatchdogCommand is the watchdog of a run, in a pod of the cluster that the run injects faults into.
func clusterWatchdogCommand() *cobra.Command {
	var g guard.Guard
	var key string
	c := &cobra.Command{
		Use:    "cluster-watchdog",
		Short:  "Take back the faults of a run in this cluster when brunt is not heard of any more",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := terminable(c)
			defer stop()
			const answerWithin = 3 * time.Second
			cluster, err := kubeconfig.Open(kube.Address{Namespace: g.Namespace}, kube.Options{AnswerWithin: answerWithin})
			if err != nil {
				return err
			}
			defer cluster.Close()
			if key != "" {
				if g.Key, err = rpc.ParseKey(key); err != nil {
					return err
				}
			}
			g.Log = stderr(c)
			return g.Serve(ctx, cluster)
		},
	}
	c.Flags().StringVar(&g.Run, "run", "", "id of the run")
	c.Flags().StringVar(&g.Namespace, "namespace", "", "of the run's journal")
	c.Flags().StringVar(&key, "key", "", "the public half of the run's key, in hexadecimal")
	c.Flags().DurationVar(&g.Patience, "patience", 0, "without a sign of brunt until everything is taken back")
	c.Flags().DurationVar(&g.Linger, "linger", 0,
		"without a sign of brunt and an open entry until the watchdog removes itself")
	c.Flags().DurationVar(&g.Most, "most", 0, "after which everything is taken back in any case")
	return c
}

// watchdog returns the command line of the watchdog, without the journal's path.
func watchdog() []string { return append(self(), "watchdog") }
