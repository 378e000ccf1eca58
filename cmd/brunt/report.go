package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"brunt/reporters"
	"brunt/scenarios"

	"github.com/spf13/cobra"
)

func reportCommand() *cobra.Command {
	var format, out string
	var base baselineFlags
	c := &cobra.Command{
		Use:   "report DIR",
		Short: "Draw the reports of a run again from its result.json and latency.hlog",
		Long: `Draw the reports of a run again. With --format one is written in another format:
` + formats() + `.

The formats vegeta-gob, vegeta-csv and vegeta-json are those that vegeta's own
report and plot read; they need a run with --requests.

With --baseline the run is shown beside earlier ones, which stay as they are and change
nothing of its verdict; result.json stays as it is too. One run of another day is no
control: compare, ab and gate are there to judge by.`,
		Example: `  brunt report results
  brunt report results --baseline monday --baseline tuesday
  brunt report results --format vegeta-gob | vegeta report
  brunt report results --format vegeta-gob | vegeta plot > plot.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if out != "" && format == "" {
				return usagef("-o is the file for one --format; without it the report's own folder is drawn again")
			}
			res, err := reporters.Read(args[0])
			if err != nil {
				return usage{err}
			}
			earlier, err := readRuns(base.dirs)
			if err != nil {
				return err
			}
			beside(c.ErrOrStderr(), res, earlier)
			if format != "" {
				return reformat(c.OutOrStdout(), res, format, out)
			}
			if err := reporters.Redraw(args[0], res); err != nil {
				return err
			}
			return table(c.OutOrStdout(), res, args[0])
		},
	}
	c.Flags().StringVar(&format, "format", "", "write one report, in this format")
	c.Flags().StringVarP(&out, "output", "o", "", "the file for it (default standard output)")
	base.register(c)
	return c
}

// formatNames lists what a report can be written in; the terminal's is what is printed
// without.
func formatNames() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(reporters.Kinds())), func(name string) bool { return name == "terminal" || strings.Contains(name, ".") })
}

func formats() string { return strings.Join(formatNames(), ", ") }

// reformat writes one report to a file, or to w.
func reformat(w io.Writer, res *scenarios.Result, format, out string) (err error) {
	names := formatNames()
	if !slices.Contains(names, format) {
		hint := scenarios.DidYouMean(format, names)
		return usagef("there is no format %q; %s", format, hint)
	}
	if out != "" {
		f, err := os.Create(out)
		if err != nil {
			return usage{err}
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		w = f
	}
	b := bufio.NewWriterSize(w, 1<<16)
	if err := reporters.Kinds()[format]().Report(b, res); err != nil {
		if errors.Is(err, reporters.ErrNoRequests) {
			return usage{err}
		}
		return fmt.Errorf("writing %s: %w", format, err)
	}
	return b.Flush()
}
