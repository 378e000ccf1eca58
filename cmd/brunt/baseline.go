package main

import (
	"fmt"
	"io"

	"brunt/scenarios/decide/compare"
	"brunt/scenarios/result"

	"github.com/spf13/cobra"
)

// baselineFlags names the earlier runs to compare with.
type baselineFlags struct{ dirs []string }

func (f *baselineFlags) register(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.dirs, "baseline", nil,
		"folders of earlier runs of the scenario, shown beside this one; they do not change its verdict")
}

// beside adds the comparison with the baseline to the result. If the comparison fails, the result gets a note with
// the reason, and the run continues.
func beside(w io.Writer, res *result.Result, base []compare.Run) {
	if len(base) == 0 {
		return
	}
	c, err := comparison(base, res)
	if err != nil {
		text := fmt.Sprintf("there is no comparison with the baseline: %v", err)
		res.Notes = append(res.Notes, text)
		fmt.Fprintln(w, "brunt: "+text)
		return
	}
	res.Comparison = c
}

// comparison compares a run with earlier ones. The charts show the last of these beside the run.
func comparison(base []compare.Run, res *result.Result) (*result.Comparison, error) {
	c, err := compare.Beside(base, compare.Run{Name: res.Run, Result: res}, compare.Options{})
	if err != nil {
		return nil, err
	}
	last := base[len(base)-1]
	c.Drawn = last.Name
	for _, w := range last.Result.Windows {
		if w.Load == "*" && w.Step == "*" {
			w.Hist = 0 // the histograms are in the folder of that run
			c.Windows = append(c.Windows, w)
		}
	}
	return c, nil
}
