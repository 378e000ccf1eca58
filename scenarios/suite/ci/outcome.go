package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// An event is a line of test2json.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

// outcome reads the output of `go test -json`, and prints the packages and the output of tests that failed. It writes
// the tests and subtests that were skipped to the file SKIPPED, and the tests that failed to FAILED, a line each: the
// package, a space, the test. If a package failed without a failed test, a dot stands for the test. Tests that took
// over 10 s are printed too.
func outcome(events io.Reader, w io.Writer, args []string) error {
	if len(args) != 2 {
		return usage("usage: go test -json ./... | ci outcome SKIPPED FAILED")
	}
	skipped, failed := list{tests: map[string]bool{}}, list{tests: map[string]bool{}}
	output, broken := map[string]*strings.Builder{}, map[string]bool{}
	in := bufio.NewScanner(events)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var e event
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			fmt.Fprintln(w, in.Text())
			continue
		}
		of := e.Package + " " + e.Test
		switch e.Action {
		case "output":
			if output[of] == nil {
				output[of] = new(strings.Builder)
			}
			output[of].WriteString(e.Output)
		case "build-output":
			fmt.Fprint(w, e.Output)
		case "fail":
			if text := output[of]; text != nil {
				fmt.Fprint(w, text)
			}
			if e.Test != "" {
				failed.add(e.Package, upTo(e.Test, 1))
				broken[e.Package] = true
				continue
			}
			fmt.Fprintf(w, "FAIL %s %.1fs\n", e.Package, e.Elapsed)
			if !broken[e.Package] {
				failed.add(e.Package, ".")
			}
		case "pass":
			switch {
			case e.Test == "":
				fmt.Fprintf(w, "ok   %s %.1fs\n", e.Package, e.Elapsed)
			case e.Elapsed > longTest && !strings.Contains(e.Test, "/"):
				fmt.Fprintf(w, "long %s %s %.1fs\n", e.Package, e.Test, e.Elapsed)
			}
		case "skip":
			if e.Test != "" {
				skipped.add(e.Package, upTo(e.Test, 2))
			}
		}
	}
	if err := in.Err(); err != nil {
		return err
	}
	for i, l := range []list{skipped, failed} {
		if err := os.WriteFile(args[i], []byte(strings.Join(l.lines, "")), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// longTest is how many seconds a test of each change may take, on a machine that does nothing else.
const longTest = 10

// A list holds tests in the order in which they were first added.
type list struct {
	tests map[string]bool
	lines []string
}

func (l *list) add(pkg, test string) {
	if line := pkg + " " + test + "\n"; !l.tests[line] {
		l.tests[line] = true
		l.lines = append(l.lines, line)
	}
}

// upTo returns the first levels of a test's name: a subtest is a level below its test.
func upTo(test string, levels int) string {
	parts := strings.Split(test, "/")
	return strings.Join(parts[:min(levels, len(parts))], "/")
}
