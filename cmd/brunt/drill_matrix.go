package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/drills"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

func drillMatrixCommand() *cobra.Command {
	var out, of, data string
	c := &cobra.Command{
		Use:   "matrix DIR…",
		Short: "Write a page that shows what runs tried on each part of a system",
		Long: `Write a page of what runs tried on which part of a system: a row for each unit and link, a
column for each effect of a fault, such as dies, hangs or slow. DIR is the folder of a run's
report. A cell counts as tried only if the fault was verified at its target and affected
traffic. Of several runs the newest counts. Another table shows what each step of the load
needs: whether its requests failed or took longer while a service was away. Others show which
of the team's alerts fired after each fault, late or not at all, the services with their calls
as a graph, and what a good request cost before and in each fault. Below stand the ways to fail
that were never tried, and the drills worth running next. With --system they are those of all
services and links of a scenario, else of those that the runs name.`,
		Example: `  brunt drill matrix brunt-results/* -o matrix.html
  brunt drill matrix brunt-results/* --system checkout.yaml
  brunt drill matrix brunt-results/* --json learned.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			found, err := readRuns(args)
			if err != nil {
				return err
			}
			var system *drills.System
			var page html.MatrixPage
			again := []string{"SCENARIO"} // whose name the runs do not have
			if of != "" {
				again = []string{of}
				plan, err := compile(of, &sourceFlags{trial: true})
				if err != nil {
					return err
				}
				system, page.Name = new(drills.SystemOf(plan)), plan.Scenario.Name
			}
			page.Summary = fmt.Sprintf("%s of it.", syntax.Amount(len(found), "run"))
			var runs []drills.Tried
			var systems []string
			for _, r := range found {
				systems = append(systems, drills.SystemName(r.Result.Name))
				link, err := filepath.Rel(filepath.Dir(out), filepath.Join(r.Name, html.File))
				if err != nil {
					link = ""
				}
				runs = append(runs, drills.Tried{Name: r.Result.Name, Link: filepath.ToSlash(link), Result: r.Result})
			}
			if page.Name == "" {
				slices.Sort(systems)
				page.Name = strings.Join(slices.Compact(systems), ", ")
			}
			learned := fillMatrix(&page, runs, system, again)
			if err := writeWhole(out, disk.Shared, page.Report); err != nil {
				return err
			}
			if data != "" {
				if err := writeJSON(data, learned); err != nil {
					return err
				}
			}
			fmt.Fprintf(stdout(c), "wrote %s\n", out)
			printAlerts(stdout(c), &page)
			return nil
		},
	}
	c.Flags().StringVar(&of, "system", "", "the scenario whose services and links are the system")
	c.Flags().StringVarP(&out, "output", "o", "matrix.html", "the file of the page")
	c.Flags().StringVar(&data, "json", "", "write the alerts, the links and the cost of requests to a file as JSON")
	return c
}

// fillMatrix fills a page: the faults that runs tried on a system, the services that its steps need, the combinations
// that were never tried, and the drills worth running next. It returns what the runs taught beside that. Again
// holds the words that name the system in the drills' commands, such as checkout.yaml. Without a system, the page has
// only the parts that the runs name.
func fillMatrix(page *html.MatrixPage, runs []drills.Tried, system *drills.System, again []string) *drills.Learned {
	m, needs := drills.NewMatrix(runs), drills.NewDependencies(runs)
	fillTried(page, m, system)
	fillNeeds(page, needs)
	fillCalls(page, runs)
	learned := drills.Learn(runs, needs)
	fillLearned(page, learned)
	coverage := m.Coverage(system)
	page.Coverage = coverage.String()
	page.Untried = words.UntriedParts(coverage.Untried, coverage.Effects)
	for _, s := range coverage.Next(needs, 3) {
		command := slices.Concat([]string{"brunt", "drill", "run", s.Drill}, again, []string{"--role", s.Role})
		if s.Set != "" {
			command = append(command, "--set", s.Set)
		}
		page.Next = append(page.Next, html.MatrixNext{
			Command: syntax.ShellWords(command), Why: words.DrillReason(s.Part, s.One, s.Effect, s.Reason, s.Unmet),
		})
	}
	return learned
}

// needTones holds the tone of each kind of need.
var needTones = map[drills.Need]string{
	drills.Hard: "bad", drills.Soft: "unsure", drills.Apart: "good", drills.Vague: "unsure",
}

// fillNeeds adds the services that the steps of the load need.
func fillNeeds(page *html.MatrixPage, d *drills.Dependencies) {
	page.Services = d.Services
	for _, step := range d.Steps {
		row := html.MatrixRow{Part: step}
		for _, service := range d.Services {
			one, tried := d.Cells[[2]string{step, service}]
			if !tried {
				row.Cells = append(row.Cells, html.MatrixCell{Text: drills.NeverTried})
				continue
			}
			text := string(one.Need)
			if one.Surprise {
				text += " (!)"
			}
			row.Cells = append(row.Cells, html.MatrixCell{Text: text, Tone: needTones[one.Need], Why: one.Why, Link: one.Link})
		}
		page.Needs = append(page.Needs, row)
	}
	if len(d.Declared) > 0 {
		for _, service := range d.Services {
			page.Declared = append(page.Declared, d.Declared[service])
		}
	}
	if s := d.Surprises(); len(s) > 0 {
		page.Surprise = fmt.Sprintf("A surprise: requests fail without %s, which the scenario declares soft.",
			strings.Join(s, ", "))
	}
}

// fillCalls adds the calls per request on links, with a row for each fault: before it, in it and after it. Where the
// calls of a link were not read, they are bytes. Runs that counted no calls add no row.
func fillCalls(page *html.MatrixPage, runs []drills.Tried) {
	var cells []map[string]html.MatrixCell // of each row, by link
	for _, run := range runs {
		phases, links := words.LinkRows(run.Result)
		if !slices.ContainsFunc(links, func(l words.LinkRow) bool { return l.Calls }) {
			continue
		}
		for _, phase := range phases {
			if phase.Kind != slo.FaultPhase {
				continue
			}
			by := map[string]html.MatrixCell{}
			for _, l := range links {
				if !slices.Contains(page.Links, l.Link) {
					page.Links = append(page.Links, l.Link)
				}
				by[l.Link] = callsCell(phases, &l, phase, run.Link)
			}
			row := html.MatrixRow{Part: run.Name + ": " + phase.String()}
			for i := range run.Result.Faults {
				if f := &run.Result.Faults[i]; f.Phase() == phase {
					row.Part = faultName(run.Name, phase.String(), drills.PartsHit(f))
				}
			}
			page.Calls, cells = append(page.Calls, row), append(cells, by)
		}
	}
	for i := range page.Calls {
		for _, link := range page.Links {
			cell, counted := cells[i][link]
			if !counted {
				cell.Text = drills.NeverTried
			}
			page.Calls[i].Cells = append(page.Calls[i].Cells, cell)
		}
	}
}

// callsCell returns the traffic on a link before a fault, in it, and in the recovery after it.
func callsCell(phases []slo.Phase, l *words.LinkRow, fault slo.Phase, link string) html.MatrixCell {
	cell := html.MatrixCell{Tone: "plain", Link: link}
	after := fault
	after.Kind = slo.RecoveryPhase
	var texts []string
	for _, p := range []slo.Phase{{Kind: slo.BaselinePhase}, fault, after} {
		i := slices.Index(phases, p)
		if i < 0 {
			texts = append(texts, "–")
			continue
		}
		texts = append(texts, l.Cells[i].Marked())
		if l.Cells[i].Grew {
			cell.Tone = words.Tone(scenarios.Fail)
		}
	}
	cell.Text = strings.Join(texts, " → ")
	if !l.Calls {
		cell.Why = l.Unit
	}
	return cell
}

// fillTried adds the rows of a matrix to its page.
func fillTried(page *html.MatrixPage, m *drills.Matrix, system *drills.System) {
	page.Effects = m.Columns(system)
	barred := map[string][]string{} // effects, by the reason why a cell can't be filled
	var reasons []string            // in the order of the page
	heading := ""
	for _, part := range m.Rows(system) {
		row := html.MatrixRow{Part: part}
		if of := map[bool]string{
			true: "Links, from caller to callee", false: "Units and services",
		}[drills.IsLink(part)]; of != heading {
			row.Heading, heading = of, of
		}
		for _, effect := range page.Effects {
			cell, tried := m.Cells[[2]string{part, effect}]
			if !tried {
				word, why := m.Empty(system, part, effect)
				row.Cells = append(row.Cells, html.MatrixCell{Text: word, Why: why})
				if why != "" && !slices.Contains(barred[why], effect) {
					if barred[why] == nil {
						reasons = append(reasons, why)
					}
					barred[why] = append(barred[why], effect)
				}
				continue
			}
			text := words.Mark(cell.Verdict)
			if cell.Verdict == scenarios.None {
				text = "–"
			}
			row.Cells = append(row.Cells, html.MatrixCell{
				Text: text, Tone: words.Tone(cell.Verdict), Why: cell.Why, Link: cell.Link,
			})
		}
		page.Rows = append(page.Rows, row)
	}
	for _, why := range reasons {
		page.Barred = append(page.Barred, words.Join(barred[why])+": "+why)
	}
}
