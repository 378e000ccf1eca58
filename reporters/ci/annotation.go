package ci

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// mostAnnotations is the number of annotations of a level that GitHub shows for a step.
const mostAnnotations = 10

// Annotate writes the failed objectives of a run as workflow commands of GitHub Actions, which shows them at the
// job and at the pull request. A run whose exit code is 0 has none.
func Annotate(w io.Writer, r *result.Result) error {
	if r.ExitCode == scenarios.ExitPass {
		return nil
	}
	all := []string{words.AnswerOf(r).Line()}
	for i := range r.Objectives {
		if o := &r.Objectives[i]; o.Verdict == scenarios.Fail {
			all = append(all, strings.TrimSuffix(o.Text+": "+words.ObjectiveMeasured(o), ": "))
		}
	}
	for _, text := range all[:min(len(all), mostAnnotations)] {
		if err := annotate(w, "error", place{}, r.Name, text); err != nil {
			return err
		}
	}
	return nil
}

// AnnotateDecision writes the outcome of a gate or a comparison as a workflow command of GitHub Actions. One that
// decides nothing is a warning, and a pass has no annotation.
func AnnotateDecision(w io.Writer, d *result.Decision) error {
	switch {
	case d.ExitCode != scenarios.ExitPass:
		return annotate(w, "error", place{}, d.Name, d.Word+": "+words.DecisionSentence(d, d.Reason))
	case d.Verdict == scenarios.Inconclusive:
		return annotate(w, "warning", place{}, d.Name, d.Word+": "+words.DecisionSentence(d, d.Reason))
	}
	return nil
}

// A place is a place in a file; the zero value names no place.
type place struct {
	File         string
	Line, Column int // from 1; 0 stands for the file as a whole
}

// annotate writes a workflow command, escaped as GitHub's runner reads it.
func annotate(w io.Writer, level string, at place, title, text string) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	where := ""
	if at.File != "" {
		where = "file=" + property.Replace(words.Clean(filepath.ToSlash(at.File))) + ","
	}
	if at.Line > 0 {
		where += fmt.Sprintf("line=%d,col=%d,", at.Line, at.Column)
	}
	title = strings.TrimSuffix("brunt: "+words.Clean(title), ": ")
	_, err := fmt.Fprintf(w, "::%s %stitle=%s::%s\n", level, where, property.Replace(title),
		data.Replace(words.Clean(text)))
	return err
}
