package run

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
)

// compileExample compiles an example of the repository as it is.
func compileExample(t *testing.T, name string, set map[string]string) *Plan {
	t.Helper()
	sc, err := scenarios.Parse(filepath.Join("..", "..", "examples", name, "scenario.yaml"), scenarios.Options{Set: set})
	if sc == nil {
		t.Fatal(err)
	}
	plan, err := Compile(sc, CompileOptions{Self: []string{os.Args[0], "role"}})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// exampleTries is how often an example is run when brunt was late.
const exampleTries = 3

// brunt builds the command, as a user has it: without the race detector, which makes
// the built-in system too slow for its own objectives on a small machine.
func brunt(t *testing.T) string { return built(t, "brunt/cmd/brunt") }

// built builds a command.
func built(t *testing.T, pkg string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "command.exe")
	if out, err := exec.Command("go", "build", "-o", file, pkg).CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	return file
}

// runExample runs an example as its README has it, until brunt was in time. It gives
// the exit code and what the report says.
func runExample(t *testing.T, brunt, name string, args ...string) (int, *scenarios.Result) {
	t.Helper()
	for range exampleTries {
		dir, state := t.TempDir(), t.TempDir()
		cmd := exec.Command(brunt, append([]string{"run", filepath.Join("examples", name, "scenario.yaml"), "-o", dir}, args...)...)
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "BRUNT_STATE="+state)
		out, err := cmd.CombinedOutput()
		if err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "result.json"))
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		res := &scenarios.Result{}
		if err := json.Unmarshal(b, res); err != nil {
			t.Fatal(err)
		}
		if !wasLate(res) {
			t.Logf("%s", out)
			if left, _ := os.ReadDir(state); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
			return cmd.ProcessState.ExitCode(), res
		}
		t.Logf("again: %s", res.Reason)
	}
	t.Fatalf("this machine is too busy: brunt was late %d times", exampleTries)
	return 0, nil
}

// objective finds an objective by its text.
func objective(t *testing.T, res *scenarios.Result, text string) scenarios.ObjectiveResult {
	t.Helper()
	i := slices.IndexFunc(res.Objectives, func(o scenarios.ObjectiveResult) bool { return o.Text == text })
	if i < 0 {
		t.Fatalf("there is no objective `%s`", text)
	}
	return res.Objectives[i]
}

// TestExample_DryRun says what the examples would do, without doing it.
func TestExample_DryRun(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string
	}{
		{"01-quickstart", []string{"send SIGKILL to posts[", "delay 60ms ± 20ms on posts[0]->store[0], posts[1]->store[0]", "cut on gateway[0]->users[0]", "recover < 5s after lose-a-replica"}},
		{"02-your-own-url", []string{"delay 100ms ± 20ms on load->target", "reset all connections on load->target", "recover < 5s after cut-lines"}},
		{"03-your-own-processes", []string{"send SIGKILL to stock[0]", "delay 300ms on web[0]->stock[0]", "recover < 2s after lose-stock"}},
		{"04-oauth2", []string{"stop auth[0]", "errors < 1% in lose-tokens"}},
		{"05-graphql", []string{"send SIGKILL to store[0]", "delay 50ms on api[0]->store[0]", "recover < 4s after lose-store"}},
		{"08-zones-and-leaders", []string{"send SIGKILL to the leader of node", "send SIGKILL to node[0]", "send SIGKILL to node[2]", "recover.p50 < 4s after behead"}},
		{"06-managed-database-failover", []string{"run `./manageddb ctl ${unit.control.url} failover b`, taken back by `./manageddb ctl ${unit.control.url} switchover a`", "hitting database", "noticed by `GET ${unit.monitor.url}/alerts`, asked every 250ms"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, err := compileExample(t, c.name, nil).DryRun(t.Context())
			if err != nil {
				t.Error(err)
			}
			said := strings.Join(lines, "\n")
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q is missing in:\n%s", want, said)
				}
			}
			if strings.Contains(said, "would fail") {
				t.Errorf("it would fail:\n%s", said)
			}
		})
	}
}

// TestExample runs the examples as they are: they pass. The quickstart with one
// replica of what it crashes fails, by that fault and no other.
func TestExample(t *testing.T) {
	if testing.Short() {
		t.Skip("65 s")
	}
	command := brunt(t)
	t.Run("01-quickstart", func(t *testing.T) {
		t.Parallel()
		code, res := runExample(t, command, "01-quickstart")
		if res.Verdict != scenarios.Pass || code != 0 {
			t.Errorf("%s (%d): %s", res.Verdict, code, res.Reason)
		}
		checkProved(t, res, "lose-a-replica", "slow-store", "split")
	})
	t.Run("01-quickstart with one replica", func(t *testing.T) {
		t.Parallel()
		code, res := runExample(t, command, "01-quickstart", "--set", "replicas=1")
		if res.Verdict != scenarios.Fail || code != 3 || res.ExitCode != 3 {
			t.Errorf("%s (%d): %s", res.Verdict, code, res.Reason)
		}
		if o := objective(t, res, "errors < 1% in lose-a-replica"); o.Verdict != scenarios.Fail {
			t.Errorf("%s: %s, measured %g", o.Text, o.Verdict, o.Measured)
		}
		for _, text := range []string{"p95 < 250ms in baseline", `p95 < 500ms of "read post" in slow-store`, "p95 < 500ms in split", "heal < 5s after split"} {
			if o := objective(t, res, text); o.Verdict != scenarios.Pass {
				t.Errorf("%s: %s, measured %g: %s", o.Text, o.Verdict, o.Measured, o.Note)
			}
		}
		checkProved(t, res, "lose-a-replica", "slow-store", "split")
	})
	t.Run("02-your-own-url", func(t *testing.T) {
		t.Parallel()
		target := newTarget(t)
		code, res := runExample(t, command, "02-your-own-url", "--set", "url="+target.URL)
		if res.Verdict != scenarios.Pass || code != 0 {
			t.Errorf("%s (%d): %s", res.Verdict, code, res.Reason)
		}
		checkProved(t, res, "slow-network", "cut-lines")
	})
	shop := "bin=" + built(t, "brunt/examples/03-your-own-processes")
	t.Run("03-your-own-processes", func(t *testing.T) {
		t.Parallel()
		code, res := runExample(t, command, "03-your-own-processes", "--set", shop)
		if res.Verdict != scenarios.Pass || code != 0 {
			t.Errorf("%s (%d): %s", res.Verdict, code, res.Reason)
		}
		checkProved(t, res, "lose-stock", "slow-stock", "freeze-stock")
	})
	cluster := "bin=" + built(t, "brunt/examples/08-zones-and-leaders")
	t.Run("08-zones-and-leaders", func(t *testing.T) {
		t.Parallel()
		code, res := runExample(t, command, "08-zones-and-leaders", "--set", cluster)
		if res.Verdict != scenarios.Pass || code != 0 {
			t.Errorf("%s (%d): %s", res.Verdict, code, res.Reason)
		}
		checkProved(t, res, "behead#1", "behead#2", "behead#3", "lose-zone")
		for _, f := range res.Faults {
			if f.Leader != (len(f.Units) == 1) || (f.Name == "lose-zone") != slices.Equal(f.Zones, []string{"a"}) {
				t.Errorf("%s hit %v in %v", f.Name, f.Units, f.Zones)
			}
		}
		if len(res.Repeats) != 1 || res.Repeats[0].Occurrences != 3 || res.Repeats[0].Recover.N != 3 {
			t.Errorf("%+v", res.Repeats)
		}
	})
	t.Run("03-your-own-processes without the cache", func(t *testing.T) {
		t.Parallel()
		code, res := runExample(t, command, "03-your-own-processes", "--set", shop, "--set", "cache=off")
		if res.Verdict != scenarios.Fail || code != 3 {
			t.Errorf("%s (%d): %s", res.Verdict, code, res.Reason)
		}
		if o := objective(t, res, "errors < 1%"); o.Verdict != scenarios.Fail {
			t.Errorf("%s: %s, measured %g", o.Text, o.Verdict, o.Measured)
		}
	})
}

// TestExample_Carried runs the examples of what requests carry: they pass, and fail
// where their README says so.
func TestExample_Carried(t *testing.T) {
	if testing.Short() {
		t.Skip("40 s")
	}
	command := brunt(t)
	for _, c := range []struct {
		name    string
		faults  []string
		broken  string // what makes it fail
		fails   string // the objective that does
		because string // the cause of its errors
	}{
		{"04-oauth2", []string{"lose-tokens"}, "life=3s", "errors < 1% in lose-tokens", "status 401"},
		{"05-graphql", []string{"lose-store", "slow-store"}, "cache=off", "errors < 1% of Feed", "graphql errors"},
	} {
		bin := "bin=" + built(t, "brunt/examples/"+c.name)
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, res := runExample(t, command, c.name, "--set", bin)
			if res.Verdict != scenarios.Pass || code != 0 {
				t.Errorf("%s (%d): %s", res.Verdict, code, res.Reason)
			}
			checkProved(t, res, c.faults...)
		})
		t.Run(c.name+" "+c.broken, func(t *testing.T) {
			t.Parallel()
			code, res := runExample(t, command, c.name, "--set", bin, "--set", c.broken)
			if res.Verdict != scenarios.Fail || code != 3 {
				t.Errorf("%s (%d): %s", res.Verdict, code, res.Reason)
			}
			if o := objective(t, res, c.fails); o.Verdict != scenarios.Fail {
				t.Errorf("%s: %s, measured %g", o.Text, o.Verdict, o.Measured)
			}
			for _, e := range res.Errors {
				if e.Kind != c.because {
					t.Errorf("%d errors of %s, want only %s", e.Count, e.Kind, c.because)
				}
			}
			if len(res.Errors) == 0 {
				t.Error("there was no error")
			}
		})
	}
}

// The provider's own tool fails its database over, and the team's monitoring notices: both
// within the times that follow from how the example is made.
func TestExample_ManagedDatabase(t *testing.T) {
	if testing.Short() {
		t.Skip("50 s")
	}
	code, res := runExample(t, brunt(t), "06-managed-database-failover", "--set", "bin="+built(t, "brunt/examples/06-managed-database-failover"))
	if res.Verdict != scenarios.Pass || code != 0 {
		t.Errorf("%s (%d): %s", res.Verdict, code, res.Reason)
	}
	checkProved(t, res, "lose-the-primary")
	f := res.Faults[0]
	// A promotion takes 1 s; what it costs is seen in windows of at least 1 s.
	if f.Impact != scenarios.Impacted || f.Failed < 50 || f.Recover > 4 || f.Failover > 4 {
		t.Errorf("%s: %d failed, failover %v, recover %v", f.Impact, f.Failed, f.Failover, f.Recover)
	}
	// Three looks of the monitoring, 500 ms apart, once the promotion is over.
	if f.Detect < 1.9 || f.Detect > 4.5 || f.DetectResolution > 2 || !strings.Contains(f.DetectNote, "DatabaseFailedOver") {
		t.Errorf("detected after %v (±%v): %s", f.Detect, f.DetectResolution, f.DetectNote)
	}
	if f.Revert != "ok" || !strings.Contains(f.GoneEvidence, "a is the primary") {
		t.Errorf("%s: %s", f.Revert, f.GoneEvidence)
	}
}

// checkProved checks that the faults were in and are gone.
func checkProved(t *testing.T, res *scenarios.Result, names ...string) {
	t.Helper()
	var found []string
	for _, f := range res.Faults {
		found = append(found, f.Name)
		if !f.Verified.Known() || !f.Gone || f.Traffic == 0 || f.Evidence == "" || f.GoneEvidence == "" {
			t.Errorf("%s is not proved: %+v", f.Name, f)
		}
	}
	if !slices.Equal(found, names) {
		t.Errorf("faults %v, want %v", found, names)
	}
}
