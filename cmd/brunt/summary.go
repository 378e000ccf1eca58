package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"brunt/reporters/ci"
	"brunt/scenarios/result"
)

// mostStepSummary is GitHub's size limit of a step summary, in bytes. GitHub does not show a longer one at all.
const mostStepSummary = 1 << 20

// stepSummary returns the file for the step summary of GitHub Actions; empty outside of such a step.
func stepSummary() string { return os.Getenv("GITHUB_STEP_SUMMARY") }

// inActions reports whether brunt runs in a step of GitHub Actions, which reads workflow commands from its output.
func inActions() bool { return os.Getenv("GITHUB_ACTIONS") == "true" }

// appendSummary appends the output of write to a Markdown file. It omits output that would exceed the limit of a step
// summary, and then prints a message to w.
func appendSummary(w io.Writer, path string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && path == stepSummary() && info.Size()+int64(b.Len()) > mostStepSummary {
		fmt.Fprintln(w, "brunt: the summary of this step is full; GitHub shows 1 MiB")
		return nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("the summary: %w", err)
	}
	_, err = file.Write(b.Bytes())
	return errors.Join(err, file.Close())
}

// summarize adds a run to the step summary of GitHub Actions, if there is one, and annotates the job with what failed.
// If that fails, it prints a warning, and the verdict is not affected.
func summarize(w io.Writer, res *result.Result) {
	if inActions() {
		if err := ci.Annotate(w, res); err != nil {
			fmt.Fprintf(w, "brunt: %v\n", err)
		}
	}
	path := stepSummary()
	if path == "" {
		return
	}
	if err := appendSummary(w, path, func(to io.Writer) error { return ci.GitHub{}.Report(to, res) }); err != nil {
		fmt.Fprintf(w, "brunt: %v\n", err)
	}
}
