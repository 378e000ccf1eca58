package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// FDExhaust takes from a unit the descriptors that it has not used yet: it can't open
// files or connections any more, nor take those that come (EMFILE), until it closes some.
type FDExhaust struct {
	Starving `yaml:",inline"`
	Leave    int `yaml:"leave,min=0,max=1000000"` // how many it can still open; zero is none
}

var _ Fault = (*FDExhaust)(nil)

// Check implements [Fault].
func (f *FDExhaust) Check(at syntax.Pos, sc Scope, m *syntax.Mistakes) {
	f.check(at, sc, m)
	onlyLinux(at, "fd.exhaust", m)
}

// Plan implements [Fault].
func (f *FDExhaust) Plan(ctx context.Context, env Env) ([]Step, error) {
	return f.each(ctx, env, func(v victim) planned { return &fdExhaust{victim: v, leave: f.Leave} })
}

// fdExhaust is a unit about to be out of descriptors, or out of them.
type fdExhaust struct {
	victim
	leave  int
	limits []limited
}

// limited is a process of the unit with its limits.
type limited struct {
	id      identity
	was, is fileLimit
}

// fileLimit is how many descriptors a process may have. A new one gets the lowest number
// that is free, and it must be under the limit.
type fileLimit struct {
	Soft uint64 `json:"soft"` // in force
	Hard uint64 `json:"hard"` // up to which the process may set it by itself
}

// opFiles is the undo of a limit of descriptors.
const opFiles = "fd.limit"

// plan finds the limit under which as many numbers are free as are to be left.
func (f *fdExhaust) plan() error {
	for _, pid := range family(f.id.PID) {
		id, err := identify(pid)
		if err != nil || isZombie(pid) {
			continue // it has ended meanwhile
		}
		was, err := filesLimit(pid)
		if err != nil {
			return fmt.Errorf("%s: %w", f.victim, err)
		}
		open, err := openFiles(pid)
		if err != nil {
			return fmt.Errorf("%s: %w", f.victim, err)
		}
		is := fileLimit{atMost(open, f.leave), was.Hard}
		if is.Soft >= was.Soft {
			return fmt.Errorf("%s has %s open of %d already, and not by brunt", f.victim, scenarios.Amount(len(open), "descriptor"), was.Soft)
		}
		f.limits = append(f.limits, limited{id, was, is})
	}
	if len(f.limits) == 0 {
		return fmt.Errorf("%s: %w", f.victim, errEnded)
	}
	return nil
}

// atMost is the limit under which leave numbers are free.
func atMost(open []int, leave int) uint64 {
	slices.Sort(open)
	n := uint64(0)
	for free := 0; ; n++ {
		if len(open) > 0 && uint64(open[0]) == n {
			open = open[1:]
			continue
		}
		if free == leave {
			return n
		}
		free++
	}
}

// free is how many numbers under a limit are free.
func free(open []int, limit uint64) int {
	used := 0
	for _, n := range open {
		if uint64(n) < limit {
			used++
		}
	}
	return int(limit) - used
}

func (f *fdExhaust) String() string {
	return fmt.Sprintf("let %s open %s more", f.victim, scenarios.Amount(f.leave, "descriptor"))
}

// Via implements [Step].
func (*fdExhaust) Via() string { return "prlimit" }

// Undo implements [Step].
func (f *fdExhaust) Undo() []Undo {
	var out []Undo
	for _, l := range f.limits {
		args, _ := json.Marshal(l.is)
		prior, _ := json.Marshal(l.was)
		out = append(out, Undo{Op: opFiles, Args: args, Identity: l.id.raw(), Prior: prior})
	}
	return out
}

// Inject implements [Step].
func (f *fdExhaust) Inject(ctx context.Context) (Held, error) {
	for _, l := range f.limits {
		if !l.id.alive() {
			continue
		}
		if err := limitFiles(l.id.PID, l.is); err != nil {
			return f, fmt.Errorf("%s: %w", f.victim, err) // what is done is taken back
		}
		f.point("limit written")
	}
	if !f.id.alive() {
		return nil, errEnded
	}
	return f, nil
}

// Verify implements [Held]: the unit has no number left but those that were to be left,
// or that it has given back since; and where it can be asked, and has none, it does not
// answer.
func (f *fdExhaust) Verify(ctx context.Context) (string, error) {
	var left, had int
	for _, l := range f.limits {
		now, err := filesLimit(l.id.PID)
		if err != nil {
			continue // it has ended
		}
		open, err := openFiles(l.id.PID)
		if err != nil {
			continue
		}
		if now.Soft > l.is.Soft {
			return "", fmt.Errorf("%w: %s may open %d descriptors more", errNoEffect, f.victim, free(open, now.Soft))
		}
		left, had = left+free(open, now.Soft), had+len(open)
	}
	if !f.id.alive() {
		return "", fmt.Errorf("%w: %s", errNoEffect, f.gone())
	}
	said := fmt.Sprintf("it has %s open and can open %d more", scenarios.Amount(had, "descriptor"), left)
	u, ok := f.unit.(Asker)
	if !ok || left > 0 {
		return said, nil
	}
	short, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	if err := u.Ask(short); err == nil {
		return said + "; a request is answered all the same, by a connection or a number that was given back", nil
	}
	return said + "; a request has no answer", nil
}

// Revert implements [Held].
func (f *fdExhaust) Revert(ctx context.Context) (Outcome, error) {
	return resourceOperations().Revert(ctx, f.Undo())
}

// Gone implements [Held]: the unit has its limits again, and is ready.
func (f *fdExhaust) Gone(ctx context.Context) (string, error) {
	for _, l := range f.limits {
		if now, err := filesLimit(l.id.PID); err == nil && l.id.alive() && now == l.is {
			return "", fmt.Errorf("pid %d still may have only %d descriptors", l.id.PID, now.Soft)
		}
	}
	return readyOr(ctx, f.victim, fmt.Sprintf("its limit is %d again", f.limits[0].was.Soft))
}

// readyOr finds that a victim is ready, or is no more.
func readyOr(ctx context.Context, v victim, said string) (string, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if !v.id.alive() {
			return v.gone(), nil
		}
		err := readySoon(ctx, v.unit)
		if err == nil {
			return said + ", and it is ready", nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%s is not back: %w", v, err)
		case <-tick.C:
		}
	}
}

// inFamily makes an operation of what reverts one process: it is done to the process and all that
// descend from it.
func inFamily(revert func(u Undo, pid int) (done bool, err error)) func(context.Context, Undo) (Outcome, error) {
	return func(_ context.Context, u Undo) (Outcome, error) {
		var id identity
		if err := json.Unmarshal(u.Identity, &id); err != nil {
			return Failed, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		return eachOf(id, func(pid int) (bool, error) { return revert(u, pid) })
	}
}

// eachOf takes something back from a process and all that descend from it: what it has
// started since has it from it. Undone tells that it is not there, or not any more.
func eachOf(id identity, undo func(pid int) (undone bool, err error)) (Outcome, error) {
	if !id.alive() {
		return Gone, nil
	}
	out, errs := None, []error{}
	for _, pid := range family(id.PID) {
		if isZombie(pid) {
			continue
		}
		undone, err := undo(pid)
		switch {
		case err != nil && alive(pid): // else it has ended meanwhile
			errs = append(errs, fmt.Errorf("pid %d: %w", pid, err))
		case undone:
			out = Reverted
		}
	}
	if err := also(errs...); err != nil {
		return Failed, err
	}
	return out, nil
}

// restoreFiles gives a process its limit of descriptors back, if it still has the one that brunt set.
func restoreFiles(u Undo, pid int) (done bool, err error) {
	var was, is fileLimit
	if err := errors.Join(json.Unmarshal(u.Prior, &was), json.Unmarshal(u.Args, &is)); err != nil {
		return false, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	now, err := filesLimit(pid)
	if err != nil || now != is {
		return now == was, err
	}
	return true, limitFiles(pid, was)
}
