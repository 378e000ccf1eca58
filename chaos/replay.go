package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A Taken is an entry of a journal that was taken back, or could not be.
type Taken struct {
	Run     string
	Pending Pending
	Outcome Outcome
	Err     error
}

// Recover takes back what runs that died have left open in dir. Journals of runs
// that go on are left alone. By says who does it: guard, run or revert.
func Recover(ctx context.Context, dir, by string) ([]Taken, error) {
	states, err := Journals(dir)
	if err != nil {
		return nil, err
	}
	var all []Taken
	var errs []error
	for _, s := range states {
		if s.Alive {
			continue
		}
		taken, err := Replay(ctx, s.Path, by, false)
		all = append(all, taken...)
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}

// Replay takes back what a journal has open, the last first. It waits for the
// journal's lock, which its run holds while it lives, unless force says not to. The
// file is removed when nothing is open any more.
func Replay(ctx context.Context, path, by string, force bool) ([]Taken, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
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
	j := &Journal{f: f, path: path, open: map[int][]Undo{}}
	var taken []Taken
	var failed []error
	for i := len(s.Open) - 1; i >= 0; i-- {
		e := s.Open[i]
		t := Taken{Run: s.Run, Pending: e}
		t.Outcome, t.Err = e.takeBack(ctx)
		r := record{Op: "done", ID: e.ID, Outcome: t.Outcome, By: by}
		if t.Err != nil {
			r.Op, r.Error = "note", t.Err.Error()
			failed = append(failed, fmt.Errorf("%s: %w", e.What, t.Err))
		}
		if err := j.write(r); err != nil && t.Err == nil {
			failed = append(failed, err)
		}
		taken = append(taken, t)
	}
	if len(failed) > 0 || force {
		return taken, errors.Join(failed...)
	}
	return taken, errors.Join(os.Remove(path), syncDir(filepath.Dir(path)))
}

// takeBack undoes an entry, the last undo first.
func (e Pending) takeBack(ctx context.Context) (Outcome, error) {
	worst := Outcome(Gone)
	for i := len(e.Undo) - 1; i >= 0; i-- {
		o, err := e.Undo[i].do(ctx)
		if err != nil {
			return Failed, err
		}
		if o != Gone {
			worst = o
		}
	}
	if len(e.Undo) == 0 {
		return None, nil
	}
	return worst, nil
}

// do undoes.
func (u Undo) do(ctx context.Context) (Outcome, error) {
	switch u.Op {
	case opContinue:
		var id identity
		if err := json.Unmarshal(u.Identity, &id); err != nil {
			return Failed, fmt.Errorf("the journal's entry is damaged: %w", err)
		}
		return continueProcess(id)
	case opEnd:
		var id identity
		if err := json.Unmarshal(u.Identity, &id); err != nil {
			return Failed, fmt.Errorf("the journal's entry is damaged: %w", err)
		}
		return endGroup(ctx, id)
	case opSweep:
		var mark string
		if err := json.Unmarshal(u.Args, &mark); err != nil {
			return Failed, fmt.Errorf("the journal's entry is damaged: %w", err)
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

// StackUndo takes back the start of a stack: every process that carries the run's
// mark in its environment is ended.
func StackUndo(run string) Undo {
	b, _ := json.Marshal("BRUNT_RUN=" + run)
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
	if err := await(ctx, endsWithin, func() bool { return !id.alive() }, "it does not end"); err != nil {
		return Failed, fmt.Errorf("pid %d: %w", id.PID, err)
	}
	return Reverted, nil
}

// sweep ends every process that carries mark in its environment, until none is
// found.
func sweep(ctx context.Context, mark string) (Outcome, error) {
	out := Gone
	for range 50 {
		pids := marked(mark)
		if len(pids) == 0 {
			return out, nil
		}
		out = Reverted
		for _, pid := range pids {
			if id, err := identify(pid); err == nil && protect(pid) == nil {
				_ = signal(id, "KILL")
			}
		}
		select {
		case <-ctx.Done():
			return Failed, ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
	return Failed, errors.New("processes of the run go on starting others")
}
