package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestHome: a test says its suite, or its package and its needs lead to one.
func TestHome(t *testing.T) {
	quiet, loading := pkg{path: "quiet"}, pkg{path: "loud", loading: true}
	docker, kube := need{name: "Docker"}, need{name: "Kubernetes"}
	in := func(suite string) need { return need{name: "In", text: suite} }
	for _, c := range []struct {
		name  string
		pkg   pkg
		needs []need
		want  string
	}{
		{"quiet", quiet, nil, "unit"},
		{"quiet with Docker", quiet, []need{docker}, "unit"},
		{"quiet, of a suite", quiet, []need{docker, in("docker")}, "unit docker"},
		{"quiet, too long", quiet, []need{in("drill-library")}, "drill-library"},
		{"load", loading, nil, "load"},
		{"load with Docker", loading, []need{docker}, "docker"},
		{"load with Docker, which says load", loading, []need{docker, in("load")}, "load"},
		{"kill with Docker", loading, []need{docker, in("kill")}, "kill"},
		{"a client", loading, []need{in("clients")}, "clients"},
		{"a suite beside load", loading, []need{in("safety")}, "load safety"},
		{"a cluster", loading, []need{kube}, "load kube"},
		{"a cluster alone", loading, []need{kube, in("kube")}, "kube"},
		{"a cluster, of a suite", loading, []need{kube, in("examples")}, "examples kube"},
		{"flaky", quiet, []need{{name: "Flaky"}}, "flaky"},
		{"flaky, with Docker, of a suite", loading, []need{docker, in("kill"), {name: "Flaky"}}, "flaky"},
		{"flaky, with a kernel", loading, []need{{name: "VM"}, {name: "Flaky"}}, "flaky"},
		{"a kernel", quiet, []need{{name: "VM"}, in("kill")}, "unit kill vm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, s := range suites() {
				if s.picks != nil && !s.whole && s.picks(c.pkg, test{pkg: c.pkg.path, name: "TestIt", needs: c.needs}) {
					got = append(got, s.name)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("it is in %s, want %s", got, c.want)
			}
		})
	}
}

// TestPart: a suite is divided by the tests of each package, or by its packages.
func TestPart(t *testing.T) {
	m := []pkg{{path: "a"}, {path: "b"}, {path: "c"}, {path: "d"}}
	for i := range m {
		m[i].fuzzers = []test{{pkg: m[i].path, name: "Fuzz1"}, {pkg: m[i].path, name: "Fuzz2"}}
		for n := range i * 2 { // none, 2, 4, 6
			m[i].tests = append(m[i].tests, test{pkg: m[i].path, name: fmt.Sprint("Test", n)})
		}
	}
	for _, c := range []struct {
		name  string
		suite suite
		part  part
		want  string
	}{
		{"by tests", suite{picks: all}, part{2, 3}, "b1 c1 d1 d4"},
		{"the last by tests", suite{picks: all}, part{3, 3}, "c2 d2 d5"},
		{"by packages", suite{picks: all, whole: true}, part{2, 3}, "b0 b1"},
		{"by packages, of which one has no tests", suite{picks: all, whole: true}, part{1, 3}, "d0 d1 d2 d3 d4 d5"},
		{"fuzzers by packages", suite{fuzz: true, whole: true}, part{2, 3}, "bFuzz1 bFuzz2"},
		{
			"fuzzers of some packages, across them",
			suite{fuzz: true, picks: func(p pkg, _ test) bool { return p.path != "a" }},
			part{2, 4},
			"bFuzz2 dFuzz2",
		},
		{"single", suite{picks: func(p pkg, _ test) bool { return p.path == "b" }, single: true}, part{1, 2}, "b0 b1"},
		{"single, elsewhere", suite{picks: all, single: true}, part{2, 2}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, x := range c.suite.part(m, c.part) {
				got = append(got, x.pkg+strings.TrimPrefix(x.name, "Test"))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestShare: the parts of the suite safety play each program once.
func TestShare(t *testing.T) {
	for _, n := range []int{1, 7, 2000} {
		for parts := 1; parts <= 7; parts++ {
			next := 1
			for k := range parts {
				from, to := share(part{k + 1, parts}, n)
				if from != next {
					t.Errorf("%d programs, part %d of %d begins at %d, want %d", n, k+1, parts, from, next)
				}
				next = to + 1
			}
			if next != n+1 {
				t.Errorf("%d programs in %d parts end at %d", n, parts, next-1)
			}
		}
	}
}

// TestParsePart: what is no part is refused.
func TestParsePart(t *testing.T) {
	for _, c := range []struct {
		args string
		want part
	}{{"", part{1, 1}}, {"--part 2/6", part{2, 6}}, {"--part=6/6", part{6, 6}}} {
		if got, given, err := parsePart(strings.Fields(c.args)); err != nil || got != c.want || given != (c.args != "") {
			t.Errorf("%s: %v, %v", c.args, got, err)
		}
	}
	for _, args := range []string{"--part", "--part 0/2", "--part 3/2", "--part 1", "--part x/2", "2/6", "--part 1/2 more"} {
		if got, _, err := parsePart(strings.Fields(args)); err == nil {
			t.Errorf("%s is %v, want an error", args, got)
		}
	}
}

// TestPlan: the plan shows each part with its tests and its time.
func TestPlan(t *testing.T) {
	s := suite{name: "kill", about: text("what it is"), parts: 2, picks: all}
	m := []pkg{{path: "a", tests: []test{
		{"a", "TestA", []need{{name: "Minutes", n: 3}}}, {"a", "TestB", nil}, {"a", "TestC", []need{{name: "Minutes", n: 4}}},
	}}}
	var b bytes.Buffer
	if err := plan(&b, m, []suite{s}, part{}); err != nil {
		t.Fatal(err)
	}
	want := `kill: what it is
  part 1/2: 2 tests; some of them state how long they take, 7 min in total
    a TestA (3 min)
    a TestC (4 min)
  part 2/2: 1 tests
    a TestB
`
	if b.String() != want {
		t.Errorf("%s, want %s", b.String(), want)
	}
}

// TestTurns: each part of each suite that a change reaches comes once, and one part of one of the others.
func TestTurns(t *testing.T) {
	reached, others := []suite{{name: "kill"}, {name: "vm"}}, []suite{{name: "load"}, {name: "k6"}, {name: "fuzz"}}
	rotated := map[string]bool{}
	for number := range 12 {
		seen := map[string]bool{}
		all := turns(reached, others, number)
		for i, x := range all {
			at := fmt.Sprint(x.suite.name, " ", x.part)
			if seen[at] {
				t.Errorf("turn %d: %s comes twice", number, at)
			}
			seen[at] = true
			if x.suite.name != "kill" && x.suite.name != "vm" {
				rotated[x.suite.name] = true
				if i != 2 {
					t.Errorf("turn %d: %s comes at %d", number, at, i)
				}
			}
		}
		if len(all) != 2*landingParts+1 || all[0].part.k != number%landingParts+1 {
			t.Errorf("turn %d: %d parts from %v", number, len(all), all[0].part)
		}
	}
	if len(rotated) != 3 {
		t.Errorf("of the others come %v", rotated)
	}
	if got := turns(nil, nil, 3); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

// TestChanged: a change reaches the packages of its files, and a package holds its data in folders.
func TestChanged(t *testing.T) {
	got := changedPackages([]string{
		"chaos/undo.go", "chaos/README.md", "scenarios/drills/library/a/b.yaml", "cmd/brunt/testdata/script/x.txtar",
		"chaos/chaos.go",
	})
	if want := []string{"brunt/chaos", "brunt/cmd/brunt", "brunt/scenarios/drills"}; !slices.Equal(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
	for dep, want := range map[string]bool{
		"brunt/chaos": true, "brunt/chaos [brunt/cmd/brunt.test]": true, "brunt/chaos_test [brunt/chaos.test]": true,
		"brunt/chaos.test": true, "brunt/chaos/kube": false, "fmt": false,
	} {
		if reaches([]string{dep}, []string{"brunt/chaos"}) != want {
			t.Errorf("%s: want %t", dep, want)
		}
	}
}

// TestSplit: tests that the fresh machine skipped run short where they put load on the machine, and of other tests it
// runs only the subtests that were skipped.
func TestSplit(t *testing.T) {
	quiet, loud := split([]pkg{{path: "a"}, {path: "b", loading: true}}, `a TestA
b TestB

a TestC
a TestD/1+1
b TestC/part
a TestA/part
a TestE/part
`)
	if names(loud) != "^(TestB|TestC/part)$" {
		t.Error(loud)
	}
	whole, parts := levels(quiet)
	if got, want := pattern(whole), "^(TestA|TestC)$"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := pattern(parts), `^(TestD|TestE)$/^(1\+1|part)$`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestInAll: consecutive turns of `all`, on one machine or on several, run each part of a suite by turn once.
func TestInAll(t *testing.T) {
	s := suite{parts: 6, byTurn: true}
	for machines := 1; machines <= 3; machines++ {
		seen := map[part]int{}
		for number := range s.parts / machines {
			for k := range machines {
				seen[s.inAll(part{k + 1, machines}, number)]++
			}
		}
		if len(seen) != s.parts || seen[part{1, 6}] != 1 || seen[part{6, 6}] != 1 {
			t.Errorf("%d machines run %v", machines, seen)
		}
	}
	if got := (suite{parts: 6}).inAll(part{2, 3}, 5); got != (part{2, 3}) {
		t.Errorf("a suite without turns runs %s", got)
	}
}
