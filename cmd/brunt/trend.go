package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/disk"
	"brunt/scenarios/result/search"

	"github.com/spf13/cobra"
)

func trendCommand() *cobra.Command {
	var f judgeFlags
	var page, name, file string
	c := &cobra.Command{
		Use:   "trend --history DIR",
		Short: "Show how a scenario's figures changed over the runs of a history",
		Long: `Show how each figure changed over the runs of a history on machines of the newest run's
kind: when its level moved, by how much, and with which run. It says which records it leaves
out, and why. brunt divides the series where its two parts differ most (e-divisive). Neighbouring runs may depend on each other, with a
correlation of up to 0.8: at most 5 % of figures that did not move then show a move. It also
lists the tolerances that brunt tolerate --history has added. A tolerance has moved if its interval
does not overlap that of the first search at the level before.`,
		Example: `  brunt trend --history .brunt-history
  brunt trend --history .brunt-history --metric p95 --html trend.html`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f.alpha = "5%"
			o, err := f.options()
			if err != nil {
				return err
			}
			dir := c.Flag("history").Value.String()
			if _, err := os.Stat(dir); err != nil {
				return scenarios.Usage(fmt.Errorf("open history: %w", err))
			}
			h, err := compare.OpenHistory(dir)
			if err != nil {
				return scenarios.Usage(err)
			}
			for _, p := range h.Problems {
				fmt.Fprintf(stderr(c), "brunt: %v\n", p)
			}
			tolerances := readTolerances(c, dir)
			if len(h.Records()) == 0 && len(tolerances) > 0 {
				if tolerances = ofScenario(tolerances, cmp.Or(name, tolerances[len(tolerances)-1].Name)); len(tolerances) == 0 {
					return usagef("the history holds nothing of a scenario named %q", name)
				}
				return told(stdout(c), file, page, tolerances)
			}
			all, left, err := newest(h, name)
			if err != nil {
				return err
			}
			tolerances = ofScenario(tolerances, all[0].Name)
			for _, l := range left {
				fmt.Fprintf(stderr(c), "brunt: left out: %s\n", l)
			}
			if err := all[len(all)-1].Known(o); err != nil {
				return scenarios.Usage(err)
			}
			trends := compare.Trends(all, o)
			if file != "" {
				if err := writeTrends(file, all, trends, tolerances); err != nil {
					return err
				}
			}
			if page != "" {
				charts := append(trendCharts(trends), toleranceCharts(tolerances)...)
				if err := writePage(page, html.TrendPage{
					Name: all[0].Name, Machine: all[len(all)-1].Machine.String(), Charts: charts, More: compare.Untested(trends),
				}); err != nil {
					return err
				}
			}
			fmt.Fprintf(stdout(c), "%s: %d runs, %s\n\n", all[0].Name, len(all), all[len(all)-1].Machine)
			return errors.Join(compare.TrendText(stdout(c), trends), toleranceText(stdout(c), tolerances))
		},
	}
	f.narrow(c)
	c.Flags().String("history", "", "folder of the records of earlier runs")
	c.Flags().StringVar(&name, "name", "", "name of the scenario (default the scenario of the newest run)")
	c.Flags().StringVar(&page, "html", "", "write a page of charts to a file")
	c.Flags().StringVar(&file, "json", "", "write the trends to a file as JSON: points, levels and moves")
	_ = c.MarkFlagRequired("history")
	return c
}

// newest returns the records with the same scenario and kind of machine as the newest one. Left lists the omitted
// records with the reasons, as sentences.
func newest(h *compare.History, name string) (records []*compare.Record, left []string, err error) {
	all := h.Records()
	for i := len(all) - 1; i >= 0; i-- {
		if name == "" || all[i].Name == name {
			records, left = all[i].Comparable(all)
			return records, left, nil
		}
	}
	if name != "" {
		return nil, nil, usagef("the history holds no run of a scenario named %q", name)
	}
	return nil, nil, usagef("the history holds no run; `brunt gate` fills it")
}

// readTolerances reads the tolerances of a history, and names the files that are not valid.
func readTolerances(c *cobra.Command, dir string) []*search.Tolerance {
	list, problems := capacity.Tolerances(dir)
	for _, p := range problems {
		fmt.Fprintf(stderr(c), "brunt: %v; it is ignored\n", p)
	}
	return list
}

// ofScenario returns the tolerances of the scenario with a name; all for an empty name.
func ofScenario(list []*search.Tolerance, name string) []*search.Tolerance {
	return slices.DeleteFunc(list, func(t *search.Tolerance) bool { return name != "" && t.Name != name })
}

// told shows a history that holds tolerances alone, of one scenario.
func told(w io.Writer, file, page string, list []*search.Tolerance) error {
	if file != "" {
		if err := writeJSON(file, tolerancesOf(list)); err != nil {
			return err
		}
	}
	if page != "" {
		if err := writePage(page, html.TrendPage{Name: list[0].Name, Charts: toleranceCharts(list)}); err != nil {
			return err
		}
	}
	return toleranceText(w, list)
}

// tolerances are those of a history, for programs.
type tolerances struct {
	Tolerances []trendTolerance `json:"tolerances,omitempty"` // the oldest first
}

// A trendTolerance is a tolerance without its probes.
type trendTolerance struct {
	Name      string           `json:"name"`            // of the scenario
	Figure    string           `json:"figure"`          // tolerance(FAULT.SETTING)
	Moved     string           `json:"moved,omitempty"` // less or more: what it tolerates since this search
	Tolerance search.Tolerance `json:"tolerance"`
}

// tolerancesOf returns tolerances for programs, by figure, the oldest first.
func tolerancesOf(list []*search.Tolerance) (out tolerances) {
	for _, of := range byFigure(list) {
		moved := make([]string, len(of))
		for _, m := range capacity.Moves(of) {
			moved[m.At] = "more"
			if m.Less {
				moved[m.At] = "less"
			}
		}
		for i, t := range of {
			short := *t
			short.Probes, short.Doses = []search.Probed{}, []search.Dosed{}
			out.Tolerances = append(out.Tolerances, trendTolerance{t.Name, t.Figure(), moved[i], short})
		}
	}
	return out
}

// byFigure groups tolerances by figure, in the order in which the figures came first.
func byFigure(list []*search.Tolerance) (out [][]*search.Tolerance) {
	at := map[string]int{}
	for _, t := range list {
		i, known := at[t.Figure()]
		if !known {
			i, out = len(out), append(out, nil)
			at[t.Figure()] = i
		}
		out[i] = append(out[i], t)
	}
	return out
}

// movedTolerance says how a tolerance has moved.
func movedTolerance(m capacity.Move) string {
	verb := "tolerates more"
	if m.Less {
		verb = "tolerates less"
	}
	return fmt.Sprintf("%s than since %s: %s", verb, searchedAt(m.From), words.ToleranceInterval(m.From))
}

func searchedAt(t *search.Tolerance) string { return t.Started.UTC().Format("2006-01-02 15:04") }

// toleranceText writes tolerances for a terminal, by figure, the oldest first.
func toleranceText(w io.Writer, list []*search.Tolerance) error {
	var b strings.Builder
	for _, of := range byFigure(list) {
		fmt.Fprintf(&b, "\n%s\n", of[0].Figure())
		marks := make([]string, len(of))
		for i, t := range of {
			if t.Against != nil && t.Against.Verdict != scenarios.Pass {
				marks[i] = "  " + string(t.Against.Verdict)
			}
		}
		for _, m := range capacity.Moves(of) {
			marks[m.At] += "  " + movedTolerance(m)
		}
		for i, t := range of {
			fmt.Fprintf(&b, "  %s  %-12s %s%s\n", searchedAt(t), cmp.Or(t.Commit, "–"), words.ToleranceInterval(t), marks[i])
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// toleranceCharts are the charts of tolerances: the smaller end of the interval of each search that found one.
func toleranceCharts(list []*search.Tolerance) (out []html.TrendChart) {
	for _, of := range byFigure(list) {
		of = slices.DeleteFunc(of, func(t *search.Tolerance) bool { return t.Below == "" })
		if len(of) == 0 {
			continue
		}
		chart := html.TrendChart{
			Title: of[0].Figure() + ", the smaller end of its interval", Say: of[0].Setting.Unit.Format,
			Levels: []float64{of[0].Low},
		}
		for _, t := range of {
			chart.Points = append(chart.Points, html.TrendPoint{
				Run: searchedAt(t), Commit: t.Commit, Started: t.Started, Value: t.Low,
				Red: t.Against != nil && t.Against.Verdict == scenarios.Regression,
			})
		}
		for _, m := range capacity.Moves(of) {
			chart.Moves = append(chart.Moves, html.TrendMove{
				At: m.At, Worse: m.Less,
				Text: fmt.Sprintf("%s: %s, %s", searchedAt(of[m.At]), words.ToleranceInterval(of[m.At]), movedTolerance(m)),
			})
			chart.Levels = append(chart.Levels, of[m.At].Low)
		}
		out = append(out, chart)
	}
	return out
}

// writeJSON writes a value to a file.
func writeJSON(file string, v any) error {
	return writeWhole(file, disk.Shared, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	})
}

// writeTrends writes the trends as JSON.
func writeTrends(
	file string, all []*compare.Record, trends []compare.Trend, list []*search.Tolerance,
) error {
	return writeJSON(file, struct {
		Name    string          `json:"name"`    // name of the scenario
		Machine compare.Machine `json:"machine"` // kind of machine of the newest run
		Trends  []compare.Trend `json:"trends"`
		tolerances
	}{all[0].Name, all[len(all)-1].Machine, trends, tolerancesOf(list)})
}

// writePage writes a page of charts. The file appears whole or not at all.
func writePage(file string, p html.TrendPage) error {
	return writeWhole(file, disk.Shared, p.Report)
}

// trendCharts are the charts of trends.
func trendCharts(trends []compare.Trend) (out []html.TrendChart) {
	for i := range trends {
		t := &trends[i]
		chart := html.TrendChart{Title: t.Where(), Say: t.Say, Share: t.Share(), Levels: t.Levels}
		for _, pt := range t.Points {
			chart.Points = append(chart.Points, html.TrendPoint{
				Run: pt.Run, Commit: pt.Commit, Started: pt.Started, Value: float64(pt.Value), Red: pt.Red,
			})
		}
		for _, m := range t.Moves {
			chart.Moves = append(chart.Moves, html.TrendMove{At: m.At, Text: t.Sentence(m), Worse: m.Change > 0})
		}
		out = append(out, chart)
	}
	return out
}
