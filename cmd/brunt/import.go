package main

import (
	"errors"
	"io"
	"path/filepath"
	"strings"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/scenarios/disk"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"

	"github.com/spf13/cobra"
)

func importCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "import",
		Short: "Make a report from the measurements of another tool",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(importVegetaCommand())
	return c
}

func importVegetaCommand() *cobra.Command {
	var f runFlags
	var objectives []string
	var name string
	c := &cobra.Command{
		Use:   "vegeta RESULTS",
		Short: "Make a report of the results of `vegeta attack`: gob, JSON or CSV",
		Long: `Make a report of the results of "vegeta attack": gob, JSON or CSV. It is marked as
imported. vegeta measures a request from the time at which a worker took it, so its
latencies are service times: the time that a request waited for a worker is not included.`,
		Example: `  vegeta attack -targets targets.txt -rate 100 -duration 30s > results.bin
  brunt import vegeta results.bin -o results --slo "p95 < 200ms" --slo "errors < 1%"`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o := run.Importing{Name: name, From: args[0], Open: func() (io.ReadCloser, error) { return disk.Open(args[0]) }}
			if o.Name == "" {
				o.Name = strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))
			}
			for _, text := range objectives {
				objective, err := slo.ParseObjective(text)
				if err != nil {
					return usagef("--slo: %w", err)
				}
				objective.ID = objective.Text
				o.SLO = append(o.SLO, objective)
			}
			drop, err := f.sign.open()
			if err != nil {
				return err
			}
			defer drop()
			ctx, stop := interruptible(new(screen), "", "")
			defer stop()
			res, err := run.ImportVegeta(ctx, o)
			if err != nil {
				if errors.As(err, new(run.Interrupt)) {
					return err
				}
				return usagef("%s: %w", args[0], err)
			}
			dir, release, err := f.folder(o.Name, run.NewID())
			if err != nil {
				return err
			}
			defer release()
			err = evidence.RemoveManifest(dir)
			if err == nil {
				err = catalog.All().Write(dir, res)
			}
			if err == nil {
				release() // the manifest covers every file of the folder
				err = f.sign.writeManifest(c, dir)
			}
			if err := errors.Join(err, table(c.OutOrStdout(), res, dir, false)); err != nil {
				return err
			}
			if res.ExitCode != 0 {
				return exit(res.ExitCode)
			}
			return nil
		},
	}
	f.sign.register(c)
	c.Flags().StringVarP(&f.out, "output", "o", "", "folder for the report (default brunt-results/NAME-TIME)")
	c.Flags().BoolVar(&f.force, "force", false, "overwrite the report of another run")
	c.Flags().StringArrayVar(&objectives, "slo", nil, "an objective, such as \"p95 < 200ms\"; can be given several times")
	c.Flags().StringVar(&name, "name", "", "name in the report (default the name of the file)")
	return c
}
