package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"brunt/chaos/journal"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/notes"
	"brunt/scenarios/result"
	"brunt/scenarios/secret"

	"github.com/spf13/cobra"
)

func noteCommand() *cobra.Command {
	var author, id string
	marks := []struct {
		kind         result.MarkKind
		about, fault string
	}{
		{kind: result.Continued, about: "let a fault go on that waits for an operator"},
		{kind: result.Seen, about: "mark the harm of a fault as noticed"},
		{kind: result.Understood, about: "mark the cause of the harm of a fault as known"},
		{kind: result.Acted, about: "mark that something was done about the harm of a fault"},
	}
	c := &cobra.Command{
		Use:   "note [TEXT]",
		Short: "Add a note to the report of the current run, or mark a fault in a game day",
		Long: `Add a note to the report of the current run: "cache flushed by hand". The notes of a
run and its events.jsonl show it with its author and the time on the run's clock. If
several runs are going on, --run names one by its id or a part of it.

In a game day, --continue FAULT lets a fault go on that waits for an operator, and --seen,
--understood and --acted FAULT mark when people noticed the harm of a fault, knew its cause and
did something. The report then splits the time to recovery among people and the machine. The
buttons of the live page do the same (see brunt run --live).

The author is $USER, or the name that --as gives; a note does not prove who wrote it.`,
		Example: `  brunt note "flushed the cache by hand"
  brunt note --run 7kq2mwxa --as ann "pager rang"
  brunt note --continue lose-primary
  brunt note --acted lose-primary "promoted the replica by hand"`,
		RunE: func(c *cobra.Command, args []string) error {
			note := notes.Note{
				Author: cmp.Or(author, whoami()), At: time.Now(), Text: secret.Fields(strings.Join(args, " ")),
			}
			for _, m := range marks {
				if m.fault == "" {
					continue
				}
				if note.Mark != "" {
					return usagef("a note has one mark: --%s or --%s", note.Mark, m.kind)
				}
				note.Mark, note.Fault = string(m.kind), m.fault
			}
			if note.Mark == "" && len(args) == 0 {
				return usagef("%w, or a mark such as --seen FAULT", notes.ErrEmpty)
			}
			r, err := goesOn(id)
			if err != nil {
				return err
			}
			err = r.Leave(note)
			switch {
			case errors.Is(err, notes.ErrEmpty), errors.Is(err, notes.ErrTooLong), errors.As(err, new(notes.RefusedError)):
				return scenarios.Usage(err)
			case err != nil:
				return fmt.Errorf("%s: %w", r.Run, err)
			}
			if note.Mark != "" {
				fmt.Fprintln(stdout(c), words.MarkTaken(result.MarkKind(note.Mark), note.Fault))
			}
			if note.Text != "" {
				fmt.Fprintf(stdout(c), "noted in run %s, %s\n", r.Run, r.Name)
			}
			return nil
		},
	}
	c.Flags().StringVar(&id, "run", "", "the run, by its id or a part of it; required if several runs are going on")
	for i := range marks {
		m := &marks[i]
		c.Flags().StringVar(&m.fault, string(m.kind), "", m.about)
	}
	c.Flags().StringVar(&author, "as", "", "the author (default $USER)")
	return c
}

// goesOn finds the run in progress, whose id contains the given text if that is not empty.
func goesOn(id string) (notes.Running, error) {
	// in a folder of others a link could lead what is written or removed elsewhere
	own := slices.DeleteFunc(journal.Dirs(os.Getenv), func(dir string) bool {
		_, others := errors.AsType[*journal.NotOwnError](journal.CheckDir(dir))
		return others
	})
	all, err := notes.RunningIn(own)
	if err != nil {
		return notes.Running{}, scenarios.Usage(err)
	}
	var fit []notes.Running
	var names []string
	for _, r := range all {
		if strings.Contains(r.Run, id) {
			fit = append(fit, r)
		}
		names = append(names, fmt.Sprintf("%s (%s)", r.Run, r.Name))
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(all) == 0:
		return notes.Running{}, usagef("%w; a run of another user, or with another $BRUNT_STATE, is not visible here",
			notes.ErrNoRun)
	case len(fit) == 0:
		return notes.Running{}, usagef("no current run has %q in its id: %s", id, strings.Join(names, ", "))
	}
	return notes.Running{}, usagef("%d runs are going on: %s; name one with --run", len(fit), strings.Join(names, ", "))
}

// whoami returns the likely name of the user.
func whoami() string {
	for _, name := range []string{"SUDO_USER", "USER", "LOGNAME", "USERNAME"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}
