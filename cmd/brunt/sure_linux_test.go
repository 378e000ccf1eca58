package main

import (
	"bufio"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/reporters/evidence"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

const sureScenario = `version: 1
name: sure
target: {stack: demo}
judge: {hold: 1s, limit: 5%}
load:
  readers: {executor: constant-arrival-rate, rate: 20/s, duration: 5s, flow: [{get: "/posts?page=1"}]}
`

// TestSure_Interrupted ends a series of runs by a signal: after the verdict of its first run, and within the next one,
// when the target is up. SIGTERM and SIGINT give their exit code and a written report. After SIGKILL the watchdog takes
// the run back. In the end nothing is left: no process of the target and no journal.
func TestSure_Interrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute")
	}
	for _, c := range []struct {
		name   string
		within bool
		signal syscall.Signal
		code   int
	}{
		{"within, SIGTERM", true, syscall.SIGTERM, 143},
		{"within, SIGKILL", true, syscall.SIGKILL, -1},
		{"between, SIGINT", false, syscall.SIGINT, 130},
		{"between, SIGKILL", false, syscall.SIGKILL, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startSeries(t, "run 1  ", sureScenario, "drill", "run", "crash-restart", "s.yaml", "--role", "service=posts",
				"--until-sure", "90%")
			<-s.moment
			if c.within { // brunt, its watchdog and services of the target
				suite.Until(t, "the next run", func() bool { return len(s.processes()) > 3 })
			}
			if err := s.process.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			if code := s.wait(t); code != c.code {
				t.Errorf("exit code %d, want %d\n%s", code, c.code, &s.said)
			}
			if c.signal != syscall.SIGKILL {
				s.reports(t)
			}
			s.nothingLeft(t)
		})
	}
}

const searchedScenario = `version: 1
name: searched
target: {stack: demo, with: {posts: {replicas: 2}}}
judge: {hold: 1s, limit: 5%}
load:
  readers: {executor: constant-arrival-rate, rate: 20/s, duration: 5s, flow: [{get: "/posts?page=1"}]}
chaos:
  slow: {at: 1500ms, for: 2s, network.latency: {from: posts, to: store, delay: 10ms}}
slo: [errors < 50%]
`

// overloadedScenario is a system that serves 30 requests a second, so that its search breaks at 40/s.
const overloadedScenario = `version: 1
name: overloaded
target: {stack: demo, with: {posts: {replicas: 1, rate: 30/s}}}
judge: {hold: 2s, limit: 5%}
load:
  readers: {executor: constant-arrival-rate, rate: 20/s, duration: 5s, timeout: 1s, flow: [{get: "/posts?page=1"}]}
slo: [p50 < 100ms]
`

// TestSearch_Killed kills each kind of search at instants that are drawn, from its begin or from a line that it says.
// The watchdog takes back what is in, whatever that is: in the end there is no process of the target, no journal and no
// file outside of the folders that the user named.
func TestSearch_Killed(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	if testing.Short() {
		t.Skip("some minutes")
	}
	const (
		kills = 10
		begin = "no line has this"
		whole = 25 * time.Second // less than any of the searches takes
		after = 10 * time.Second // less than the load before the overload, the overload and a hold take
	)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for i, tt := range []struct {
		name, scenario, line string
		longest              time.Duration
		args                 []string
	}{
		{"find", searchedScenario, begin, whole, []string{
			"find", "s.yaml", "--without", "posts[1]", "--during", "slow", "--from", "20/s", "--max", "20/s", "--probe", "1s",
			"--confirm", "1", "--settle", "6s",
		}},
		{"tolerate", searchedScenario, begin, whole, []string{
			"tolerate", "s.yaml", "slow", "delay", "--to", "300ms", "--confirm", "1",
		}},
		{"drill", searchedScenario, begin, whole, []string{
			"drill", "run", "crash-restart", "s.yaml", "--role", "service=posts", "--until-sure", "90%",
		}},
		{"hysteresis", overloadedScenario, "hysteresis:", after, []string{
			"find", "s.yaml", "--hysteresis=10/s", "--probe", "1s", "--cool-down", "500ms", "--confirm", "1",
			"--precision", "99%",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, uint64(i)))
			open := 0 // kills at which something was to be taken back
			for range kills {
				after := time.Duration(rnd.Int64N(int64(tt.longest)))
				s := startSeries(t, tt.line, tt.scenario, tt.args...)
				if tt.line != begin {
					<-s.moment
				}
				time.Sleep(after) // simulates a person or a machine that kills it at any instant
				if journals, _ := filepath.Glob(filepath.Join(s.state, "*.journal")); len(journals) > 0 {
					open++
				}
				if err := s.process.Process.Kill(); err != nil {
					t.Fatalf("it ended within %s: %v\n%s", after, err, &s.said)
				}
				if code := s.wait(t); code != -1 {
					t.Errorf("after %s it ended by itself, with %d\n%s", after, code, &s.said)
				}
				s.nothingLeft(t)
			}
			if t.Logf("%d of %d kills with an open journal", open, kills); open == 0 {
				t.Error("no kill met an open journal")
			}
		})
	}
}

// TestSure_NotKnown: a series that ends at --at-most before it is sure has the exit code of an inconclusive one, and
// says how many more runs are needed. One that knows ends at once.
func TestSure_NotKnown(t *testing.T) {
	asked, err := slo.ParseObjective("recover < 5s after f")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		missed func(run int) bool
		want   scenarios.Verdict
		code   int
	}{
		{func(run int) bool { return run%3 == 0 }, scenarios.Inconclusive, scenarios.ExitInconclusive},
		{func(int) bool { return false }, scenarios.Pass, scenarios.ExitPass},
		{func(int) bool { return true }, scenarios.Fail, scenarios.ExitFail},
	} {
		c, out := quietCommand()
		f := &sureFlags{}
		f.register(c)
		f.text, f.most = "60%", 12
		p, repeat := &plan.Plan{Scenario: &scenarios.Scenario{SLO: []slo.Objective{asked}}}, 1
		if err := f.begin(c, p, &repeat); err != nil || repeat != f.most {
			t.Fatal(err, repeat)
		}
		over := false
		for n := 1; n <= repeat && !over; n++ {
			o := result.NewObjective(asked, scenarios.Pass)
			d := result.Drill{Fault: "f#1", At: 5, Measured: 1, Verdict: scenarios.Pass}
			if tt.missed(n) {
				d.Measured, d.Verdict = 9, scenarios.Fail
			}
			o.Drills = []result.Drill{d}
			_, _, over = f.add(out, n, &result.Result{Verdict: scenarios.Pass, Objectives: []result.ObjectiveResult{o}})
		}
		if v, code := f.end(out); v != tt.want || code != tt.code || over != (tt.want != scenarios.Inconclusive) {
			t.Errorf("%s with exit code %d, want %s with %d:\n%s", v, code, tt.want, tt.code, out)
		}
	}
}

// TestSure_NoAnswer: a series whose runs inject nothing, such as into a unit that nothing started again, ends with the
// third in a row, and says what to do.
func TestSure_NoAnswer(t *testing.T) {
	asked, err := slo.ParseObjective("recover < 5s after f")
	if err != nil {
		t.Fatal(err)
	}
	c, out := quietCommand()
	f := &sureFlags{}
	f.register(c)
	f.text, f.most = "60%", 12
	p, repeat := &plan.Plan{Scenario: &scenarios.Scenario{SLO: []slo.Objective{asked}}}, 1
	if err := f.begin(c, p, &repeat); err != nil {
		t.Fatal(err)
	}
	for n, want := range []bool{false, false, false, false, false, true} {
		o := result.NewObjective(asked, scenarios.Invalid)
		o.Drills = []result.Drill{{Fault: "f#1", At: 5, Measured: result.NaN, Verdict: scenarios.Invalid}}
		if n == 2 {
			o.Drills[0].Measured, o.Drills[0].Verdict = 1, scenarios.Pass
		}
		res := &result.Result{
			Verdict: scenarios.Invalid, Reason: "f was not injected: web is not running.",
			Objectives: []result.ObjectiveResult{o},
		}
		if _, _, over := f.add(out, n+1, res); over != want {
			t.Errorf("over after run %d: %v", n+1, over)
		}
	}
	if want := "3 runs in a row answer no objective: f was not injected: web is not running; mend that until"; !strings.Contains(
		out.String(), want) {
		t.Errorf("%s; want %q", out, want)
	}
}

// slowOnce is a service whose second start, which is the first after a crash, takes 8 s.
const slowOnce = `version: 1
name: slow once
target:
  processes:
    web:
      command:
        - sh
        - -c
        - |
          echo x >> starts
          if [ "$(grep -c x starts)" = 2 ]; then sleep 8; fi
          exec brunt serve . --listen "$BRUNT_ADDR"
      ready: {get: /, within: 30s}
      restart: always
judge: {hold: 1s, limit: 5%}
load:
  readers: {executor: constant-arrival-rate, rate: 20/s, duration: 5s, flow: [{get: /}]}
`

// TestSure_ExitCode: a series of which one run misses the limit and one meets it is not sure of 10 % after its two
// runs. Its process ends with exit code 8, and leaves nothing.
func TestSure_ExitCode(t *testing.T) {
	if testing.Short() {
		t.Skip("two runs of 20 s")
	}
	t.Parallel()
	s := startSeries(t, "no line has this", slowOnce, "drill", "run", "crash-restart", "s.yaml",
		"--role", "service=web", "--until-sure", "10%", "--at-most", "2")
	<-s.moment // its end
	if code := s.wait(t); code != scenarios.ExitInconclusive {
		t.Errorf("exit code %d, want %d\n%s", code, scenarios.ExitInconclusive, &s.said)
	}
	s.nothingLeft(t)
}

// A sureSeries is a series of runs in a process of its own, in a folder of its own.
type sureSeries struct {
	process *exec.Cmd
	folder  string
	state   string

	temporary string // for files that nothing needs after the end

	moment chan struct{} // closed at the line that the test waits for, or at the end
	read   chan struct{} // closed at the end of the standard error
	said   strings.Builder
}

// startSeries starts a command with a scenario, s.yaml. Its moment comes with a line that contains the given text.
func startSeries(t *testing.T, line, scenario string, args ...string) *sureSeries {
	t.Helper()
	s := &sureSeries{
		folder: t.TempDir(), state: t.TempDir(), temporary: t.TempDir(),
		moment: make(chan struct{}), read: make(chan struct{}),
	}
	if err := os.WriteFile(filepath.Join(s.folder, "s.yaml"), []byte(scenario), 0o644); err != nil {
		t.Fatal(err)
	}
	s.process = s.command(args...)
	errs, err := s.process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.process.Process.Kill() })
	go func() {
		defer close(s.read)
		came := false
		for lines := bufio.NewScanner(errs); lines.Scan(); {
			s.said.WriteString(lines.Text() + "\n")
			if !came && strings.Contains(lines.Text(), line) {
				came = true
				close(s.moment)
			}
		}
		if !came {
			close(s.moment)
		}
	}()
	return s
}

// command returns a command of brunt in the folder of the series.
func (s *sureSeries) command(args ...string) *exec.Cmd {
	c := exec.Command("brunt", args...)
	c.Dir, c.Env = s.folder, append(os.Environ(), "BRUNT_STATE="+s.state, "TMPDIR="+s.temporary)
	return c
}

// wait waits for the end, and returns the exit code; -1 means a signal.
func (s *sureSeries) wait(t *testing.T) int {
	t.Helper()
	suite.Until(t, "the end of the standard error", func() bool {
		select {
		case <-s.read:
			return true
		default:
			return false
		}
	})
	err := s.process.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return s.process.ProcessState.ExitCode()
}

// reports checks that each run that began has a whole report, and that the last was interrupted unless the signal came
// between runs.
func (s *sureSeries) reports(t *testing.T) {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(s.folder, "brunt-results", "*"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("%v, %v\n%s", folders, err, &s.said)
	}
	interrupted := 0
	for _, folder := range folders {
		r, err := evidence.Read(folder)
		if err != nil {
			t.Errorf("%s: %v", folder, err)
		} else if r.Verdict == scenarios.Interrupted {
			interrupted++
		}
	}
	if interrupted > 1 || len(folders) > 2 {
		t.Errorf("%d runs, %d of them interrupted", len(folders), interrupted)
	}
}

// nothingLeft waits until the watchdog has taken back what a killed run left, and asks the system and brunt status.
func (s *sureSeries) nothingLeft(t *testing.T) {
	t.Helper()
	suite.Until(t, "the end of the target and of the journal", func() bool {
		journals, err := filepath.Glob(filepath.Join(s.state, "*.journal"))
		return err == nil && len(journals) == 0 && len(s.processes()) == 0
	})
	status := s.command("status")
	if out, err := status.CombinedOutput(); err != nil {
		t.Errorf("brunt status: %v\n%s", err, out)
	}
	if files, err := os.ReadDir(s.temporary); err != nil || len(files) > 0 {
		t.Errorf("temporary files are left: %v, %v", files, err)
	}
}

// processes lists the processes of the series, by the folder of its state in their environment.
func (s *sureSeries) processes() []string {
	var out []string
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && strings.Contains(string(b), "BRUNT_STATE="+s.state+"\x00") {
			out = append(out, file)
		}
	}
	return out
}
