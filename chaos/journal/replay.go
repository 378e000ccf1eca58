package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
)

// A Taken is a journal entry that was reverted, or whose revert failed.
type Taken struct {
	Run     string
	Pending Pending
	Outcome chaos.Outcome
	Err     error
}

// Recover reverts the open entries of dead runs in dir: of the given runs, or of all if none is given. It leaves alone
// the journals of live runs and of other machines. Journals that others may have written are an error, but not to a
// run, which is not stopped by what others write. by names the caller: guard, run or revert. A damaged journal is an
// error, and stays; the caller revert puts it aside after everything readable in it is reverted. An incomplete last
// line is damage only to the caller revert: a run writes a line before it does what the line says.
func Recover(ctx context.Context, ops chaos.Operations, dir, by string, runs ...string) ([]Taken, error) {
	states, err := List(dir)
	errs := []error{err}
	var all []Taken
	for _, s := range states {
		if s.Alive && !s.watched() || s.Foreign || len(runs) > 0 && !slices.Contains(runs, s.Run) {
			continue
		}
		if s.Unproven != nil {
			if by != byRun {
				errs = append(errs, s.unproven(ops))
			}
			continue
		}
		taken, err := replay(ctx, ops, s.Path, by, false)
		all = append(all, taken...)
		errs = append(errs, err)
	}
	if CheckDir(dir) == nil {
		stillborn(dir)
	}
	return all, errors.Join(errs...)
}

// stillborn removes the journals of runs that died before their journal got its final name. They have no entries.
func stillborn(dir string) {
	const surely = time.Minute // far longer than the milliseconds until the rename
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

// replay reverts the open entries of a journal, the last first, and removes the file when none is
// open. It waits for the journal's lock, which a live run holds. With force it does not wait: the run
// hangs, and its entries stay open until it ends.
func replay(ctx context.Context, ops chaos.Operations, path, by string, force bool) ([]Taken, error) {
	f, err := openOwn(path, os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // already reverted
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
			return nil, nil // reverted while waiting
		}
	}
	s, err := parseJournal(path, f)
	if err != nil {
		return nil, err
	}
	if s.Torn && by == byPerson {
		s.Damage = append(s.Damage, s.torn)
	}
	if s.Torn { // a new line must not follow an incomplete one
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
		var writing error
		if force {
			t.Outcome, t.Err, writing = j.revertOpen(ctx, ops, &e, by)
		} else {
			t.Outcome, t.Err = e.Revert(ctx, ops)
			writing = j.write(afterRevert(opDone, &e, t.Outcome, t.Err, by))
		}
		if t.Err != nil && !e.bare() { // a bare entry is reported as damage
			failed = append(failed, fmt.Errorf("%s: %w", e.What, t.Err))
		}
		if t.Err == nil && !force {
			dropCopy(copyName(s.Run, e.ID))
		}
		if t.Err == nil {
			failed = append(failed, writing)
		}
		taken = append(taken, t)
	}
	err = errors.Join(failed...)
	if len(s.Damage) > 0 {
		return taken, errors.Join(err, s.damaged(by == byPerson && err == nil && !force))
	}
	if err != nil && !force {
		err = fmt.Errorf("%w; once it is taken back by hand, remove %s", err, path)
	}
	if err != nil || force {
		return taken, err
	}
	return taken, remove(path)
}

// revertOpen reverts an entry that stays open, because its run may go on. It notes that the revert begins, since the
// run may close the entry meanwhile, and how the revert ended.
func (j *Journal) revertOpen(
	ctx context.Context, ops chaos.Operations, e *Pending, by string,
) (out chaos.Outcome, err, writing error) {
	writing = j.write(record{Op: opNote, ID: e.ID, By: by, Begins: true, Error: isBegun})
	out, err = e.Revert(ctx, ops)
	return out, err, errors.Join(writing, j.write(afterRevert(opNote, e, out, err, by)))
}

// afterRevert returns the record of a revert that has ended.
func afterRevert(op string, e *Pending, out chaos.Outcome, err error, by string) record {
	r := record{Op: op, ID: e.ID, Outcome: out, By: by}
	if err != nil {
		r.Op, r.Error = opNote, err.Error()
	}
	return r
}

// damaged returns the damage of a journal as an error. With aside it also puts the journal aside.
func (s *State) damaged(aside bool) error {
	const search = "`brunt revert --discover` searches for it there, without the journal; remove the file then"
	what := strings.Join(s.Damage, "; ")
	if !aside {
		return fmt.Errorf("%s: %s; %s", s.Path, what, search)
	}
	to, err := setAside(s.Path)
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %s; %s", s.Path, what, search), err)
	}
	return fmt.Errorf("%s: %s; %s. It is kept as %s", s.Path, what, search, to)
}

// Revert executes the undos of an entry.
func (e *Pending) Revert(ctx context.Context, ops chaos.Operations) (chaos.Outcome, error) {
	if e.Version > currentVersion {
		return chaos.Failed, e.left(fmt.Errorf("%w, %d; this brunt reads up to %d", chaos.ErrNewerVersion, e.Version,
			currentVersion))
	}
	if e.bare() {
		return chaos.Failed, fmt.Errorf("%w; it may be left on %s", errNoUndo, e.Place)
	}
	own, cancel := ownTime(ctx, ops.Within(e.Undo))
	defer cancel()
	out, err := ops.Revert(own, e.Undo)
	return out, e.left(err)
}

// ownTime gives an entry a deadline of its own, however long earlier entries took: an engine that hangs must not
// prevent undos that do not need the engine. A cancelled ctx still ends it.
func ownTime(ctx context.Context, within time.Duration) (context.Context, func()) {
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
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
