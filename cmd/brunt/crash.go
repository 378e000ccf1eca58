package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"brunt/chaos/journal"
	"brunt/chaos/proc"
	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/result"

	"github.com/spf13/cobra"
)

// The heir gets its input through a pipe that is not read before the crash. So the input must fit into the pipe: the
// wills (at most mostPending bytes) and the beginning of the text of the crash (at most mostTold bytes).
const (
	mostPending = 28 << 10
	mostTold    = 32 << 10
)

// crashFile holds the text of a crash, in the folder of the run.
const crashFile = "crash.txt"

// A will holds the data of a run before it begins. brunt's heir, the process that takes over after a crash, gets it.
type will struct {
	Folder string         `json:"folder"` // empty: the heir creates one for temporary files
	Result *result.Result `json:"result"`
}

// bequests holds the wills of the runs in progress: two if `ab` runs both sides at once.
type bequests struct {
	mu    sync.Mutex
	wills []*will
	end   func() // takes the wills back from the heir; nil: brunt has no heir
}

// bequeathed holds the wills of this process. They are common to all runs, because a crash ends the whole process.
var bequeathed bequests

// bequeath makes sure that after a crash the heir writes the result of the run to dir, or to a temporary folder if dir
// is empty. The returned function ends this. Pending is the result as known before the run begins. If no heir is
// possible, the run continues without one.
func bequeath(dir string, pending *result.Result, mask func(string) string) (end func()) {
	pending.Started, pending.T0 = time.Now(), time.Now()
	w := &will{dir, result.Masked(pending, mask)}
	bequeathed.change(func(all []*will) []*will { return append(all, w) })
	return func() {
		bequeathed.change(func(all []*will) []*will {
			return slices.DeleteFunc(all,
				func(other *will) bool { return other == w })
		})
	}
}

// change changes the wills, and appoints an heir with the new ones.
func (b *bequests) change(with func([]*will) []*will) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.end != nil {
		b.end()
		b.end = nil
	}
	if b.wills = with(b.wills); len(b.wills) > 0 {
		b.end = appoint(b.wills)
	}
}

// appoint gives brunt an heir that gets the wills. It returns nil if that is not possible.
func appoint(wills []*will) (end func()) {
	text, err := json.Marshal(wills)
	if err != nil || len(text) > mostPending {
		short := make([]will, len(wills))
		for i, w := range wills {
			short[i] = will{w.Folder, &result.Result{
				Version: w.Result.Version, Definitions: w.Result.Definitions, Run: w.Result.Run, Name: w.Result.Name,
				Started: w.Result.Started, T0: w.Result.T0,
			}}
		}
		text, _ = json.Marshal(short)
	}
	hear, say, err := os.Pipe()
	if err != nil {
		return nil
	}
	shut := func() { _, _ = hear.Close(), say.Close() }
	if _, err := say.Write(append(text, '\n')); err != nil {
		shut()
		return nil
	}
	unset, err := setHeir(append(self(), journal.HeirCommand, strconv.Itoa(int(hear.Fd())), state()), os.Environ(),
		say.Fd(), hear.Fd())
	if err != nil {
		shut()
		return nil
	}
	return func() {
		unset()
		shut()
	}
}

// crashedCommand is the command of the heir, which runs after brunt crashed.
func crashedCommand() *cobra.Command {
	return &cobra.Command{
		Use:    journal.HeirCommand + " DESCRIPTOR STATE",
		Short:  "Write the result of a run whose brunt crashed, once its watchdog has taken everything back",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			fd, err := strconv.Atoi(args[0])
			if err != nil {
				return err
			}
			return inherit(c, os.NewFile(uintptr(fd), "crash"), args[1])
		},
	}
}

// inherit writes the results of the runs that crashed.
func inherit(c *cobra.Command, told io.ReadCloser, state string) error {
	text, err := io.ReadAll(io.LimitReader(told, 2*mostTold))
	_ = told.Close()
	if err != nil {
		return err
	}
	left, text, _ := bytes.Cut(text, []byte("\n"))
	var wills []will
	if err := json.Unmarshal(left, &wills); err != nil {
		return fmt.Errorf("read the record of the run that crashed: %w", err)
	}
	why, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	why = words.Clean(why)
	fmt.Fprintf(stderr(c), "\nbrunt: brunt itself crashed: %s\n", why)
	worst := scenarios.Broken
	for _, w := range wills {
		res, werr := w.execute(c, text, why, state)
		worst, err = scenarios.Worse(worst, res.Verdict), errors.Join(err, werr)
	}
	return cmp.Or(err, error(exit(worst.ExitCode())))
}

// execute writes the result of a crashed run. Text is the text of the crash, whose first line is why.
func (w will) execute(c *cobra.Command, text []byte, why, state string) (*result.Result, error) {
	res := cmp.Or(w.Result, &result.Result{})
	crash := result.Reason{Kind: result.Crashed, Verdict: scenarios.Broken, Text: why}
	if left, all := awaitUndo(res.Run, state); !all {
		crash.Kind, crash.Verdict, crash.Left = result.CrashedIn, scenarios.NotReverted, left
	}
	crashedResult(res, w.Folder, crash)
	var err error
	if w.Folder == "" {
		w.Folder, err = disk.TempDir("brunt-probe-")
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(w.Folder, crashFile), text, 0o666)
	}
	if err == nil {
		err = catalog.All().Write(w.Folder, res)
	}
	fmt.Fprintf(stderr(c), "brunt: %s\nbrunt: %s says what is known of the run, and %s has the stack for a bug report\n",
		res.Reason, filepath.Join(w.Folder, "result.json"), filepath.Join(w.Folder, crashFile))
	if err != nil {
		err = fmt.Errorf("the report could not be written: %w", err)
	}
	return res, err
}

// crashedResult completes the result of a crashed run with the events that the run wrote, if it has a folder.
func crashedResult(res *result.Result, dir string, crash result.Reason) {
	if dir != "" {
		if u, err := evidence.ReadUnfinished(dir); err == nil {
			res.Started, res.T0 = u.Began, u.Began
			res.Name = cmp.Or(res.Name, u.Name)
			res.Events = u.Events
			res.Notes = append(res.Notes, u.Says()...)
		}
	}
	res.Ended = time.Now()
	for i := range res.Objectives {
		res.Objectives[i].Verdict = scenarios.Invalid
	}
	res.Verdict = ""
	res.Because(crash)
	res.ExitCode = res.Verdict.ExitCode()
}

// awaitUndo waits until the watchdog has reverted everything. All reports whether it did. Left is the number of
// journal entries that it did not revert, as far as they can be read.
func awaitUndo(run, state string) (left int, all bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute) // longer than the watchdog keeps trying
	defer cancel()
	orphaned := reap()
	open := func() (n int, kept bool) {
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
			return 0, true
		}
	}
	left, _ = open()
	return left, false
}
