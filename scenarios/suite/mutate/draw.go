package main

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// groups are the packages that decide. The tests of all packages of a group are run against its mutants.
var groups = [][]string{
	{"./scenarios/judge/..."},
	{"./scenarios/measure/..."},
	{"./scenarios/load/..."},
	{"./chaos/proxy/..."},
	{"./chaos/journal/..."},
	{"./scenarios/secret/..."},
	{"./scenarios/allow/..."},
	{"./chaos/protect/..."},
}

// A group is packages with their mutants, in the order in which they are drawn.
type group struct {
	mutants []mutant
	tests   map[string][]string // by package: the packages with tests that reach it, its own first
}

// readGroup lists the mutants of packages, those that only may has, and the tests of all of them. Kits for tests have
// no mutants.
func readGroup(ctx context.Context, patterns []string, may func(pkg string) bool) (*group, error) {
	lines, err := goList(ctx, "{{.ImportPath}}\t{{.Dir}}\t{{join .GoFiles \" \"}}", patterns)
	if err != nil {
		return nil, err
	}
	g := &group{tests: map[string][]string{}}
	for _, line := range lines {
		part := strings.Split(line, "\t")
		if line == "" || strings.HasSuffix(part[0], "test") || may != nil && !may(part[0]) {
			continue
		}
		g.tests[part[0]] = nil
		for name := range strings.FieldsSeq(part[2]) {
			file := filepath.Join(part[1], name)
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			some, err := mutants(part[0], file, text)
			if err != nil {
				return nil, err
			}
			g.mutants = append(g.mutants, some...)
		}
	}
	// With -test, the program of a package's tests is listed as PACKAGE.test.
	lines, err = goList(ctx, "{{.ImportPath}}\t{{join .Deps \"\\t\"}}", append([]string{"-test"}, patterns...))
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		deps := strings.Split(line, "\t")
		tested, ok := strings.CutSuffix(deps[0], ".test")
		if !ok {
			continue
		}
		for pkg, tests := range g.tests {
			reached := func(dep string) bool { return dep == pkg || strings.HasPrefix(dep, pkg+" [") }
			switch {
			case tested == pkg:
				g.tests[pkg] = slices.Insert(tests, 0, tested)
			case slices.ContainsFunc(deps[1:], reached):
				g.tests[pkg] = append(tests, tested)
			}
		}
	}
	return g, nil
}

// goList returns the lines that go list prints. Flags may stand before the patterns.
func goList(ctx context.Context, format string, patterns []string) ([]string, error) {
	c := exec.CommandContext(ctx, "go", append([]string{"list", "-f", format}, patterns...)...)
	c.Stderr = os.Stderr
	text, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", strings.Join(patterns, " "), err)
	}
	return strings.Split(string(bytes.TrimRight(text, "\n")), "\n"), nil
}

// shuffle puts mutants into the order in which a seed draws them, and leaves those of part k of n. The order depends
// on the mutants' own names, so that it is the same for the same source.
func shuffle(all []mutant, seed uint64, k, n int) []mutant {
	all = slices.Clone(all)
	name := fnv.New64a()
	for _, m := range all {
		_, _ = name.Write([]byte(m.String()))
	}
	r := rand.New(rand.NewPCG(seed, name.Sum64()))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var out []mutant
	for i := k - 1; i < len(all); i += n {
		out = append(out, all[i])
	}
	return out
}

// changed returns a function that reports whether a package has changed files since a commit, tests included.
func changed(ctx context.Context, since string) (func(pkg string) bool, error) {
	c := exec.CommandContext(ctx, "git", "diff", "--name-only", since, "HEAD", "--", "*.go")
	c.Stderr = os.Stderr
	text, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("git diff %s: %w", since, err)
	}
	dirs := map[string]bool{}
	for file := range strings.Lines(string(text)) {
		dirs[filepath.ToSlash(filepath.Dir(strings.TrimSpace(file)))] = true
	}
	return func(pkg string) bool {
		_, dir, _ := strings.Cut(pkg, "/")
		return dirs[dir]
	}, nil
}
