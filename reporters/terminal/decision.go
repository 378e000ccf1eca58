package terminal

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// Decision writes the outcome of a gate or a comparison: the verdict, a table, and sentences. With statistics it also
// explains how the verdict was reached.
func Decision(w io.Writer, d *result.Decision, statistics bool) error {
	out := &strings.Builder{}
	if d.Kind == "gate" {
		out.WriteString("\nGATE ")
	}
	fmt.Fprintf(out, "%s: %s\n", words.Clean(d.Word), words.Clean(d.Reason))
	if len(d.Metrics) > 0 {
		fmt.Fprintln(out)
		t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "\tmetric\tbefore\tnow\tchange\tat best\tat worst\tmargin\tsees from\t")
		for i := range d.Metrics {
			m := &d.Metrics[i]
			mark := map[scenarios.Verdict]string{
				scenarios.Pass: "ok", scenarios.Fail: "FAIL", scenarios.Inconclusive: "?", scenarios.None: "left out",
			}[m.Verdict]
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", mark, words.Clean(m.Name), m.Base, m.Now, m.Change, m.Low,
				m.High, m.Margin, m.Sees,
				words.Clean(m.Note))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	for _, s := range d.Says {
		fmt.Fprintf(out, "- %s\n", words.Clean(s))
	}
	if d.Basis != "" {
		fmt.Fprintf(out, "%s\n", words.Capitalize(words.Clean(d.Basis)))
	}
	if statistics {
		for _, s := range d.Statistics {
			fmt.Fprintf(out, "  %s\n", words.Clean(s))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}
