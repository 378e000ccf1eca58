package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"brunt/chaos/docker"
	"brunt/targets/platform/procmark"
)

// A Taken is an entry of a journal that was taken back, or could not be.
type Taken struct {
	Run     string
	Pending Pending
	Outcome Outcome
	Err     error
}

// Recover takes back what runs that died have left open in dir. Journals of runs
// that go on are left alone, and so are those of another machine. By says who does
// it: guard, run or revert.
func Recover(ctx context.Context, dir, by string) ([]Taken, error) {
	states, err := Journals(dir)
	errs := []error{err}
	var all []Taken
	for _, s := range states {
		if s.Alive || s.Foreign {
			continue
		}
		taken, err := Replay(ctx, s.Path, by, false)
		all = append(all, taken...)
		errs = append(errs, err)
	}
	stillborn(dir)
	return all, errors.Join(errs...)
}

// stillborn removes journals of runs that died before their journal had a name. They
// tell of nothing.
func stillborn(dir string) {
	const surely = time.Minute // it is renamed within milliseconds
	names, err := filepath.Glob(filepath.Join(dir, ".*"+unnamed))
	if err != nil {
		return
	}
	for _, name := range names {
		if i, err := os.Stat(name); err == nil && time.Since(i.ModTime()) > surely {
			_ = os.Remove(name)
		}
	}
}

// Replay takes back what a journal has open, the last first. It waits for the
// journal's lock, which its run holds while it lives, unless force says not to: then
// the run hangs, and its entries stay open for when it ends. Else the file is removed
// when nothing is open any more.
func Replay(ctx context.Context, path, by string, force bool) ([]Taken, error) {
	f, err := openShared(path, os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // taken back already
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !force {
		if err := lockWait(ctx, f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil // while we waited
		}
	}
	s, err := parseJournal(path, f)
	if err != nil {
		return nil, err
	}
	if s.Torn { // what is written next must not follow half a line
		if err := f.Truncate(s.whole); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	j := &Journal{f: f}
	var taken []Taken
	var failed []error
	for i := len(s.Open) - 1; i >= 0; i-- {
		e := s.Open[i]
		t := Taken{Run: s.Run, Pending: e}
		own, cancel := ownTime(ctx)
		t.Outcome, t.Err = e.takeBack(own)
		cancel()
		r := record{Op: "done", ID: e.ID, Outcome: t.Outcome, By: by}
		if t.Err != nil {
			r.Op, r.Error = "note", t.Err.Error()
			failed = append(failed, fmt.Errorf("%s: %w", e.What, t.Err))
		} else if force {
			r.Op = "note"
		}
		if err := j.write(r); err != nil && t.Err == nil {
			failed = append(failed, err)
		}
		taken = append(taken, t)
	}
	if s.Damaged > 0 {
		failed = append(failed, fmt.Errorf("%s: %d of its lines can't be read, and what they tell of may still be in; remove the file once you have looked", path, s.Damaged))
	}
	if len(failed) > 0 || force {
		return taken, errors.Join(failed...)
	}
	return taken, remove(path)
}

// ownTime gives an entry a deadline of its own, whatever those before it took: an engine that hangs must
// not keep brunt from taking back what needs none. Who gives up ends it.
func ownTime(ctx context.Context) (context.Context, func()) {
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), replayFor)
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			cancel()
		}
	})
	return own, func() {
		stop()
		cancel()
	}
}

// takeBack undoes an entry, the last undo first. One that fails does not keep the
// others from being made.
func (e Pending) takeBack(ctx context.Context) (Outcome, error) {
	if len(e.Undo) == 0 {
		return None, nil
	}
	out := Gone
	began := time.Now()
	var errs []error
	for i := len(e.Undo) - 1; i >= 0; i-- {
		o, err := e.Undo[i].do(ctx)
		for err != nil && docker.Away(err) && ctx.Err() == nil && awayFor(ctx, began) {
			o, err = e.Undo[i].do(ctx)
		}
		if o != Gone {
			out = o
		}
		errs = append(errs, err)
	}
	if err := also(errs...); err != nil {
		return Failed, err
	}
	return out, nil
}

// awayFor waits a little for an engine that is being started again, unless that has been waited
// for long enough.
func awayFor(ctx context.Context, began time.Time) bool {
	const most = 15 * time.Second
	select {
	case <-ctx.Done():
		return false
	case <-time.After(again):
		return time.Since(began) < most
	}
}

// do undoes.
func (u Undo) do(ctx context.Context) (Outcome, error) {
	switch u.Op {
	case opExec, opWebhook:
		return u.doOwn(ctx)
	case opUnqueue:
		return u.doUnqueue(ctx)
	case opEndBrunt:
		var id identity
		if err := json.Unmarshal(u.Identity, &id); err != nil {
			return Failed, fmt.Errorf("the journal's entry is damaged: %w", err)
		}
		return endHolder(ctx, id)
	case opGroupSet, opGroupLeave:
		return u.doGroup(ctx)
	case opName:
		return u.doName()
	case opFiles, opClock, opScore:
		return u.doFamily()
	case opHand:
		return u.doHand(ctx)
	case opFleet, opCompose, opStart, opUnpause, opConnect, opUnhelp:
		return u.doEngine(ctx)
	case opContinue, opEnd, opExecEnd:
		var id identity
		if err := json.Unmarshal(u.Identity, &id); err != nil {
			return Failed, fmt.Errorf("the journal's entry is damaged: %w", err)
		}
		switch u.Op {
		case opContinue:
			return continueProcess(id)
		case opExecEnd:
			return endCommand(ctx, id)
		}
		return endGroup(ctx, id)
	case opSweep:
		var mark string
		if err := json.Unmarshal(u.Args, &mark); err != nil || !strings.HasPrefix(mark, runMark) || mark == runMark {
			return Failed, fmt.Errorf("the journal's entry is damaged: %q is no run's mark", u.Args)
		}
		return sweep(ctx, mark)
	}
	return Failed, fmt.Errorf("this brunt does not know how to undo %q; use the one that wrote the journal", u.Op)
}

// Undos for the processes of a stack that brunt started.
const (
	opEnd   = "process.end"   // a process and its group
	opSweep = "process.sweep" // all that carry the run's mark
)

// runMark begins the entry in the environment that every process of a run has.
const runMark = "BRUNT_RUN="

// StackUndo takes back the start of a stack: every process that carries the run's
// mark in its environment is ended.
func StackUndo(run string) Undo {
	b, _ := json.Marshal(runMark + run)
	return Undo{Op: opSweep, Args: b}
}

// ProcessUndo takes back the start of one process of a stack.
func ProcessUndo(pid int) (Undo, error) {
	id, err := identify(pid)
	if err != nil {
		return Undo{}, err
	}
	return Undo{Op: opEnd, Identity: id.raw()}, nil
}

// endGroup ends a process and its group.
func endGroup(ctx context.Context, id identity) (Outcome, error) {
	if !id.alive() {
		return Gone, nil
	}
	killGroup(id.PID)
	_ = signal(id, "KILL") // if it has left its group
	if err := await(ctx, endsWithin, func() bool { return !id.alive() }, "it does not end"); err != nil {
		return Failed, fmt.Errorf("pid %d: %w", id.PID, err)
	}
	return Reverted, nil
}

// sweep ends every process that carries mark in its environment, until none is
// found.
func sweep(ctx context.Context, mark string) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, endsWithin)
	defer cancel()
	found, err := procmark.Kill(ctx, func(pid int) bool { return protect(pid) != nil }, mark)
	switch {
	case err != nil:
		return Failed, err
	case found:
		return Reverted, nil
	}
	return Gone, nil
}
