package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brunt/chaos/journal"
	"brunt/reporters/evidence"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

// unfinished prints the known facts about a run without a result. If the folder has no trace of such a run, it
// returns the error none.
func unfinished(c *cobra.Command, dir string, none error) error {
	u, err := evidence.ReadUnfinished(dir)
	if err != nil {
		return scenarios.Usage(none)
	}
	s := readStatus(c)
	if livesOn(u, s.Runs) {
		return usagef("%s: the run %s goes on, and writes its report at its end; `brunt status` shows it", dir, u.Run)
	}
	out := stdout(c)
	fmt.Fprintf(out, "%q %s.\n", words.Clean(u.Name), strings.TrimSuffix(u.How(), "."))
	for _, line := range u.Says() {
		if width := columns(c); width > 0 {
			line = strings.Join(words.Wrap(line, width-5), "\n    ")
		}
		fmt.Fprintf(out, "  %s\n", line)
	}
	switch {
	case s.Left-s.others+len(s.Aside) > 0:
		fmt.Fprintln(out, "Something of a dead run is left: `brunt revert` takes it back.")
	case s.others > 0:
		fmt.Fprintln(out, "Something may be left that is not this user's to take back: `brunt status` shows it.")
	case slices.ContainsFunc(s.Runs, func(r journal.Status) bool { return r.State == journal.Reverting }):
		fmt.Fprintln(out, "A watchdog takes back its faults; `brunt status` shows it.")
	case !slices.ContainsFunc(s.read, func(dir string) bool { return run.Place(dir) == u.Place }):
		fmt.Fprintln(out, "Whether something of it is left behind is not known here: run `brunt status` on its machine, "+
			"as its user.")
	default:
		fmt.Fprintln(out, "Nothing of it is left behind.")
	}
	return exit(scenarios.ExitError)
}

// livesOn reports whether the run of a folder still goes on.
func livesOn(u *evidence.Unfinished, runs []journal.Status) bool {
	return u.Run != "" && slices.ContainsFunc(runs, func(r journal.Status) bool {
		return r.Run == u.Run && (r.State == journal.Running || r.State == journal.Stopped)
	})
}

// mostSearched bounds the folders that are searched for killed runs, mostKilled the killed runs that are shown.
const mostSearched, mostKilled = 500, 5

// killedRuns finds the folders of killed runs in the current folder and in its brunt-results, the newest first.
func killedRuns(runs []journal.Status) []*evidence.Unfinished {
	var out []*evidence.Unfinished
	for _, parent := range []string{".", "brunt-results"} {
		entries, _ := os.ReadDir(parent) // the folder may not exist
		for _, e := range entries[:min(len(entries), mostSearched)] {
			if !e.IsDir() {
				continue
			}
			if u, err := evidence.ReadUnfinished(filepath.Join(parent, e.Name())); err == nil && !livesOn(u, runs) {
				out = append(out, u)
			}
		}
	}
	slices.SortFunc(out, func(a, b *evidence.Unfinished) int {
		return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(a.Dir, b.Dir))
	})
	return out[:min(len(out), mostKilled)]
}
