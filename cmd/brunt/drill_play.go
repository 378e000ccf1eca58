package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"brunt/reporters/evidence"
	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/drills"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

// play runs what can run until the budget is spent. It says whether more may come.
func (f *allFlags) play(ctx context.Context, c *cobra.Command, tries []attempt) (goes bool, err error) {
	for i := range tries {
		a := &tries[i]
		if a.laid == nil {
			continue
		}
		if f.budget > 0 && f.spent+a.drill.Lasts.D() > f.budget {
			a.laid, a.why = nil, "the budget is spent"
			continue
		}
		if err := f.attempt(ctx, c, a); err != nil {
			return false, err
		}
		if a.res == nil {
			leave(tries[i:], f.steady.why(ctx))
			return false, nil
		}
		hang(stderr(c), fmt.Sprintf("%-20s %-12s ", a.name, a.res.Verdict), a.res.Reason, errColumns(c))
		switch {
		case a.res.Verdict == scenarios.NotReverted:
			leave(tries[i+1:], "a fault could not be taken back before it")
			return false, nil
		case context.Cause(ctx) != nil:
			leave(tries[i+1:], f.steady.why(ctx))
			return false, nil
		}
		if a.kept {
			continue
		}
		if goes, err := f.settleAfter(ctx, c, a.name); err != nil || !goes {
			leave(tries[i+1:], f.steady.why(ctx))
			return false, err
		}
	}
	return true, nil
}

// leave says why drills that can run do not.
func leave(tries []attempt, why string) {
	for i := range tries {
		if a := &tries[i]; a.laid != nil {
			a.laid, a.why = nil, why
		}
	}
}

// attempt runs a drill until the run shows something, unless the folder has such a run of the system as it is.
func (f *allFlags) attempt(ctx context.Context, c *cobra.Command, a *attempt) error {
	dir := filepath.Join(f.dir, a.name)
	kept := filepath.Join(f.dir, a.name+".yaml")
	plan, err := a.source.text(a.path, a.laid.Text, false)
	if err != nil {
		return err
	}
	if text, err := disk.Read(kept, 1<<20); err == nil && string(text) == a.laid.Text {
		res, err := evidence.Read(dir)
		if err == nil && res.Verdict != scenarios.Interrupted && res.Verdict != scenarios.Invalid &&
			run.IdentityOf(plan).Made(res) {
			a.res, a.kept = res, true
			f.spent += res.Ended.Sub(res.Started)
			return nil
		}
	}
	if goes, err := f.settled(ctx, c); err != nil || !goes {
		return err
	}
	if err := writeNew(kept, a.laid.Text, disk.Private, true); err != nil {
		return err
	}
	for try := 1; ; try++ {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		f.out = dir
		if a.res, err = f.once(ctx, c, plan, nil); err != nil || a.res == nil {
			return err
		}
		f.spent += a.res.Ended.Sub(a.res.Started)
		again := a.res.Verdict == scenarios.Invalid && !drills.Unmet(a.res) && context.Cause(ctx) == nil && try < mostTries
		if !again || f.budget > 0 && f.spent+a.drill.Lasts.D() > f.budget {
			return nil
		}
		if plan, err = a.source.text(a.path, a.laid.Text, false); err != nil {
			return err
		}
	}
}
