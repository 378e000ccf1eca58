package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"brunt/chaos/journal"
	"brunt/scenarios"
	"brunt/scenarios/notes"
	"brunt/scenarios/secret"

	"github.com/spf13/cobra"
)

func noteCommand() *cobra.Command {
	var author, id string
	c := &cobra.Command{
		Use:   "note TEXT",
		Short: "Add a note to the report of the current run",
		Long: `Add a note to the report of the current run: "cache flushed by hand". The notes of a
run and its events.jsonl show it with its author and the time on the run's clock. If
several runs are going on, --run names one by its id or a part of it.

The author is $USER, or the name that --as gives; a note does not prove who wrote it.`,
		Example: `  brunt note "flushed the cache by hand"
  brunt note --run 7kq2mwxa --as ann "pager rang"`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := goesOn(id)
			if err != nil {
				return err
			}
			err = r.Leave(notes.Note{
				Author: cmp.Or(author, whoami()), At: time.Now(), Text: secret.Fields(strings.Join(args, " ")),
			})
			switch {
			case errors.Is(err, notes.ErrEmpty), errors.Is(err, notes.ErrTooLong):
				return scenarios.Usage(err)
			case err != nil:
				return fmt.Errorf("%s: %w", r.Run, err)
			}
			fmt.Fprintf(stdout(c), "noted in run %s, %s\n", r.Run, r.Name)
			return nil
		},
	}
	c.Flags().StringVar(&id, "run", "", "the run, by its id or a part of it; required if several runs are going on")
	c.Flags().StringVar(&author, "as", "", "the author (default $USER)")
	return c
}

// goesOn finds the run in progress, whose id contains the given text if that is not empty.
func goesOn(id string) (notes.Running, error) {
	all, err := notes.RunningIn(journal.Dirs(os.Getenv))
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
