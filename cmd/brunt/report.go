package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/html"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	protocols "brunt/targets/catalog"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func reportCommand() *cobra.Command {
	var format, out string
	var verbose, asSite bool
	var base baselineFlags
	var flags planFlags
	c := &cobra.Command{
		Use:   "report DIR...",
		Short: "Draw the reports of a run again from its result.json and latency.hlog",
		Long: `Draw the reports of a run again from its result.json and latency.hlog, for example after an
update of brunt; SHA256SUMS gets their new sums. In a folder that is signed or attested only
missing and changed files are drawn; -o draws all of them into another folder. --format
writes one report in another format:
` + formats() + `.

vegeta's own report and plot read the formats vegeta-gob, vegeta-csv and vegeta-json, and
dashboards of k6 read k6-json; these formats need a run with --requests.

pdf is the page as an installed Chromium prints it: the verdict with its objectives is the
first sheet. markdown is for a ticket or a pull request.

--site writes the runs below one or more folders as a site of files, for a host of static
pages such as GitHub or GitLab Pages: a list to filter, the page of each run alone and beside
the run of its scenario before it, each objective over time, and what was last proved, what is
overdue by the cadence of --policy, and what failed and what closed it. ` + "`brunt serve`" + ` serves
them, and compares any two.

--baseline shows the run beside earlier ones. It changes neither their files nor the
verdict and result.json of this run. One run of another day is no control: to decide
whether a build is worse, use compare, ab or gate.`,
		Example: `  brunt report results
  brunt report results --baseline monday --baseline tuesday
  brunt report results --format markdown | gh pr comment --body-file -
  brunt report results --format pdf -o report.pdf
  brunt report brunt-results --site -o public
  brunt report results --format vegeta-gob | vegeta report
  brunt report results --format vegeta-gob | vegeta plot > plot.html`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case asSite && (format != "" || len(base.dirs) > 0):
				return usagef("--site goes with neither --format nor --baseline")
			case asSite:
				return writeSite(c, out, args, &flags)
			case len(flags.policy) > 0 || flags.signer != "":
				return usagef("--policy and --signer are for the programme of --site")
			case len(args) > 1:
				return usagef("%d folders: --site makes a site of several", len(args))
			}
			res, err := evidence.Read(args[0], protocols.New().Causes()...)
			if errors.Is(err, fs.ErrNotExist) {
				return unfinished(c, args[0], err)
			}
			if err != nil {
				return scenarios.Usage(fmt.Errorf("%s: %w", args[0], err))
			}
			earlier, err := readRuns(base.dirs)
			if err != nil {
				return err
			}
			switch {
			case res.Histograms != nil:
			case format == "hlog":
				return usagef("latency.hlog is missing in %s, so there is no histogram to write", args[0])
			case slices.Contains([]string{"", "html", pdf}, format):
				fmt.Fprintf(stderr(c), "brunt: latency.hlog is missing in %s: the page has no percentile curves and no heatmap\n",
					args[0])
			}
			beside(stderr(c), res, earlier)
			if format != "" || out != "" { // what is beside the run's folder is not beside the file
				standAlone(res)
			}
			if format != "" {
				return reformat(c.Context(), data(c), res, format, out)
			}
			dir := args[0]
			if out != "" {
				dir = out
				err = drawElsewhere(out, res)
			} else {
				err = redraw(c, dir, res)
			}
			if err != nil {
				return err
			}
			return table(c.OutOrStdout(), res, dir, verbose)
		},
	}
	c.Flags().StringVar(&format, "format", "", "write one report, in this format")
	completeOneOf(c, "format", formatNames()...)
	c.Flags().StringVarP(&out, "output", "o", "",
		"with --format, the file (default standard output); without, a folder for all reports "+
			"(default the run's own)")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false,
		"show the tables of the run before the answer: each objective and fault in full, response times, errors and notes")
	c.Flags().BoolVar(&asSite, "site", false, "write the runs below the folders as a site of files, to the folder of -o")
	base.register(c)
	flags.register(c)
	return c
}

// standAlone makes the page of a run link to no earlier run.
func standAlone(res *result.Result) {
	for i := range res.Earlier {
		res.Earlier[i].Beside = false
	}
}

// redraw draws the run's files again in its own folder, and tells which changed and which a seal keeps as they were.
func redraw(c *cobra.Command, dir string, res *result.Result) error {
	kept, drawn, err := catalog.All().Redraw(dir, res)
	if len(drawn) > 0 {
		fmt.Fprintf(stderr(c), "brunt: drawn again: %s\n", strings.Join(drawn, ", "))
	}
	if len(kept) > 0 {
		fmt.Fprintf(stderr(c), "brunt: %s is signed or attested, so it keeps an older drawing: %s; "+
			"-o FOLDER draws elsewhere\n", dir, strings.Join(kept, ", "))
	}
	return err
}

// drawElsewhere draws the files into another folder, which must not be the folder of a run.
func drawElsewhere(dir string, res *result.Result) error {
	if _, err := os.Stat(filepath.Join(dir, "result.json")); err == nil {
		return usagef("%s is the folder of a run; -o names another folder for the report", dir)
	}
	return catalog.All().Draw(dir, res)
}

// formatNames lists the formats of a report; the terminal's is the default.
func formatNames() []string {
	var names []string
	for _, f := range catalog.All().Formats() {
		if f.Name != "terminal" {
			names = append(names, f.Name)
		}
	}
	return append(names, pdf)
}

// pdf is the name of the format that a browser prints.
const pdf = "pdf"

func formats() string { return strings.Join(formatNames(), ", ") }

// reformat writes one report to a file, or to w.
func reformat(ctx context.Context, w io.Writer, res *result.Result, format, out string) (err error) {
	names := formatNames()
	if !slices.Contains(names, format) {
		hint := syntax.DidYouMean(format, names)
		return usagef("there is no format %q; %s", format, hint)
	}
	if out != "" {
		f, err := os.Create(out)
		if err != nil {
			return scenarios.Usage(err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		w = f
	}
	if f, ok := w.(*os.File); ok && out == "" && format == pdf && term.IsTerminal(int(f.Fd())) {
		return usagef("a terminal shows no PDF; -o report.pdf writes it to a file")
	}
	if format == pdf {
		return html.PDF(ctx, w, res)
	}
	b := bufio.NewWriterSize(w, 1<<16)
	if err := catalog.All().Named(format).Report(b, res); err != nil {
		if errors.Is(err, evidence.ErrNoRequests) {
			return scenarios.Usage(err)
		}
		return fmt.Errorf("writing %s: %w", format, err)
	}
	return b.Flush()
}
