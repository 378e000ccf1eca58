package catalog_test

import (
	"fmt"
	"io"

	"brunt/reporters"
	"brunt/scenarios/result"
)

// plainLine is the reporter of TestList_NewReporter, with the least that a reporter needs.
type plainLine struct{}

func (plainLine) Format() reporters.Format {
	return reporters.Format{Name: "plain", File: "verdict.txt", About: "The verdict and its reason on one line."}
}

func (plainLine) Report(w io.Writer, r *result.Result) error {
	_, err := fmt.Fprintf(w, "%s: %s\n", r.Verdict, r.Reason)
	return err
}
