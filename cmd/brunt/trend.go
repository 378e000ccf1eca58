package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"brunt/reporters/html"
	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/disk"

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
correlation of up to 0.8: at most 5 % of figures that did not move then show a move.`,
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
			all, left, err := newest(h, name)
			if err != nil {
				return err
			}
			for _, l := range left {
				fmt.Fprintf(stderr(c), "brunt: left out: %s\n", l)
			}
			if err := all[len(all)-1].Known(o); err != nil {
				return scenarios.Usage(err)
			}
			tellOutdated(c, all)
			trends := compare.Trends(all, o)
			if file != "" {
				if err := writeTrends(file, all, trends); err != nil {
					return err
				}
			}
			if page != "" {
				if err := writePage(page, all, trends); err != nil {
					return err
				}
			}
			fmt.Fprintf(stdout(c), "%s: %d runs, %s\n\n", all[0].Name, len(all), all[len(all)-1].Machine)
			return compare.TrendText(stdout(c), trends)
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

// writeTrends writes the trends as JSON.
func writeTrends(file string, all []*compare.Record, trends []compare.Trend) error {
	return writeWhole(file, disk.Shared, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Name    string          `json:"name"`    // name of the scenario
			Machine compare.Machine `json:"machine"` // kind of machine of the newest run
			Trends  []compare.Trend `json:"trends"`
		}{all[0].Name, all[len(all)-1].Machine, trends})
	})
}

// writePage writes the page of charts. The file appears whole or not at all.
func writePage(file string, all []*compare.Record, trends []compare.Trend) error {
	p := html.TrendPage{Name: all[0].Name, Machine: all[len(all)-1].Machine.String()}
	p.Charts = trendCharts(trends)
	return writeWhole(file, disk.Shared, p.Report)
}

// trendCharts are the charts of trends.
func trendCharts(trends []compare.Trend) (out []html.TrendChart) {
	for i := range trends {
		t := &trends[i]
		chart := html.TrendChart{Title: t.Where(), Say: t.Say, Levels: t.Levels}
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
