package main

import (
	"fmt"
	"path/filepath"

	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/drills"

	"github.com/spf13/cobra"
)

func drillMatrixCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "matrix DIR…",
		Short: "Write a page of what runs tried on which part of a system, of drills or not",
		Long: `Write a page of what runs tried on which part of a system: a row for each unit and link, a
column for each effect of a fault, such as dies, hangs or slow. DIR is the folder of a run's
report. A cell counts as tried only if the fault was verified at its target and affected
traffic. Of several runs the newest counts.`,
		Example: `  brunt drill matrix brunt-results/* -o matrix.html`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			found, err := readRuns(args)
			if err != nil {
				return err
			}
			page := html.MatrixPage{Summary: fmt.Sprintf("%s of it.", scenarios.Amount(len(found), "run"))}
			var runs []drills.Tried
			for _, r := range found {
				page.Name = r.Result.Name
				link, err := filepath.Rel(filepath.Dir(out), filepath.Join(r.Name, html.File))
				if err != nil {
					link = ""
				}
				runs = append(runs, drills.Tried{Name: r.Result.Name, Link: filepath.ToSlash(link), Result: r.Result})
			}
			fillMatrix(&page, drills.NewMatrix(runs))
			if err := writeWhole(out, disk.Shared, page.Report); err != nil {
				return err
			}
			fmt.Fprintf(stdout(c), "wrote %s\n", out)
			return nil
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "matrix.html", "the file of the page")
	return c
}

// fillMatrix adds the rows of a matrix to its page.
func fillMatrix(page *html.MatrixPage, m *drills.Matrix) {
	page.Effects = m.Effects
	for _, part := range m.Parts {
		row := html.MatrixRow{Part: part}
		for _, effect := range m.Effects {
			cell, tried := m.Cells[[2]string{part, effect}]
			if !tried {
				row.Cells = append(row.Cells, html.MatrixCell{Why: "never tried"})
				continue
			}
			text := words.Mark(cell.Verdict)
			if cell.Verdict == scenarios.None {
				text = "–"
			}
			row.Cells = append(row.Cells, html.MatrixCell{Text: text, Tone: words.Tone(cell.Verdict), Why: cell.Why, Link: cell.Link})
		}
		page.Rows = append(page.Rows, row)
	}
}
