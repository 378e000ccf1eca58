package main

import (
	"fmt"
	"runtime"

	"brunt/scenarios/machine"

	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of brunt",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			fmt.Fprintf(stdout(c),
				"brunt %s\n%s %s/%s\nlicence Apache-2.0; k6 scripts run in brunt-k6, a separate program that links k6 and is "+
					"under "+
					"the AGPL-3.0\n",
				machine.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
