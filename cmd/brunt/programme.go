package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"brunt/reporters/evidence"
	"brunt/reporters/html"
	"brunt/reporters/site"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/drills"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/result/programme"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

func programmeCommand() *cobra.Command {
	var flags planFlags
	var asJSON bool
	var at, page string
	c := &cobra.Command{
		Use:   "programme DIR...",
		Short: "Show what was last proved, what is overdue, what failed and what closed it",
		Long: `Show the state of all scenarios and drills with runs below folders: when each last passed and
on which build, which are overdue by the cadence of a policy, which runs failed and which
later run closed them, and which ways to fail no run tried. A policy sets the cadence:
  cadence: {"shop: *": 90d, replica-crash: 30d}
A later run that passed closes a failure if its meta has the id of the failed run, its folder
or its ticket: brunt run shop.yaml --meta closes=OPS-7.

Attestations of persons (brunt attest) stand beside the runs; with --signer only those by one
of these keys count. brunt serve and brunt report --site show the same as a page.

Exit codes: 0: all scenarios with a cadence are proved in time, and no failure is open.
3: one is not. 2: a folder or a file can't be read.`,
		Example: `  brunt programme brunt-results --policy policy.yaml
  brunt programme brunt-results --policy policy.yaml --json > programme.json
  brunt programme brunt-results --policy policy.yaml --at 2026-12-31 --html programme.html`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := folders(args); err != nil {
				return err
			}
			now, err := instant(at, time.Now())
			if err != nil {
				return err
			}
			of, err := flags.plan()
			if err != nil {
				return err
			}
			p, problems := site.Programme(args, of, now)
			for _, text := range problems {
				fmt.Fprintln(stderr(c), "brunt: "+text)
			}
			if page != "" {
				draw := html.ProgrammePage{Title: titleOf("", args), Programme: p, Problems: problems}.Report
				if err := writeWhole(page, disk.Shared, draw); err != nil {
					return err
				}
			}
			if asJSON {
				err = encodeJSON(data(c), p)
			} else {
				tellProgramme(stdout(c), p, columns(c))
			}
			if err == nil && !p.Fit() {
				return exit(scenarios.ExitFail)
			}
			return err
		},
	}
	flags.register(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print the programme as JSON")
	c.Flags().StringVar(&page, "html", "", "write the page to a file")
	c.Flags().StringVar(&at, "at", "",
		"the state at the end of a day such as 2026-12-31 (UTC), or at a time such as 2026-12-31T12:00:00Z "+
			"(default now)")
	return c
}

// instant parses --at. A day means its last second.
func instant(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.AddDate(0, 0, 1).Add(-time.Second), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, usagef("--at %q: want a day such as 2026-12-31, or a time such as 2026-12-31T12:00:00Z", text)
	}
	return t, nil
}

// planFlags name what a programme shows besides the runs.
type planFlags struct {
	policy []string
	signer string
}

func (f *planFlags) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.policy, "policy", nil,
		"a policy file, whose cadence says how often scenarios must pass; can be given several times; "+
			"$BRUNT_POLICY also names one")
	c.Flags().StringVar(&f.signer, "signer", "",
		"count only attestations by this public key, or by one of this file of allowed signers")
}

// plan reads the files.
func (f *planFlags) plan() (of site.Plan, err error) {
	of.Untried = untried
	list, err := plan.ReadPolicies(policyFiles(f.policy), nil)
	if err != nil {
		if !errors.As(err, new(*syntax.MistakesError)) {
			err = scenarios.Usage(err)
		}
		return of, err
	}
	for _, p := range list {
		for pattern, every := range p.Cadence {
			of.Cadences = append(of.Cadences, programme.Cadence{Pattern: pattern, Every: time.Duration(every)})
		}
	}
	slices.SortFunc(of.Cadences, func(a, b programme.Cadence) int { return strings.Compare(a.Pattern, b.Pattern) })
	if f.signer != "" {
		if of.Signers, err = evidence.ReadSigners(f.signer); err != nil {
			return of, usagef("--signer: %w", err)
		}
	}
	return of, nil
}

// untried returns the ways to fail that no run tried, by system.
func untried(runs []*result.Result) (out []programme.Untried) {
	by := map[string][]drills.Tried{}
	for _, r := range runs {
		name := drills.SystemName(r.Name)
		by[name] = append(by[name], drills.Tried{Name: r.Name, Result: r})
	}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		c := drills.NewMatrix(by[name]).Coverage(nil)
		if c.Modes == 0 { // as for a URL
			continue
		}
		out = append(out, programme.Untried{
			System: name, Parts: c.Untried, Effects: c.Effects, Modes: c.Modes, Held: c.Held, Failed: c.Failed,
		})
	}
	return out
}

// tellProgramme prints a programme as text.
func tellProgramme(w io.Writer, p *programme.Programme, columns int) {
	for _, row := range words.ProgrammeRows(p) {
		fmt.Fprintf(w, "%s %-12s  %s\n", row.Mark, row.State, row.Name)
		for _, part := range [][2]string{
			{"last proved: ", row.Proof}, {"build: ", row.Build}, {"newest run: ", row.Last}, {"cadence: ", row.Due},
		} {
			if part[1] != "" {
				hang(w, "    ", part[0]+part[1], columns)
			}
		}
		for _, text := range row.Faults {
			hang(w, "    ", text, columns)
		}
		for _, text := range row.Attested {
			hang(w, "    attested: ", text, columns)
		}
	}
	title := func(text string) { fmt.Fprintf(w, "\n%s\n", text) }
	if len(p.Failures) > 0 {
		title("What failed, and what followed")
	}
	for _, row := range words.FailureRows(p) {
		fmt.Fprintf(w, "%s %-12s  %s, %s\n", row.Mark, row.State, row.Name, row.When)
		for _, text := range append([]string{row.Reason}, row.After...) {
			hang(w, "    ", text, columns)
		}
		for _, text := range row.Attested {
			hang(w, "    attested: ", text, columns)
		}
	}
	if claims := words.ClaimTexts(p); len(claims) > 0 {
		title("Findings closed without a failed run on file")
		for _, text := range claims {
			hang(w, "  ", text, columns)
		}
	}
	if len(p.Untried) > 0 {
		title("What was never tried")
	}
	for _, u := range words.UntriedTexts(p) {
		hang(w, "  ", u.Name+": "+u.Value, columns)
	}
	fmt.Fprintln(w)
	hang(w, "", words.ProgrammeSummary(p), columns)
}
