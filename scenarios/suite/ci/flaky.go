package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// flakyList is the file of the tests that fail beside other tests.
const flakyList = ".ci/flaky"

// mostFlaky is how many tests the list may hold.
const mostFlaky = 10

// A flakyTest is a line of the list: a date, a package, a test and the reason, with spaces between them.
type flakyTest struct {
	since  time.Time // the day on which the test came onto the list
	test   string    // the package, a space, the test
	reason string
}

// parseFlaky reads the lines of the list.
func parseFlaky(text string) (out []flakyTest, err error) {
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 4)
		if len(f) < 4 {
			return nil, fmt.Errorf("%s: %q: want a date, a package, a test and the reason", flakyList, strings.TrimSpace(line))
		}
		since, err := time.Parse(time.DateOnly, f[0])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flakyList, err)
		}
		out = append(out, flakyTest{since, f[1] + " " + f[2], f[3]})
	}
	if len(out) > mostFlaky {
		return nil, fmt.Errorf("%s lists %d tests, and %d may be: mend the cause of one", flakyList, len(out), mostFlaky)
	}
	return out, nil
}

// unlisted compares the list with the tests that declare suite.Flaky, and returns an error that names the differences.
func unlisted(list []flakyTest, m []pkg) error {
	var declared, listed []string
	for _, p := range m {
		for _, t := range p.tests {
			if t.says("Flaky") {
				declared = append(declared, t.pkg+" "+t.name)
			}
		}
	}
	var mistakes []error
	for _, f := range list {
		listed = append(listed, f.test)
		if !slices.Contains(declared, f.test) {
			mistakes = append(mistakes, fmt.Errorf("%s lists %s, which does not declare suite.Flaky", flakyList, f.test))
		}
	}
	for _, t := range declared {
		if !slices.Contains(listed, t) {
			mistakes = append(mistakes, fmt.Errorf("%s declares suite.Flaky, and %s does not list it", t, flakyList))
		}
	}
	return errors.Join(mistakes...)
}

// flaky runs each test of the list alone, and prints how long it has been there.
func (r *runner) flaky(ctx context.Context, s suite, p part) error {
	text, err := os.ReadFile(flakyList)
	if err != nil {
		return err
	}
	list, err := parseFlaky(string(text))
	if err != nil {
		return err
	}
	var failed []error
	for _, f := range list {
		fmt.Printf("%s, listed for %d days: %s\n", f.test, int(time.Since(f.since).Hours()/24), f.reason)
		path, name, _ := strings.Cut(f.test, " ")
		failed = append(failed, loud(ctx, []string{"BRUNT_FULL=1", "BRUNT_FLAKY=1"},
			"go", "test", "-count=1", r.timeout(), "-run", names([]test{{name: name}}), path))
	}
	return errors.Join(failed...)
}
