package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/reporters/ci"
	"brunt/scenarios/drills"
	"brunt/scenarios/edit/doctor"
	"brunt/scenarios/machine"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/policies"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// validateFlags are the settings of `brunt validate`.
type validateFlags struct {
	sourceFlags
	explain bool
	ask     bool // ask the cluster
	format  string
}

func validateCommand() *cobra.Command {
	var f validateFlags
	formats := append([]string{"text"}, slices.Sorted(maps.Keys(ci.ValidationFormats))...)
	c := &cobra.Command{
		Use:   "validate SCENARIO ...",
		Short: "Check scenarios without starting anything",
		Long: `Check everything about a scenario that can be checked without touching anything: its
syntax, the names in it, and whether its load is enough to judge its objectives. brunt
shows all mistakes at once, and what the load can show; only a YAML syntax error ends the
list. The file of a drill is checked as a drill; whether it fits a system is seen with
` + "`brunt drill show FILE SCENARIO`" + `. The file of a policy is checked as a policy. With
several files, the exit code is that of the first that has mistakes. With --cluster, brunt also
asks the cluster of a scenario whether a run would be let in there, as ` + "`brunt doctor SCENARIO`" + `
does; nothing is made.

--format json writes the same for programs, github as annotations (::error) at the lines of
a pull request, and sarif as SARIF 2.1.0 for code scanning and editors.`,
		Example: `  brunt validate checkout.yaml
  brunt validate --format sarif scenarios/*.yaml > brunt.sarif`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf("--format", []string{f.format}, formats); err != nil {
				return err
			}
			if f.explain {
				return f.resolved(c, args)
			}
			return f.all(c, args)
		},
	}
	f.register(c)
	c.Flags().BoolVar(&f.ask, "cluster", false, "also ask the cluster of the scenario whether a run would be let in")
	c.Flags().BoolVar(&f.explain, "explain", false, "print the scenario as resolved, secrets masked")
	c.Flags().StringVar(&f.format, "format", "text", strings.Join(formats, ", "))
	completeOneOf(c, "format", formats...)
	return c
}

// resolved prints a scenario as resolved.
func (f *validateFlags) resolved(c *cobra.Command, args []string) error {
	if len(args) > 1 || f.format != "text" {
		return usagef("--explain prints one scenario, as text")
	}
	if drills.IsDrill(args[0]) {
		return usagef("%s is a drill; `brunt drill show %s SCENARIO` prints what it makes of a scenario", args[0], args[0])
	}
	plan, err := compile(args[0], &f.sourceFlags)
	if err != nil {
		return err
	}
	fmt.Fprint(stdout(c), plan.Scenario.Explain())
	return nil
}

// all checks files, and prints what it finds in each. The error is the first of them, and was printed if there are
// several files or another format than text.
func (f *validateFlags) all(c *cobra.Command, args []string) error {
	var found []ci.Validation
	var first error
	wrong := 0
	for _, file := range args {
		v, err := f.file(c.Context(), file)
		found = append(found, v)
		if f.format == "text" && err == nil {
			printValidation(c, &v)
		}
		if err == nil {
			continue
		}
		if wrong++; first == nil {
			first = err
		}
		if f.format == "text" && len(args) > 1 {
			tell(stderr(c), err)
			fmt.Fprintln(stderr(c))
		}
	}
	if f.format != "text" {
		if err := ci.ValidationFormats[f.format](data(c), machine.Version(), found); err != nil {
			return err
		}
	} else if len(args) > 1 && wrong > 0 {
		fmt.Fprintf(stderr(c), "%d of %d files can't run as they stand; nothing was started.\n", wrong, len(args))
	}
	if first != nil && (len(args) > 1 || f.format != "text") {
		return exit(codeOf(first))
	}
	return first
}

// file checks one file. A file that can't be read has one mistake.
func (f *validateFlags) file(ctx context.Context, file string) (v ci.Validation, err error) {
	v = ci.Validation{File: file}
	switch {
	case drills.IsDrill(file):
		v.Says, err = f.drill(file)
	case policies.IsPolicy(file):
		v.Says, err = policy(file)
	default:
		v.Says, v.Notes, err = f.scenario(ctx, file)
	}
	var mistakes *syntax.MistakesError
	switch {
	case err == nil:
		v.Valid = true
	case errors.As(err, &mistakes):
		v.Mistakes, v.More = ci.NewMistakes(file, mistakes), mistakes.More()
	default:
		v.Mistakes = []ci.Mistake{{File: file, What: err.Error()}}
	}
	return v, err
}

// scenario checks a scenario, and says what its load can show.
func (f *validateFlags) scenario(ctx context.Context, file string) (says, notes []string, err error) {
	plan, err := compile(file, &f.sourceFlags)
	if err != nil {
		return nil, nil, err
	}
	notes = plan.Notes
	switch {
	case f.ask:
		if err := doctor.Refused(doctor.Cluster(ctx, plan)); err != nil {
			return nil, nil, usagef("%s: %w", file, err)
		}
	case plan.Scenario.Target.Kubernetes != nil || plan.Scenario.Workers.Elsewhere():
		notes = append(slices.Clip(notes), "the cluster was not asked whether it lets the run in; --cluster asks it")
	}
	return dryrun.Describe(plan), notes, nil
}

// drill checks the file of a drill, and says what the drill needs.
func (f *validateFlags) drill(file string) (says []string, err error) {
	set, err := f.params()
	if err != nil {
		return nil, err
	}
	d, err := drills.Find(drills.Named(file), set)
	if err != nil {
		return nil, err
	}
	return append([]string{fmt.Sprintf("a drill; `brunt drill show %s SCENARIO` lays it over a system", file)},
		d.Needs()...), nil
}

// policy checks a policy by itself, and says what it allows.
func policy(file string) (says []string, err error) {
	list, err := plan.ReadPolicies([]string{file}, nil)
	if err != nil {
		return nil, err
	}
	return append([]string{fmt.Sprintf("a policy; `brunt validate SCENARIO --policy %s` holds a scenario to it", file)},
		list[0].Summary()...), nil
}

// printValidation prints what was found in a file without mistakes.
func printValidation(c *cobra.Command, v *ci.Validation) {
	out := stdout(c)
	fmt.Fprintf(out, "%s: ok\n", v.File)
	for _, line := range v.Says {
		fmt.Fprintln(out, "  "+line)
	}
	for _, n := range v.Notes {
		fmt.Fprintln(out, "note: "+n)
	}
}
