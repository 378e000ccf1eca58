package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// skipped runs the tests and subtests that the fresh machine skipped. A file lists them in lines: a package, a space, a
// test. They run as in CI, so a test fails here if Docker, root or a program is missing. Packages that put load on the
// machine are left to the long suites: they take turns by themselves, and -run would include their long tests.
func skipped(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return usage("usage: ci skipped FILE")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	m, err := read(ctx)
	if err != nil {
		return err
	}
	r := newRunner(m)
	quiet, loud := split(m, string(text))
	for _, g := range []struct {
		tests []test
		flags []string
	}{{quiet, nil}, {loud, []string{"-short"}}} {
		flags := append([]string{"-vet=off", "-timeout=20m"}, g.flags...)
		whole, parts := levels(g.tests)
		for _, tests := range [][]test{whole, parts} {
			if len(tests) == 0 {
				continue
			}
			var packages []string
			for _, t := range tests {
				packages = append(packages, t.pkg)
			}
			slices.Sort(packages)
			if err := r.again(ctx, nil, slices.Compact(packages), append(flags, "-run", pattern(tests))...); err != nil {
				return err
			}
		}
	}
	return nil
}

// levels returns the tests, and the subtests of other tests.
func levels(tests []test) (whole, parts []test) {
	named := map[string]bool{}
	for _, t := range tests {
		if !strings.Contains(t.name, "/") {
			whole = append(whole, t)
			named[t.pkg+" "+t.name] = true
		}
	}
	for _, t := range tests {
		if of, _, part := strings.Cut(t.name, "/"); part && !named[t.pkg+" "+of] {
			parts = append(parts, t)
		}
	}
	return whole, parts
}

// pattern returns what -run takes for tests, or for subtests: each name of a test before each name of a subtest.
func pattern(tests []test) string {
	var out []string
	for i := range strings.Count(tests[0].name, "/") + 1 {
		var level []string
		for _, t := range tests {
			level = append(level, regexp.QuoteMeta(strings.Split(t.name, "/")[i]))
		}
		slices.Sort(level)
		out = append(out, anyOf(slices.Compact(level)))
	}
	return strings.Join(out, "/")
}

// split returns the tests that lines name: those of packages that put no load on the machine, and the others.
func split(m []pkg, lines string) (quiet, loud []test) {
	for line := range strings.Lines(lines) {
		p, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if !ok {
			continue
		}
		t := test{pkg: p, name: name}
		if slices.ContainsFunc(m, func(x pkg) bool { return x.path == p && x.loading }) {
			loud = append(loud, t)
		} else {
			quiet = append(quiet, t)
		}
	}
	return quiet, loud
}

// landing are the suites from which .ci/run plays parts. The suites drills, safety and gate are only in .ci/full,
// because their parts take half an hour and longer, and so is clients, which builds Jaeger.
var landing = []string{"kill", "docker", "examples", "load", "drill-library", "fuzz", "k6", "vm"}

// landingParts is how many parts .ci/run divides a suite into.
const landingParts = 6

// least is how much time must be left to begin a part.
const least = time.Minute

// reach runs parts of the long suites until BUDGET is up. It takes each suite with a package that the change since a
// commit reaches, and one other suite. Each commit begins with another part. .ci/full runs the rest.
func reach(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return usage("usage: ci reach BASE")
	}
	m, err := read(ctx)
	if err != nil {
		return err
	}
	changed, err := changedSince(ctx, args[0])
	if err != nil {
		return err
	}
	var reached, others []suite
	for _, name := range landing {
		s, err := find(name)
		if err != nil {
			return err
		}
		// go list prints what it can, and fails for a package of another module.
		deps, _ := output(ctx, append([]string{"go", "list", "-e", "-deps", "-test"}, s.reaches(m)...)...)
		if reaches(deps, changed) {
			reached = append(reached, s)
		} else {
			others = append(others, s)
		}
	}
	if err := os.Setenv("TIMES", "1"); err != nil {
		return err
	}
	budget := 1600
	if n, err := strconv.Atoi(os.Getenv("BUDGET")); err == nil {
		budget = n
	}
	end := began().Add(time.Duration(budget) * time.Second)
	number, _ := strconv.Atoi(os.Getenv("BRUNT_TURN"))
	r := newRunner(m)
	var late []string
	for _, turn := range turns(reached, others, number) {
		left := time.Until(end)
		where := fmt.Sprintf("%s:%s", turn.suite.name, turn.part)
		if left < least {
			late = append(late, where)
			continue
		}
		err := r.within(ctx, left, turn.suite, turn.part)
		if e := (ended{}); errors.As(err, &e) && e.code == codeLate && ctx.Err() == nil {
			late = append(late, where)
			err = sweep(ctx)
		} else if err == nil {
			err = leftBehind(ctx) // after each part, so that the error names the suite that left something
		}
		if err != nil {
			return err
		}
	}
	if len(late) > 0 {
		fmt.Println("left to .ci/full, as the time is up:", strings.Join(late, " "))
	}
	return nil
}

// raced runs packages with the race detector: those that the change since a commit touches, and a part of the others.
// With --compile it only compiles them.
func raced(ctx context.Context, args []string) error {
	compile := len(args) == 3 && args[2] == "--compile"
	if len(args) != 2 && !compile {
		return usage("usage: ci raced BASE k/n [--compile]")
	}
	p, _, err := parsePart([]string{"--part", args[1]})
	if err != nil {
		return err
	}
	m, err := read(ctx)
	if err != nil {
		return err
	}
	changed, err := changedSince(ctx, args[0])
	if err != nil {
		return err
	}
	r := newRunner(m)
	packages := r.everyNth(p)
	for _, x := range m {
		if slices.Contains(changed, x.path) && !slices.Contains(packages, x.path) {
			packages = append(packages, x.path)
		}
	}
	if compile {
		return raceCompile(ctx, packages)
	}
	return r.raced(ctx, packages)
}

// A turn is a part of a suite that .ci/run plays.
type turn struct {
	suite suite
	part  part
}

// turns returns the parts in their order. One of the suites that the change does not reach contributes one part.
func turns(reached, others []suite, number int) (out []turn) {
	for i := range landingParts {
		p := part{(number+i)%landingParts + 1, landingParts}
		for _, s := range reached {
			out = append(out, turn{s, p})
		}
		if i == 0 && len(others) > 0 {
			out = append(out, turn{others[number%len(others)], p})
		}
	}
	return out
}

var (
	sources = regexp.MustCompile(`\.(go|html|css|js|yaml|json|txtar|c|s)$`)
	data    = regexp.MustCompile(`/(library|sweep|testdata)(/.*)?$`)
)

// changedSince returns the packages of files that have changed since a commit.
func changedSince(ctx context.Context, commit string) ([]string, error) {
	files, err := output(ctx, "git", "diff", "--name-only", commit, "HEAD")
	return changedPackages(files), err
}

// changedPackages returns the packages of changed files. The data of a package is in folders below it.
func changedPackages(files []string) (out []string) {
	for _, f := range files {
		if sources.MatchString(f) {
			out = append(out, "brunt/"+data.ReplaceAllString(path.Dir(f), ""))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// reaches reports whether the output of go list -deps -test contains one of the packages.
func reaches(deps, packages []string) bool {
	return slices.ContainsFunc(deps, func(d string) bool {
		d, _, _ = strings.Cut(d, " ") // pkg [pkg.test]
		d = strings.TrimSuffix(strings.TrimSuffix(d, "_test"), ".test")
		return slices.Contains(packages, d)
	})
}

// output returns the lines that a command prints.
func output(ctx context.Context, argv ...string) ([]string, error) {
	text, err := exec.CommandContext(ctx, argv[0], argv[1:]...).Output()
	if err != nil {
		err = fmt.Errorf("%s: %w", argv[0], err)
	}
	return strings.Split(string(bytes.TrimSpace(text)), "\n"), err
}
