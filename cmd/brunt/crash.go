package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"brunt/chaos/journal"
	"brunt/chaos/proc"
	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"

	"github.com/spf13/cobra"
)

// What the heir is told goes through a pipe that is not read before the crash, so that it must fit into the pipe: what is known of the
// run, and the begin of the text of the crash.
const (
	mostPending = 28 << 10
	mostTold    = 32 << 10
)

// crashFile holds the text of a crash, in the folder of the run.
const crashFile = "crash.txt"

// bequeath makes the heir of a brunt that crashes write the result of the run, until the returned function is called. pending is what is
// known of the run before it begins. A run that can't have an heir goes on without.
func bequeath(dir string, pending *result.Result, mask func(string) string) (end func()) {
	none := func() {}
	will, err := json.Marshal(result.Masked(pending, mask))
	if err != nil || len(will) > mostPending {
		will, _ = json.Marshal(&result.Result{Version: pending.Version, Run: pending.Run, Name: mask(pending.Name)})
	}
	hear, say, err := os.Pipe()
	if err != nil {
		return none
	}
	shut := func() { _, _ = hear.Close(), say.Close() }
	if _, err := say.Write(append(will, '\n')); err != nil {
		shut()
		return none
	}
	command := append(self(), journal.HeirCommand, strconv.Itoa(int(hear.Fd())), dir, state())
	unset, err := setHeir(command, os.Environ(), say.Fd(), hear.Fd())
	if err != nil {
		shut()
		return none
	}
	return func() {
		unset()
		shut()
	}
}

// crashedCommand is the heir of a brunt that crashed.
func crashedCommand() *cobra.Command {
	return &cobra.Command{
		Use:    journal.HeirCommand + " DESCRIPTOR FOLDER STATE",
		Short:  "Write the result of a run whose brunt crashed, once its watchdog has taken everything back",
		Hidden: true,
		Args:   cobra.ExactArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			fd, err := strconv.Atoi(args[0])
			if err != nil {
				return err
			}
			return inherit(c, os.NewFile(uintptr(fd), "crash"), args[1], args[2])
		},
	}
}

// inherit writes the result of a run that crashed.
func inherit(c *cobra.Command, told io.ReadCloser, dir, state string) error {
	text, err := io.ReadAll(io.LimitReader(told, 2*mostTold))
	_ = told.Close()
	if err != nil {
		return err
	}
	will, text, _ := bytes.Cut(text, []byte("\n"))
	res := &result.Result{}
	if err := json.Unmarshal(will, res); err != nil {
		return fmt.Errorf("what is known of the run that crashed: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, crashFile), text, 0o666); err != nil {
		return err
	}
	why, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	why = words.Clean(why)
	fmt.Fprintf(stderr(c), "\nbrunt: brunt itself crashed: %s\n", why)
	left := awaitUndo(res.Run, state)
	crashedResult(res, dir, why, left)
	err = catalog.All().Write(dir, res)
	fmt.Fprintf(stderr(c), "brunt: %s\nbrunt: %s says what is known of the run, and %s has the stack for a bug report\n",
		res.Reason, filepath.Join(dir, "result.json"), filepath.Join(dir, crashFile))
	if err != nil {
		return fmt.Errorf("the report could not be written: %w", err)
	}
	return exit(res.ExitCode)
}

// crashedResult completes the result of a run that crashed by the events that it wrote.
func crashedResult(res *result.Result, dir, why, left string) {
	u, err := evidence.ReadUnfinished(dir)
	if err == nil {
		res.Started, res.T0 = u.Began, u.Began
		res.Name = cmp.Or(res.Name, u.Name)
		res.Events = u.Events
		res.Notes = append(res.Notes, u.Says()...)
	}
	res.Ended = time.Now()
	for i := range res.Objectives {
		res.Objectives[i].Verdict = scenarios.Invalid
	}
	res.Verdict, res.ExitCode = scenarios.Broken, scenarios.ExitError
	res.Reason = "brunt itself crashed: " + why + "; what it had measured is lost, and everything was taken back"
	if left != "" {
		res.Verdict, res.ExitCode = scenarios.NotReverted, scenarios.ExitNotReverted
		res.Reason = "brunt itself crashed: " + why + "; " + left
	}
}

// awaitUndo waits until the watchdog has taken everything back, and returns what is left; empty: nothing is.
func awaitUndo(run, state string) (left string) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute) // longer than the watchdog tries
	defer cancel()
	orphaned := reap()
	open := func() (n int, all bool) {
		states, err := journal.List(state)
		for _, s := range states {
			if s.Run == run {
				return len(s.Open) + len(s.Problems()), true
			}
		}
		return 0, err != nil
	}
	done := func() bool {
		_, kept := open()
		select {
		case <-orphaned: // the watchdog is among the children
			return true
		default:
			return !kept
		}
	}
	if proc.Await(ctx, 15*time.Minute, done, "") == nil {
		if _, kept := open(); !kept {
			return ""
		}
	}
	n, _ := open()
	return fmt.Sprintf("its watchdog left %d entries of its journal: see `brunt status`", n)
}
