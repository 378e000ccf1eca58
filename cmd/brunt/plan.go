package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/edit/doctor"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// forecast prints a forecast of the run, and saves the plan if -o is given.
func (f *runFlags) forecast(c *cobra.Command, plan *plan.Plan) error {
	if err := f.planFree(); err != nil {
		return err
	}
	lines, err := dryrun.Run(c.Context(), plan)
	for _, line := range lines {
		fmt.Fprintln(stdout(c), line)
	}
	if refused := f.admitted(c.Context(), plan); err == nil && refused != nil { // else the same stands there
		fmt.Fprintf(stdout(c), "\n%v\n", refused)
		err = refused
	}
	fmt.Fprintln(stdout(c), "\nNothing was started or broken.")
	if err != nil { // already printed
		return exit(scenarios.ExitMistake)
	}
	if f.out == "" {
		return nil
	}
	set, err := f.params()
	if err != nil {
		return err
	}
	meta, err := f.facts()
	if err != nil {
		return err
	}
	kept, err := dryrun.NewPlanFile(c.Context(), plan, filepath.Dir(f.out), set)
	if err != nil {
		return usagef("the plan: %w", err)
	}
	for name := range meta {
		meta[name] = plan.Scenario.Secrets.Mask(meta[name])
	}
	kept.Scenario.Meta = meta
	if err := writeWhole(f.out, disk.Private, func(w io.Writer) error { return encodeJSON(w, kept) }); err != nil {
		return usagef("the plan: %w", err)
	}
	fmt.Fprintf(stdout(c), "Plan: %s; `brunt run --plan %s` runs it, if nothing has changed by then.\n", f.out, f.out)
	return nil
}

// admitted returns an error if the clusters of a plan would not take what a run makes there.
func (f *runFlags) admitted(ctx context.Context, p *plan.Plan) error {
	w := p.Scenario.Workers
	if w.Elsewhere() && f.workers.Count == 0 { // --smoke makes no load
		w = scenarios.Workers{}
	}
	return doctor.Refused(doctor.Admission(ctx, p, &w))
}

// planFree returns an error if the plan may not be written to the file of -o.
func (f *runFlags) planFree() error {
	if f.out == "" {
		return nil
	}
	switch info, err := os.Stat(f.out); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usagef("the plan: %w", err)
	case info.IsDir():
		return usagef("%s is a folder; with --dry-run, -o names the file for the plan", f.out)
	case !f.force:
		return usagef("%s exists already; --force writes over it", f.out)
	}
	return nil
}

// encodeJSON writes v as indented JSON.
func encodeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// maxPlan bounds a plan file, in bytes.
const maxPlan = 64 << 20

// readPlan reads the plan of --plan. It takes from it the scenario and the params that the command line does not
// give. It returns the path of the scenario.
func (f *runFlags) readPlan(path string) (string, error) {
	if f.plan == "" {
		return path, nil
	}
	text, err := disk.ReadGiven(f.plan, maxPlan)
	if err != nil {
		return "", usagef("the plan: %w", err)
	}
	if f.planned, err = dryrun.ReadPlan(text); err != nil {
		return "", usagef("the plan %s: %w", f.plan, err)
	}
	given, err := f.params()
	if err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(f.planned.Scenario.Set)) {
		value := f.planned.Scenario.Set[name]
		if _, again := given[name]; again {
			continue
		}
		if strings.Contains(value, syntax.Masked) {
			return "", usagef("the plan %s does not show the secret in param %s; give --set %s=… again", f.plan, name, name)
		}
		f.set = append(f.set, name+"="+value)
	}
	said, err := f.facts()
	if err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(f.planned.Scenario.Meta)) {
		if _, again := said[name]; !again {
			f.meta = append(f.meta, name+"="+f.planned.Scenario.Meta[name])
		}
	}
	if path != "" {
		return path, nil
	}
	path = filepath.FromSlash(f.planned.Scenario.File)
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(f.plan), path)
	}
	return path, nil
}

// compile compiles the scenario, and compares it with the plan.
func (f *runFlags) compile(ctx context.Context, path string) (*plan.Plan, error) {
	if f.trial = f.smoke; f.smoke { // which makes no load
		f.split = -1
	}
	compiled, err := compile(path, &f.sourceFlags)
	if err == nil && f.smoke {
		if compiled, err = plan.ReduceToSmoke(compiled); err != nil {
			err = usagef("%s: --smoke: %w", path, err)
		}
	}
	if err != nil || f.planned == nil {
		return compiled, err
	}
	set, err := f.params()
	if err != nil {
		return nil, err
	}
	found, err := dryrun.Drift(ctx, compiled, f.planned, filepath.Dir(f.plan), set)
	if err != nil {
		return nil, usagef("the plan %s: %w", f.plan, err)
	}
	if len(found) > 0 {
		return nil, &driftError{f.plan, found}
	}
	compiled.Notes = append(compiled.Notes,
		fmt.Sprintf("checked against the plan %s, made %s: nothing had changed", f.plan, f.planned.Made.Format(time.RFC3339)))
	return compiled, nil
}

// A driftError lists the differences between a plan and the present.
type driftError struct {
	plan  string
	found []string
}

// mostDrift bounds the listed differences.
const mostDrift = 40

func (e *driftError) Error() string {
	lines := e.found
	if len(lines) > mostDrift {
		lines = append(slices.Clone(lines[:mostDrift]), fmt.Sprintf("and %d more", len(lines)-mostDrift))
	}
	n := len(e.found)
	return fmt.Sprintf("what would be done differs from %s:\n  %s\n%s; nothing was started.", e.plan,
		strings.Join(lines, "\n  "),
		syntax.Amount(n, "difference"))
}
