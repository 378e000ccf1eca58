package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// again runs tests by gotestsum. A test that fails is run again, alone, at most twice, which distinguishes a broken
// test from a flaky one. It lists the flaky tests by name, and fails if there are more than [allowed].
func (r *runner) again(ctx context.Context, env, packages []string, flags ...string) error {
	program := filepath.Join(r.work, "gotestsum")
	if _, err := os.Stat(program); err != nil {
		err := loud(ctx, nil, "go", "build", "-modfile=.ci/tools.mod", "-o", program, "gotest.tools/gotestsum")
		if err != nil {
			return err
		}
	}
	report, err := os.CreateTemp(r.work, "again")
	if err != nil {
		return err
	}
	_ = report.Close()
	stalls, before, taken := filepath.Join(r.work, "stalls"), 0, stolen()
	if s, err := readStalls(stalls); err == nil {
		before = len(s)
	}
	failed := loud(ctx, env, append([]string{
		program, "--format", "pkgname-and-test-fails",
		"--rerun-fails=2", "--rerun-fails-max-failures=20",
		"--rerun-fails-abort-on-data-race", "--rerun-fails-report", report.Name(),
		"--packages", strings.Join(packages, " "), "--",
	}, flags...)...)
	if failed != nil && ctx.Err() != nil {
		return failed
	}
	stops, err := readStalls(stalls)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	stops = stops[min(before, len(stops)):]
	sum := 0
	for _, us := range stops {
		sum += us
	}
	fmt.Printf("the machine stood still %d times, for %d ms in all; others took %d s of processor time from it\n",
		len(stops), sum/1000, (stolen()-taken)/100)
	text, err := os.ReadFile(report.Name())
	if err != nil {
		return err
	}
	fmt.Print(string(text))
	if err := judgeFlaky(string(text), allowed(os.Getenv("FLAKES"), len(stops))); err != nil {
		return err
	}
	return failed
}

// allowed returns how many tests may be flaky: two unless FLAKES says more, and one more for each time that the
// machine stood still, because a stall delays every test. It is at most 12.
func allowed(flakes string, stops int) int {
	n, err := strconv.Atoi(flakes)
	if err != nil {
		n = 2
	}
	return min(n+stops, 12)
}

// judgeFlaky names the flaky tests of a report on stderr, and fails if more than may are.
func judgeFlaky(report string, may int) error {
	found := flakyIn(report)
	if len(found) > 0 {
		fmt.Fprintf(os.Stderr, "flaky tests, which failed once and passed alone:\n%s\nMend the cause of each.\n",
			strings.Join(found, "\n"))
	}
	if len(found) > may {
		return ended{codeFailed, fmt.Sprintf("%d tests are flaky, and %d may be", len(found), may)}
	}
	return nil
}

var rerun = regexp.MustCompile(`^([^ ]+)\.(Test[^ :]*): ([0-9]+) runs?, ([0-9]+) failures?$`)

// flakyIn returns the tests of a report of gotestsum that failed and later passed: the package, a space, the test. A
// test whose subtest is listed is not listed too.
func flakyIn(report string) (out []string) {
	for line := range strings.Lines(report) {
		f := rerun.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if f == nil {
			continue
		}
		runs, _ := strconv.Atoi(f[3])
		failures, _ := strconv.Atoi(f[4])
		if runs > failures {
			out = append(out, f[1]+" "+f[2])
		}
	}
	all := slices.Clone(out)
	return slices.DeleteFunc(out, func(t string) bool {
		return slices.ContainsFunc(all, func(part string) bool { return strings.HasPrefix(part, t+"/") })
	})
}

// readStalls reads the file of .ci/stalls: how long the machine stood still each time, in microseconds.
func readStalls(file string) (out []int, err error) {
	text, err := os.ReadFile(file)
	for f := range strings.FieldsSeq(string(text)) {
		if us, err := strconv.Atoi(f); err == nil {
			out = append(out, us)
		}
	}
	return out, err
}

// stolen returns for how many hundredths of a second the processors of this machine ran something else, according to
// the kernel.
func stolen() int {
	text, _ := os.ReadFile("/proc/stat")
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 8 && f[0] == "cpu" {
			n, _ := strconv.Atoi(f[8])
			return n
		}
	}
	return 0
}
