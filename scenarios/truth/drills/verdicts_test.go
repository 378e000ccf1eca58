//go:build linux

package drills

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	library "brunt/scenarios/drills"
	"brunt/scenarios/suite"
	"brunt/scenarios/syntax"
)

// A likeness is a drill of the library that is played on the built-in system and on a real one, on each of them with
// the same defence and without it.
type likeness struct {
	drill string
	good  string // the row of the table drills with the defence, or examples/NAME
	lacks string // the row without it, or the param of the example that takes it away
	// of the drill's proof: the built-in system without that defence
	mutant string
	fails  string // how the objective begins that fails without the defence
}

// TestVerdicts: the same file of a drill has the same verdict on the built-in system and on a real one, with a defence
// and without it. Where the verdicts differ, the built-in system is too kind, or too harsh.
func TestVerdicts(t *testing.T) {
	suite.Needs(t, suite.In("drills"))
	for _, c := range []likeness{
		{"replica-crash", "nginx/replica-crash", "nginx/replica-crash, " + noRetries, "no-retries-no-ejection", "errors <"},
		{"replica-hang", "nginx/replica-hang", "nginx/replica-hang, " + noRetries, "no-timeouts-no-ejection", "p90 <"},
		{"crash-restart", "nginx/crash-restart", "nginx/crash-restart, not started again", "no-restart", "recover <"},
		{"durability", "rabbitmq/durability", "rabbitmq/durability, transient messages", "early-acknowledgement", "lost ="},
		{
			"primary-failover", "postgres/primary-failover", "postgres/primary-failover, asynchronous", "asynchronous", "lost =",
		},
		{"primary-failover", "redis/primary-failover", "redis/primary-failover, asynchronous", "asynchronous", "lost ="},
		{"balancer-lost", "examples/52-haproxy-nginx", "entries=first", "one-address", "errors <"},
		{"region-loss", "examples/50-etcd", "second=a", "one-store", "errors <"},
		{"thundering-herd", "examples/57-streams", "after=200ms", "at-once", "errors <"},
		{"alert-storm", "examples/56-alertmanager", "route=single.yml", "a-page-for-each", "increase(pages) <="},
	} {
		t.Run(c.good, func(t *testing.T) {
			if !suite.Full() {
				t.Skip("it takes two minutes: BRUNT_FULL=1 runs it")
			}
			d, err := library.Find(c.drill, nil)
			if err != nil {
				t.Fatal(err)
			}
			lacking := slices.IndexFunc(d.Proof.Mutants, func(m library.Mutant) bool { return m.Name == c.mutant })
			if lacking < 0 {
				t.Fatalf("%s has no mutant %s", c.drill, c.mutant)
			}
			for _, system := range []struct {
				row    string
				mutant *library.Mutant
				by     string
			}{{c.good, nil, ""}, {c.lacks, &d.Proof.Mutants[lacking], c.fails}} {
				real := func() judged { return onExample(t, c, system.mutant != nil) }
				if !strings.HasPrefix(c.good, "examples/") {
					row := rowNamed(t, system.row)
					suite.Needs(t, suite.Programs(row.needs...))
					real = func() judged { j, _ := row.judge(t); return j }
				}
				c.compare(t, system.row, system.by, certain(t, func() judged { return onBuiltin(t, d, system.mutant) }),
					certain(t, real))
			}
		})
	}
}

// compare holds the run on the built-in system against the one on a real system.
func (c likeness) compare(t *testing.T, row, by string, builtin, real judged) {
	same := builtin.Verdict == real.Verdict && (by == "" || builtin.failed(by) == real.failed(by))
	switch {
	case !same && builtin.Verdict == "pass":
		t.Errorf("%s: the built-in system is too kind:\n  it: %s\n  %s: %s", c.drill, &builtin, row, &real)
	case !same:
		t.Errorf("%s: the built-in system is too harsh:\n  it: %s\n  %s: %s", c.drill, &builtin, row, &real)
	case by == "" && real.Verdict != "pass" || by != "" && !real.failed(by):
		t.Errorf("%s: both say %s, want a failure by %q:\n  %s", c.drill, real.Verdict, by, &real)
	}
}

// certain plays a drill again, at most twice, where the run shows nothing.
func certain(t *testing.T, play func() judged) (j judged) {
	t.Helper()
	for range againMost {
		if j = play(); j.Verdict != "invalid" && j.Verdict != "inconclusive" {
			return j
		}
		t.Logf("played again: %s", j.Reason)
	}
	return j
}

// rowNamed is the row of the table drills with a name.
func rowNamed(t *testing.T, name string) drill {
	t.Helper()
	i := slices.IndexFunc(drills, func(d drill) bool { return d.name == name })
	if i < 0 {
		t.Fatalf("there is no drill %q", name)
	}
	return drills[i]
}

// onBuiltin plays a drill on the built-in system of its proof, or on a mutant of it.
func onBuiltin(t *testing.T, d *library.Drill, mutant *library.Mutant) (j judged) {
	t.Helper()
	tree, err := library.Tree("demo", library.Demo())
	if err != nil {
		t.Fatal(err)
	}
	text := syntax.WriteYAML(scenarios.Overlay(tree, d.Over(mutant)), func(s string) string { return s })
	runToEnd(t, func(string, string) string { return text }, func(dir, file, result string) *exec.Cmd {
		args := []string{"drill", "run", d.Name, file, "-o", result}
		for role, part := range d.Proof.Roles.Map() {
			args = append(args, "--role", role+"="+part)
		}
		return bruntIn(dir, args...)
	}, &j)
	t.Log(&j)
	return j
}

// onExample plays a drill on the real system of an example, with the example's own settings or without the defence.
func onExample(t *testing.T, c likeness, lacks bool) (j judged) {
	t.Helper()
	name := strings.TrimPrefix(c.good, "examples/")
	at := slices.IndexFunc(exampleSystems, func(s exampleSystem) bool { return s.name == name })
	if at < 0 {
		t.Fatalf("there is no system of example %q", name)
	}
	suite.Needs(t, suite.Programs(exampleSystems[at].needs...))
	text, err := os.ReadFile(filepath.Join("..", "..", "..", c.good, "scenario.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	runToEnd(t, func(string, string) string { return string(text) }, func(dir, _, _ string) *exec.Cmd {
		set := []string{"data=" + filepath.Join(dir, "data")}
		if lacks {
			set = append(set, c.lacks)
		}
		return exampleCommand(t, dir, name, c.drill, set...)
	}, &j)
	t.Log(&j)
	return j
}
