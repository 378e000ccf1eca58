package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"brunt/chaos/catalog"
	"brunt/chaos/journal"
	"brunt/reporters/evidence"
	"brunt/reporters/words"
	"brunt/scenarios"

	"github.com/spf13/cobra"
)

func statusCommand() *cobra.Command {
	asJSON := false
	var contextName, namespace string
	c := &cobra.Command{
		Use:   "status",
		Short: "Show the current runs, and the faults that are in or were left behind",
		Long: `Show the current runs, and the faults that are in or were left behind: since when, until
when the run means to hold them, which process holds them, and what a watchdog took back
while a run stood still. brunt also shows which runs are stopped (SIGSTOP), and the folders of
runs that were killed, as far as they are in this folder or in its brunt-results.

With --context and --namespace, show the runs of any machine that have a watchdog in a namespace
of a cluster, and what is in or was left behind there.`,
		Example: `  brunt status
  brunt status --context staging --namespace shop
  brunt status --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if (contextName == "") != (namespace == "") {
				return usagef("--context and --namespace go together")
			}
			if contextName != "" {
				return statusInCluster(c, contextName, namespace, asJSON)
			}
			s := readStatus(c)
			s.Killed = killedRuns(s.Runs)
			if asJSON {
				out := json.NewEncoder(data(c))
				out.SetIndent("", "  ")
				if err := out.Encode(s); err != nil {
					return err
				}
			} else {
				s.print(stdout(c))
			}
			if s.Left+len(s.Aside) > 0 {
				return exit(scenarios.ExitNotReverted)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	c.Flags().StringVar(&contextName, "context", "", "a context of the kubeconfig: show the runs in its cluster")
	c.Flags().StringVar(&namespace, "namespace", "", "with --context: the namespace of the cluster")
	return c
}

// status is the output of `brunt status`.
type status struct {
	Runs   []journal.Status `json:"runs"`
	Strays []stray          `json:"strays,omitempty"`
	Unread []string         `json:"unreadable,omitempty"` // state directories of other users
	Aside  []string         `json:"set_aside,omitempty"`  // damaged journals; all their readable entries are reverted
	// folders of killed runs, in the current folder and its brunt-results
	Killed   []*evidence.Unfinished `json:"killed,omitempty"`
	Left     int                    `json:"left"` // entries that dead runs left, and unreadable journals
	others   int                    // those of them that are of another machine, or not proven to be this user's
	mistaken bool                   // a journal is unreadable
	read     []string               // state directories whose journals were all read
}

// stray is the container of a watchdog that was never started.
type stray struct {
	Run  string `json:"run"`
	What string `json:"what"`
}

func readStatus(c *cobra.Command) status {
	ops := catalog.AllOperations()
	out := status{Runs: []journal.Status{}}
	for _, dir := range journal.Dirs(os.Getenv) {
		states, err := journal.List(dir)
		if errors.Is(err, journal.ErrUnreadable) {
			out.Unread = append(out.Unread, dir)
			continue
		}
		for _, s := range states {
			out.Runs = append(out.Runs, s.Status(ops))
			if out.Left += s.Left(); !s.Alive && (s.Foreign || s.Unproven != nil) {
				n := len(s.Open) + len(s.Problems())
				out.Left += n
				out.others += n
			}
		}
		out.Aside = append(out.Aside, journal.SetAside(dir)...)
		if err != nil { // errors of some of them; the others are listed
			fmt.Fprintf(stderr(c), "brunt: %v\n", err)
			out.mistaken = true
			out.Left++
		} else {
			out.read = append(out.read, dir)
		}
	}
	strays, err := journal.Strays(c.Context())
	for _, s := range strays {
		out.Left++
		out.Strays = append(out.Strays, stray{s.Run, s.String()})
	}
	if err != nil {
		fmt.Fprintf(stderr(c), "brunt: looking for watchdogs that were never started: %v\n", err)
	}
	return out
}

func (s *status) print(out io.Writer) {
	for _, dir := range s.Unread {
		fmt.Fprintf(out, "%s: not readable by this user\n", dir)
	}
	for _, r := range s.Runs {
		printRun(out, r)
	}
	for _, file := range s.Aside {
		fmt.Fprintf(out, "%s: a damaged journal: everything readable in it was taken back. What its unreadable lines "+
			"describe may remain: "+
			"`brunt revert --discover` looks for it. Then remove the file\n", file)
	}
	for _, r := range s.Strays {
		fmt.Fprintf(out, "%s: died\n  %s\n", r.Run, r.What)
	}
	for _, u := range s.Killed {
		fmt.Fprintf(out, "%s: a run that was killed: %q, begun %s\n  `brunt report %s` shows what is known of it; delete "+
			"the folder to forget it\n",
			words.Clean(u.Dir), words.Clean(u.Name), u.Began.Local().Format(time.DateTime), words.Clean(u.Dir))
	}
	switch {
	case len(s.Runs)+len(s.Strays)+len(s.Aside) == 0 && !s.mistaken && len(s.Unread) > 0:
		fmt.Fprintln(out, "no run of this user is going on, and nothing of them is left behind; `sudo brunt status` knows "+
			"the others")
	case len(s.Runs)+len(s.Strays)+len(s.Aside) == 0 && !s.mistaken:
		fmt.Fprintln(out, "no run is going on, and nothing is left behind")
	case s.Left > s.others:
		fmt.Fprintln(out, "\n`brunt revert` takes back what is left behind.")
	}
}

func printRun(out io.Writer, r journal.Status) {
	began := r.Began.Local().Format(time.DateTime)
	how := map[string]string{
		journal.Running: fmt.Sprintf("runs since %s, pid %d", began, r.PID),
		journal.Stopped: fmt.Sprintf("is stopped, pid %d; it runs since %s, and its watchdog takes back its faults", r.PID,
			began),
		journal.Died: "died; it began " + began,

		journal.Reverting: "died; it began " + began + ", and its watchdog takes back its faults",
	}[r.State]
	switch {
	case r.State == journal.Died && r.Began.IsZero():
		how = "died; when it began is not known"
	case r.State == journal.Elsewhere:
		how = fmt.Sprintf("of another machine, %s, where it has to be taken back; it started %s", r.Machine, began)
	}
	fmt.Fprintf(out, "%s: %s\n", words.Clean(r.Run), words.Clean(how))
	if r.Unproven != "" {
		fmt.Fprintf(out, "  not proven to be this user's: %s; `brunt revert` does not replay it\n", words.Clean(r.Unproven))
		for _, would := range r.Would[:min(len(r.Would), mostUnproven)] {
			fmt.Fprintf(out, "    it would do: %s\n", words.Clean(would))
		}
		if r.ByOwner != "" {
			fmt.Fprintf(out, "    its owner takes it back: %s\n", words.Clean(r.ByOwner))
		}
	}
	for _, what := range r.Damage {
		fmt.Fprintf(out, "  its journal %s is damaged: %s\n", words.Clean(r.Journal), words.Clean(what))
	}
	for _, e := range r.In {
		name := e.Fault
		if name == "" {
			name = "(target)"
		}
		fmt.Fprintf(out, "  %s: %s\n    %s\n", words.Clean(name), words.Clean(e.What), words.Clean(entryText(r, e)))
		switch {
		case !e.Off.IsZero():
			fmt.Fprintf(out, "    its unit is down still: %s\n", words.Clean(e.Error))
		case e.Error != "":
			fmt.Fprintf(out, "    could not be taken back: %s\n", words.Clean(e.Error))
			if r.State == journal.Died {
				fmt.Fprintf(out, "    once it is taken back by hand, remove %s\n", r.Journal)
			}
		}
	}
}

// entryText describes since when and until when a fault is active, and which process holds it.
func entryText(r journal.Status, e journal.EntryLine) string {
	at := func(t time.Time) string { return t.Local().Format(time.TimeOnly) }
	text := []string{"in since " + at(e.Since)}
	switch {
	case e.Reverting:
		text = []string{"its watchdog has begun to take it back at " + at(e.TakenBack)}
	case !e.Off.IsZero():
		return "taken back at " + at(e.Off)
	case !e.TakenBack.IsZero():
		text = []string{"its watchdog took it back at " + at(e.TakenBack)}
	case r.State == journal.Died || r.State == journal.Elsewhere:
	case !e.Until.IsZero():
		text = append(text, "until "+at(e.Until))
	case e.Fault == "":
		text = append(text, "until the run ends")
	}
	if len(e.HeldBy) > 0 && e.TakenBack.IsZero() {
		var pids []string
		for _, pid := range e.HeldBy {
			pids = append(pids, strconv.Itoa(pid))
		}
		text = append(text, "held by pid "+strings.Join(pids, ", "))
	}
	if e.Place.Engine != "" || e.Place.Cluster != "" {
		text = append(text, "at "+e.Place.String())
	}
	return strings.Join(text, ", ")
}
