package terminal

import (
	"fmt"
	"io"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// Answers prints the failed answers of a smoke run: one answer for each kind of error, as complete as it was kept.
func Answers(w io.Writer, res *result.Result) {
	for i := range res.Errors {
		g := &res.Errors[i]
		if g.Sample == nil {
			continue
		}
		s := g.Sample
		why := words.Clean(g.Kind)
		if s.Message != "" {
			why += ", " + words.Clean(s.Message)
		}
		fmt.Fprintf(w, "\n%s, %s: %s\n", words.Clean(g.Step), words.Clean(s.Request), why)
		for line := range strings.Lines(s.Body) {
			fmt.Fprintln(w, "  | "+words.Clean(strings.TrimRight(line, "\r\n")))
		}
		for line := range strings.Lines(s.Curl) {
			fmt.Fprintln(w, "  "+words.Clean(strings.TrimRight(line, "\r\n")))
		}
	}
}
