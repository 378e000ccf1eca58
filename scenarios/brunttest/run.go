package brunttest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"brunt/chaos/journal"
	"brunt/reporters/catalog"
	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/syntax"
)

// An Option changes how a scenario is run.
type Option func(*settings)

type settings struct {
	set      map[string]string
	policies []string
	output   string
}

// Set gives a param of the scenario a value.
func Set(name, value string) Option { return func(s *settings) { s.set[name] = value } }

// Policy limits the run by a policy file, besides that in $BRUNT_POLICY. It can be given several times.
func Policy(file string) Option {
	return func(s *settings) { s.policies = append(s.policies, file) }
}

// Output names the folder for the report, such as t.ArtifactDir(). Without it the report lies in a folder for temporary
// files, where it stays if the test fails.
func Output(dir string) Option { return func(s *settings) { s.output = dir } }

// undoing is the time that a run gets to take its faults back before the deadline of go test, at most.
const undoing = 20 * time.Second

// Run runs a scenario and returns its result. Each objective is a subtest, which fails with the measured value. The
// test also fails if the run does, or proves nothing: it was invalid or inconclusive. Mistakes of the scenario end the
// test, each with its line. The run ends, and takes its faults back, before the deadline of go test.
func Run(t *testing.T, scenario string, options ...Option) *result.Result {
	t.Helper()
	if !hooked.Load() {
		t.Fatal("brunttest: a run starts this program again, so that the package needs " +
			"func TestMain(m *testing.M) { brunttest.Main(m) }")
	}
	s := settings{set: map[string]string{}}
	for _, o := range options {
		o(&s)
	}
	p := s.compile(t, scenario)
	if p.Scenario.Workers.Count > 0 {
		t.Log("the load is made by this process alone, without the workers of the scenario")
	}
	dir := s.folder(t)
	state := recovered(t)
	ctx, cancel := deadline(t)
	defer cancel()
	found, err := run.Run(ctx, p, run.Options{
		LogDir: filepath.Join(dir, "logs"), Ledger: filepath.Join(dir, "ledger.jsonl"), State: state,
		Watchdog: child("watchdog"), Stress: child("stress"), Proxies: child("proxies"),
	})
	if found == nil {
		t.Fatal(err)
	}
	if err := catalog.All().Write(dir, found); err != nil {
		t.Error(err)
	}
	t.Logf("%s\nreport: %s", words.AnswerOf(found).Text(), filepath.Join(dir, html.File))
	judged := true
	for i := range found.Objectives {
		o := &found.Objectives[i]
		judged = t.Run(o.Text, func(t *testing.T) { objective(t, o) }) && judged
	}
	if judged && found.ExitCode != scenarios.ExitPass {
		t.Errorf("%s: %s", found.Verdict, found.Reason)
	}
	return found
}

// objective fails a subtest unless its objective was met.
func objective(t *testing.T, o *result.ObjectiveResult) {
	text := words.ObjectiveMeasured(o)
	if note := words.ObjectiveNote(o); note != "" {
		text += "; " + note
	}
	if o.Verdict == scenarios.Pass {
		t.Log(text)
		return
	}
	t.Errorf("%s: %s", o.Verdict, text)
}

// compile reads and compiles the scenario.
func (s *settings) compile(t *testing.T, scenario string) *plan.Plan {
	t.Helper()
	files := s.policies
	if p := os.Getenv("BRUNT_POLICY"); p != "" && !slices.Contains(files, p) {
		files = append(files, p)
	}
	policies, err := plan.ReadPolicies(files, nil)
	if err != nil {
		fatal(t, err)
	}
	sc, err := scenarios.Parse(scenario, scenarios.Options{Set: s.set, CheckFile: plan.CheckFile(policies)})
	if sc == nil {
		fatal(t, err)
	}
	p, err := plan.Compile(sc, plan.CompileOptions{Self: child("")[:1], Policies: policies, Workers: -1})
	if err != nil {
		fatal(t, err)
	}
	return p
}

// fatal ends the test with an error: mistakes with their lines.
func fatal(t *testing.T, err error) {
	t.Helper()
	if mistakes, ok := errors.AsType[*syntax.MistakesError](err); ok {
		t.Fatal("\n" + mistakes.Explain())
	}
	t.Fatal(err)
}

// folder returns the folder for the report.
func (s *settings) folder(t *testing.T) string {
	t.Helper()
	if s.output != "" {
		if err := os.MkdirAll(s.output, 0o777); err != nil {
			t.Fatal(err)
		}
		return s.output
	}
	dir, err := os.MkdirTemp("", "brunttest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			_ = os.RemoveAll(dir)
		}
	})
	return dir
}

// recovered takes back what dead runs left, and returns the folder for the journal.
func recovered(t *testing.T) string {
	t.Helper()
	dirs := journal.Dirs(os.Getenv)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, dir := range dirs {
		taken, err := journal.Recover(ctx, guard.Operations(), dir, "run")
		for _, one := range taken {
			t.Logf("run %s had died; taken back: %s (%s)", one.Run, one.Pending.What, one.Outcome)
		}
		states, _ := journal.List(dir) // recovery reports the same errors
		for _, s := range states {
			if s.Unproven != nil && !s.Alive {
				t.Logf("the journal %s is not replayed: %v", s.Path, s.Unproven)
			}
		}
		if err != nil && !errors.Is(err, journal.ErrUnreadable) {
			t.Fatalf("an earlier run left faults that could not be taken back; see `brunt status`: %v", err)
		}
	}
	return dirs[0]
}

// deadline returns a context that ends before go test ends the process.
func deadline(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := func() bool { return true }
	if at, ok := t.Deadline(); ok {
		left := time.Until(at)
		stop = time.AfterFunc(left-min(undoing, left/4), func() {
			cancel(run.Interrupt{Code: 130, By: "the deadline of go test"})
		}).Stop
	}
	return ctx, func() {
		stop()
		cancel(nil)
	}
}
