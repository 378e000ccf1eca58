package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"brunt/reporters/evidence"
	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/disk"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

func compareCommand() *cobra.Command {
	var f judgeFlags
	var history, page string
	c := &cobra.Command{
		Use: "compare BASE... -- CANDIDATE...",
		Example: `  brunt compare results/main-* -- results/branch-*
  brunt compare monday tuesday --html compare.html`,
		Short: "Tell whether one set of runs is worse than another",
		Long: `Compare the results of several runs on each side, such as

  brunt compare results/main-* -- results/branch-*

The unit is the run, not the request, so each side needs at least two runs; begin with five
of a minute each. Runs that were made in turns (A B B A) are compared as pairs. In another
order, consecutive runs of one side are one turn, and each side needs two turns. Where one
side was run before the other, a change of the machine looks like a change of the target:
the comparison is uncontrolled and has no verdict, unless --history names records that show
how much sessions of runs differ.

A metric fails if it is certainly worse, and by more than its margin. It passes if it is
certainly not worse by as much. Otherwise it is inconclusive, and brunt says how much data
would be enough. Exit code 4 is a regression, 8 inconclusive with --fail-inconclusive, else 0.

Metrics: ` + strings.Join(compare.MetricNames(), " ") + `. Default margins: ` + compare.DefaultMargins().String() + `.
The rate is compared for closed loads only, because an open load offers what its schedule
asks for. A metric that too few runs have is inconclusive. If most base runs lack it, it is
left out, with a note. A fault without an outage recovered in 0s, which has no ratio: it counts as
its resolution, or as the shortest outage of the other runs if that is shorter.

--html writes a page of two runs, BASE and CANDIDATE: what changed first, then both over each
other on one clock, then the settings and lines of the scenario that differ. One run a side
has no verdict, so the page shows changes and the exit code is 0.`,
		RunE: func(c *cobra.Command, args []string) error {
			dash := c.ArgsLenAtDash()
			if page != "" {
				return besidePage(c, page, args)
			}
			if dash < 0 {
				return usagef("want two sides: brunt compare BASE... -- CANDIDATE...")
			}
			for _, arg := range args[dash:] {
				if strings.HasPrefix(arg, "--") {
					return usagef("%s is after --, where only folders may be; put flags before BASE", arg)
				}
			}
			o, err := f.options()
			if err != nil {
				return err
			}
			base, err := readRuns(args[:dash])
			if err != nil {
				return err
			}
			cand, err := readRuns(args[dash:])
			if err != nil {
				return err
			}
			if history != "" {
				if o.History, err = readHistory(c, history, base); err != nil {
					return err
				}
			}
			found, err := compare.Compare(base, cand, o)
			if err != nil {
				return scenarios.Usage(err)
			}
			d := found.Decision()
			if sides := words.Sides(resultsOf(base), resultsOf(cand)); sides != "" {
				d.Says = slices.Insert(d.Says, 0, sides)
			}
			return f.tell(stdout(c), found, d, "")
		},
	}
	f.register(c)
	c.Flags().StringVar(&history, "history", "",
		fmt.Sprintf("folder of the records of earlier runs, as brunt gate keeps them; %d records or more "+
			"show how much runs of one side after the other differ", compare.LeastHistory))
	c.Flags().StringVar(&page, "html", "", "write a page of two runs beside each other to a file")
	c.Flags().StringSliceVar(&f.o.Allow, "allow", nil,
		"compare even if these differ: "+strings.Join(compare.MismatchKinds(), ", "))
	return c
}

// besidePage writes the page of two runs.
func besidePage(c *cobra.Command, file string, dirs []string) error {
	if len(dirs) != 2 {
		return usagef("--html shows two runs beside each other, but %s were given: brunt compare BASE CANDIDATE --html FILE",
			syntax.Amount(len(dirs), "folder"))
	}
	runs, err := readRuns(dirs)
	if err != nil {
		return err
	}
	p := html.BesidePage{
		A: html.BesideRun{Name: dirs[0], Result: runs[0].Result}, B: html.BesideRun{Name: dirs[1], Result: runs[1].Result},
	}
	fmt.Fprintf(stdout(c), "A is %s, and B is %s. %s\n", dirs[0], dirs[1], words.Between(runs[0].Result, runs[1].Result))
	if p.Comparison, err = comparison(runs[:1], runs[1].Result); err != nil {
		p.Unfit = fmt.Sprintf("The figures can't be compared: %v.", err)
		fmt.Fprintln(stdout(c), p.Unfit)
	} else {
		fmt.Fprintln(stdout(c), p.Comparison.Reason)
	}
	if err := writeWhole(file, disk.Shared, p.Report); err != nil {
		return err
	}
	fmt.Fprintf(stdout(c), "Page: %s\n", file)
	return nil
}

// resultsOf returns the results of runs.
func resultsOf(runs []compare.Run) (list []*result.Result) {
	for i := range runs {
		list = append(list, runs[i].Result)
	}
	return list
}

// readHistory reads the records of the scenario of the first run.
func readHistory(c *cobra.Command, dir string, runs []compare.Run) ([]*compare.Record, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, usagef("--history: %w", err)
	}
	h, err := compare.OpenHistory(dir)
	if err != nil {
		return nil, scenarios.Usage(err)
	}
	for _, p := range h.Problems {
		fmt.Fprintf(stderr(c), "brunt: %v\n", p)
	}
	all := h.Like(runs[0].Result)
	if all == nil {
		all = []*compare.Record{} // named, but of another scenario
	}
	return all, nil
}

// oneOf returns an error if a flag has an unknown value.
func oneOf(flag string, given, known []string) error {
	for _, g := range given {
		if !slices.Contains(known, g) {
			hint := syntax.DidYouMean(g, known)
			if hint == "" {
				hint = "known are " + strings.Join(known, ", ")
			}
			return usagef("%s %q is not known; %s", flag, g, hint)
		}
	}
	return nil
}

// readRuns reads result folders.
func readRuns(dirs []string) ([]compare.Run, error) {
	var out []compare.Run
	for _, dir := range dirs {
		r, err := evidence.Read(dir)
		if err != nil {
			return nil, scenarios.Usage(fmt.Errorf("%s: %w", dir, err))
		}
		out = append(out, compare.Run{Name: dir, Result: r})
	}
	return out, nil
}
