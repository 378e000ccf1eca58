package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

func doctorCommand() *cobra.Command {
	var policy []string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what this machine can do, and what to do about the rest",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			socket := strings.TrimPrefix(os.Getenv("DOCKER_HOST"), "unix://")
			if socket == "" || strings.Contains(socket, "://") {
				socket = "/var/run/docker.sock"
			}
			bad := false
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			checks := run.Doctor(c.Context(), chaos.StateDirs(os.Getenv), socket)
			for _, k := range append(checks, run.DoctorPolicies(policyFiles(policy))...) {
				bad = bad || k.State == run.Bad
				fmt.Fprintf(t, "%s\t%s\t%s\n", k.Name, k.State, k.Found)
				if k.Fix != "" {
					fmt.Fprintf(t, "\t\t-> %s\n", k.Fix)
				}
			}
			if err := t.Flush(); err != nil {
				return err
			}
			if bad {
				return exit(scenarios.ExitError)
			}
			return nil
		},
	}
	policyFlag(c, &policy)
	return c
}
