package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A suite is a set of tests with the way to run them.
type suite struct {
	name  string
	about func() string
	// parts is how many parts the plan shows: as many as .ci/run makes, or enough for each to fit into an hour.
	parts int
	// takes says how long the suite takes, if that is known and its tests do not declare it.
	takes string
	// picks reports whether a test belongs to the suite.
	picks func(p pkg, t test) bool
	// fuzz: the suite consists of fuzzers. whole: its parts consist of packages instead of tests. single: it has one
	// part.
	fuzz, whole, single bool
	// reach are packages that the suite runs in addition to those of its tests.
	reach []string
	// run runs a part; nil is [runner.tests].
	run func(r *runner, ctx context.Context, s suite, p part) error
	// more lists what a part runs in addition to tests of packages.
	more func(p part) []string
	// demand: the suite is run only if it is named. byTurn: `all` runs one of its parts, another one for each commit.
	demand, byTurn bool
}

// elsewhere are the suites whose tests the suite load leaves out.
var elsewhere = []string{"kill", "docker", "examples", "drills", "gate", "kube", "clients", "flaky"}

// home returns the suites that a test names, or else those that follow from its package and its needs.
func home(p pkg, t test) (out []string) {
	if t.says("Flaky") {
		return []string{"flaky"}
	}
	for _, n := range t.needs {
		if n.name == "In" {
			out = append(out, n.text)
		}
	}
	switch {
	case len(out) > 0:
	case p.loading && t.says("Docker"):
		out = []string{"docker"}
	case p.loading:
		out = []string{"load"}
	}
	return out
}

// inHome returns a function that picks the tests whose home is a suite.
func inHome(name string) func(p pkg, t test) bool {
	return func(p pkg, t test) bool { return slices.Contains(home(p, t), name) }
}

func all(pkg, test) bool { return true }

func text(s string) func() string { return func() string { return s } }

// suites returns the suites of .ci/full, in its order.
func suites() []suite {
	return []suite{
		{
			name: "unit", about: text("every package that puts no load on the machine"), parts: 6,
			picks: func(p pkg, t test) bool { return !p.loading && !t.in("drill-library") && !t.says("Flaky") },
		},
		{
			name: "load", about: text("runs, faults and commands, without the suites below"), parts: 6,
			picks: func(p pkg, t test) bool {
				away := func(s string) bool { return slices.Contains(elsewhere, s) }
				return p.loading && !slices.ContainsFunc(home(p, t), away)
			},
		},
		{
			name: "kill", about: text("brunt killed at every point, with everything taken back"), parts: 6,
			picks: inHome("kill"),
		},
		{
			name: "safety", parts: 4, takes: "2000 programs take 1.4 to 2.8 hours",
			picks: inHome("safety"), run: (*runner).safety,
			about: func() string {
				return fmt.Sprintf("%d random programs of faults and kills, with the machine as before", programs())
			},
			more: func(p part) []string {
				from, to := share(p, programs())
				return []string{fmt.Sprintf("BRUNT_PROGRAMS=%d-%d", from, to)}
			},
		},
		{name: "docker", about: text("brunts and targets in containers"), parts: 6, picks: inHome("docker")},
		{name: "examples", about: text("every example, on processes and on Docker"), parts: 6, picks: inHome("examples")},
		{
			name: "rounds", parts: 16, byTurn: true, takes: "a part takes about half an hour; all runs one by turn",
			about: text("every example 10 times on a quiet machine and 5 times beside two processes that spin"),
			run:   (*runner).rounds,
			more: func(p part) []string {
				return []string{fmt.Sprintf("brunt/cmd/brunt TestExample, every example of %s, with a table of verdicts", p)}
			},
		},
		{
			name: "drills", about: text("real systems that fail, beside an independent prober"), parts: 5,
			picks: inHome("drills"), takes: "a part takes half an hour",
		},
		{
			name: "drill-library", parts: 6, takes: "TestTwins takes 10 minutes",
			picks: inHome("drill-library"), run: (*runner).library,
			reach: []string{"brunt/scenarios/drills", "brunt/cmd/brunt"},
			about: func() string {
				return fmt.Sprintf("the drills of `brunt drill`, each %s times on the good system and without a defence, "+
					"and 20 times in virtual time", times())
			},
			more: func(p part) []string {
				out := []string{"brunt drill prove, every n-th of `brunt drill list --names`, " + times() + " times"}
				if p.last() {
					out = append(out, "brunt/cmd/brunt TestScripts/drill*")
				}
				return out
			},
		},
		{
			name: "gate", about: text("gates of a server that does not change, and of one that is slower"), parts: 1,
			picks: inHome("gate"),
		},
		{
			name: "race", about: text("all tests, short, with the race detector"), parts: 2, picks: all, whole: true,
			run: (*runner).race,
		},
		{
			name: "fuzz", parts: 6, fuzz: true, whole: true, run: (*runner).fuzz,
			about: func() string { return "every fuzzer, for " + inputs() + " inputs" },
		},
		{
			name: "codecs", parts: 6, fuzz: true, demand: true, run: (*runner).codecs, takes: "a part takes its whole time",
			about: text("the fuzzers of all clients by time: of part k/n, an equal share of an hour on two cores; on demand"),
			picks: func(p pkg, _ test) bool { return strings.HasPrefix(p.path, "brunt/targets/") },
		},
		{
			name: "mutate", parts: 2, run: (*runner).mutate, takes: "100 mutants take about half an hour",
			about: text("mutants of the packages that decide; those that no test kills are listed, and fail nothing"),
			more:  func(p part) []string { return []string{".ci/mutate --part " + p.String()} },
		},
		{
			name: "k6", about: text("brunt-k6 and its tests"), parts: 1, single: true, run: (*runner).k6,
			picks: func(p pkg, _ test) bool { return p.path == "brunt/scenarios/k6" }, reach: []string{"brunt/cmd/brunt-k6"},
			more: func(part) []string { return []string{"go test -C cmd/brunt-k6 ./..."} },
		},
		{
			name: "flaky", about: text("the tests that .ci/flaky lists, each alone"), parts: 1, single: true,
			picks: inHome("flaky"), run: (*runner).flaky,
		},
		{
			name: "vm", about: text("packets, on the kernel of Debian in a virtual machine"), parts: 1, single: true,
			picks: func(_ pkg, t test) bool { return t.says("VM") && !t.says("Flaky") }, run: (*runner).vm,
		},
		{
			name: "kube", parts: 1, single: true,
			about: text("a real Kubernetes of one node, built from source: half an hour the first time"),
			picks: func(_ pkg, t test) bool { return t.says("Kubernetes") }, run: (*runner).kube,
		},
		{
			name: "clients", about: text("programs that read what brunt writes, or start it: Jaeger, pre-commit"), parts: 1,
			picks: inHome("clients"), takes: "building Jaeger takes 2 minutes the first time",
		},
		{
			name: "release", about: text("a release made twice, the same to the byte, and installed on bare roots"), parts: 1,
			single: true, reach: []string{"brunt/cmd/brunt"}, run: (*runner).release,
			more: func(part) []string { return []string{"go test -C .ci/pack -run TestRelease"} },
		},
		{
			name: "bench", about: text("measurements beside other generators; on demand"), parts: 1, single: true, demand: true,
			reach: []string{"brunt/cmd/brunt"}, run: (*runner).bench, more: func(part) []string { return []string{".ci/bench"} },
		},
		{
			name: "figures", about: text("what the documents say of Kubernetes, measured; on demand"), parts: 1, single: true,
			demand: true, picks: func(_ pkg, t test) bool { return t.in("figures") }, run: (*runner).figures,
		},
		{
			name: "simulation", parts: 1, single: true, demand: true,
			picks: func(_ pkg, t test) bool { return t.in("simulation") },
			about: text("simulations: .ci/run plays other cells for each commit, and the suite unit plays all"),
			run:   (*runner).simulation,
		},
	}
}

// inAll returns the part of the suite that a part p of `all` runs. Number is the turn.
func (s suite) inAll(p part, number int) part {
	if !s.byTurn {
		return p
	}
	return part{(number*p.n+p.k-1)%s.parts + 1, s.parts}
}

// turnOf returns BRUNT_TURN, or else the number of commits, which .ci/run makes BRUNT_TURN of.
func turnOf(ctx context.Context) int {
	text := os.Getenv("BRUNT_TURN")
	if text == "" {
		if lines, err := output(ctx, "git", "rev-list", "--count", "HEAD"); err == nil {
			text = lines[0]
		}
	}
	number, _ := strconv.Atoi(text)
	return number
}

// find returns a suite by its name.
func find(name string) (suite, error) {
	for _, s := range suites() {
		if s.name == name {
			return s, nil
		}
	}
	return suite{}, usage("there is no suite %s; .ci/full lists them", name)
}

// packageTests are the tests of one package in a part.
type packageTests struct {
	pkg   pkg
	tests []test
}

// byPackage returns the tests of a part, package by package.
func (s suite) byPackage(m []pkg, p part) (out []packageTests) {
	i := 0 // number of packages with tests for the suite
	k := 0 // number of tests of the package, or of all fuzzers
	for _, pk := range m {
		from := pk.tests
		if s.fuzz {
			from = pk.fuzzers
		}
		var mine []test
		for _, t := range from {
			if s.fuzz && s.picks == nil || s.picks != nil && s.picks(pk, t) {
				mine = append(mine, t)
			}
		}
		switch {
		case s.whole && !s.fuzz: // a package without tests counts in the order too
			if !p.has(i) {
				mine = nil
			}
			i++
		case len(mine) == 0:
		case s.whole:
			if !p.has(i) {
				mine = nil
			}
			i++
		case s.single:
			if !p.first() {
				mine = nil
			}
		default:
			if !s.fuzz {
				k = 0
			}
			mine = slices.DeleteFunc(mine, func(t test) bool {
				if t.says("EveryPart") && t.in(s.name) {
					return false
				}
				k++
				return !p.has(k - 1)
			})
		}
		if len(mine) > 0 {
			out = append(out, packageTests{pk, mine})
		}
	}
	return out
}

// part returns the tests of a part.
func (s suite) part(m []pkg, p part) (out []test) {
	for _, x := range s.byPackage(m, p) {
		out = append(out, x.tests...)
	}
	return out
}

// reaches returns the packages whose tests the suite runs.
func (s suite) reaches(m []pkg) []string {
	out := slices.Clone(s.reach)
	for _, p := range m {
		if s.whole || slices.ContainsFunc(p.tests, func(t test) bool { return s.picks != nil && s.picks(p, t) }) {
			out = append(out, p.path)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// plan prints the tests of each part of the suites. The zero part stands for all usual parts of a suite.
func plan(w io.Writer, m []pkg, chosen []suite, of part) error {
	for _, s := range chosen {
		fmt.Fprintf(w, "%s: %s\n", s.name, s.about())
		if s.takes != "" {
			fmt.Fprintf(w, "  %s\n", s.takes)
		}
		parts := []part{of}
		if of.n == 0 {
			parts = nil
			for k := range s.parts {
				parts = append(parts, part{k + 1, s.parts})
			}
		}
		for _, p := range parts {
			tests, sum := s.part(m, p), 0
			for _, t := range tests {
				sum += t.minutes()
			}
			fmt.Fprintf(w, "  part %s: %d tests", p, len(tests))
			if sum > 0 {
				fmt.Fprintf(w, "; some of them state how long they take, %d min in total", sum)
			}
			fmt.Fprintln(w)
			for _, t := range tests {
				fmt.Fprintf(w, "    %s %s", t.pkg, t.name)
				if n := t.minutes(); n > 0 {
					fmt.Fprintf(w, " (%d min)", n)
				}
				fmt.Fprintln(w)
			}
			if s.more != nil && (!s.single || p.first()) {
				for _, line := range s.more(p) {
					fmt.Fprintf(w, "    %s\n", line)
				}
			}
		}
	}
	return nil
}

// programs returns how many programs all parts of the suite safety play together.
func programs() int {
	if n, err := strconv.Atoi(os.Getenv("PROGRAMS")); err == nil {
		return n
	}
	return 2000
}

// share returns the first and the last of n programs, counted from 1, that a part plays.
func share(p part, n int) (from, to int) { return (p.k-1)*n/p.n + 1, p.k * n / p.n }

// times returns how often the suite drill-library proves a drill on each system.
func times() string { return cmp.Or(os.Getenv("TIMES"), "5") }

// names returns a pattern for -run that matches exactly some tests.
func names(tests []test) string {
	var out []string
	for _, t := range tests {
		out = append(out, t.name)
	}
	return anyOf(out)
}

// anyOf returns a pattern of some names.
func anyOf(names []string) string { return "^(" + strings.Join(names, "|") + ")$" }
