package main

import (
	"brunt/reporters"

	"github.com/spf13/cobra"
)

func reportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "report DIR",
		Short: "Draw the reports of a run again from its result.json and latency.hlog",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			res, err := reporters.Read(args[0])
			if err != nil {
				return usage{err}
			}
			if err := reporters.Redraw(args[0], res); err != nil {
				return err
			}
			return table(c.OutOrStdout(), res, args[0])
		},
	}
}
