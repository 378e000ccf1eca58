//go:build unix

package run_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/proc"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/run/workers"
	"brunt/scenarios/suite"
)

// pids are the processes of a run's workers, as its events tell.
type pids struct {
	mu sync.Mutex
	of map[int]int // by the number of the worker
}

// note notes the process of a worker that joined. It is for [run.Options].Event.
func (p *pids) note(e result.Event) {
	var n, of, pid int
	if _, err := fmt.Sscanf(e.Text, "worker %d of %d: pid %d", &n, &of, &pid); err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		p.of = map[int]int{}
	}
	p.of[n] = pid
}

// signal sends worker n a signal.
func (p *pids) signal(t *testing.T, n int, name string) {
	t.Helper()
	p.mu.Lock()
	pid := p.of[n]
	p.mu.Unlock()
	id, err := proc.Identify(pid)
	if err == nil {
		err = proc.Signal(id, name)
	}
	if err != nil {
		t.Errorf("worker %d: %v", n, err)
	}
	if name == "STOP" && err == nil { // until one of its threads has got the signal, the others go on
		suite.Until(t, "the worker to stand still", func() bool { return proc.IsStopped(pid) })
	}
}

// TestWorkers_Stopped: a worker that stands still for a while, and goes on, loses nothing. The rate that a stop
// condition reads does not drop meanwhile, and the worker's own lag is named.
func TestWorkers_Stopped(t *testing.T) {
	t.Parallel()
	s := newAsked(t)
	var p pids
	var events []string
	res := withWorkers(t, 3, fmt.Sprintf(`
version: 1
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 150/s, duration: 7s, flow: [{get: /}]}}
stop: [rate < 120/s for 2s]
slo: [errors < 1%%]
`, s.URL), run.Options{Event: func(e result.Event) {
		p.note(e)
		switch e.Event {
		case "load.start":
			go func() {
				suite.Until(t, "a second of load", func() bool { return s.n.Load() > 150 })
				p.signal(t, 2, "STOP")
			}()
		case "worker.silent", "worker.back", "worker.lost":
			events = append(events, e.Event+" "+e.Text)
			p.signal(t, 2, "CONT")
		}
	}})
	if want := []string{"worker.silent worker 2 of 3", "worker.back worker 2 of 3"}; !slices.Equal(events, want) {
		t.Errorf("events %q, want %q", events, want)
	}
	reported := int64(0)
	for _, w := range res.Workers {
		if w.Owed != 350 || w.Reported != 350 || w.Lost != 0 || w.LostWhy != "" || (w.N == 2) != (w.Silent > 0) {
			t.Errorf("%+v", w)
		}
		reported += w.Reported
	}
	if s.n.Load() != reported || res.Verdict == scenarios.Stopped {
		t.Errorf("the server has seen %d, %d are reported; %s: %s", s.n.Load(), reported, res.Verdict, res.Reason)
	}
	named := func(l string) bool { return strings.HasPrefix(l, "worker 2 of 3: p99 lag") }
	froze := func(f result.Freeze) bool { return f.D > 2 }
	if !slices.ContainsFunc(res.Generator.Limits, named) || !slices.ContainsFunc(res.Generator.Freezes, froze) {
		t.Errorf("limits %q, freezes %v", res.Generator.Limits, res.Generator.Freezes)
	}
}

// TestWorkers_Interrupted: a worker that stands still does not hold a run up that was interrupted twice. It is lost,
// and the exit code is that of the signal.
func TestWorkers_Interrupted(t *testing.T) {
	t.Parallel()
	s := newAsked(t)
	var p pids
	ctx, interrupt := context.WithCancelCause(t.Context())
	hurry := make(chan struct{})
	text := fmt.Sprintf(`
version: 1
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 1m, flow: [{get: /}]}}
`, s.URL)
	plan := mustCompile(t, text)
	var at time.Time
	res, err := run.Run(ctx, plan, run.Options{
		State: t.TempDir(), Workers: run.Workers{
			N: 2, Command: self("worker"),
			Source: workers.Source{Path: plan.Scenario.File, Text: text},
		},
		Hurry: hurry, Event: func(e result.Event) {
			p.note(e)
			if e.Event == "load.start" {
				go func() {
					suite.Until(t, "some load", func() bool { return s.n.Load() > 50 })
					p.signal(t, 1, "STOP")
					interrupt(run.Interrupt{Code: 143})
					at = time.Now()
					close(hurry)
				}()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(at); took > 8*time.Second {
		t.Errorf("it ended %s after the second signal", took)
	}
	w := res.Workers
	if res.Verdict != scenarios.Interrupted || res.ExitCode != 143 || w[0].LostWhy == "" || w[1].LostWhy != "" ||
		w[1].Owed != w[1].Reported {
		t.Errorf("%s, exit code %d: %s: %+v", res.Verdict, res.ExitCode, res.Reason, w)
	}
}

// TestWorkers_AllKilled: where all workers die, the run ends, and shows what they had reported, also the slowest
// requests.
func TestWorkers_AllKilled(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	t.Parallel()
	s := newAsked(t)
	var p pids
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		suite.Until(t, "two seconds of load", func() bool { return s.n.Load() > 200 })
		p.signal(t, 1, "KILL")
		p.signal(t, 2, "KILL")
	}()
	began := time.Now()
	res := withWorkers(t, 2, fmt.Sprintf(`
version: 1
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 1m, flow: [{get: /}]}}
slo: [errors < 1%%]
`, s.URL), run.Options{Event: p.note})
	<-killed
	if res.Verdict != scenarios.Invalid || !strings.HasPrefix(res.Reason, "No worker is left: ") ||
		len(res.Slowest) == 0 || res.Slowest[0].Curl == "" {
		t.Errorf("%s: %s: the slowest requests are %+v", res.Verdict, res.Reason, res.Slowest)
	}
	if took := time.Since(began); took > 40*time.Second {
		t.Errorf("it ended after %s", took)
	}
}

// TestWorkers_Late: where a worker does not begin in time, no worker makes load.
func TestWorkers_Late(t *testing.T) {
	t.Parallel()
	s := newAsked(t)
	var p pids
	res := withWorkers(t, 3, fmt.Sprintf(`
version: 1
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 4s, flow: [{get: /}]}}
slo: [errors < 1%%]
`, s.URL), run.Options{Event: p.note, Await: func(context.Context) error { p.signal(t, 2, "STOP"); return nil }})
	if s.n.Load() > 0 || res.Verdict != scenarios.Invalid ||
		!strings.HasPrefix(res.Reason, "Begin the load: worker 2: it did not begin in time") {
		t.Errorf("the server has seen %d requests; %s: %s", s.n.Load(), res.Verdict, res.Reason)
	}
}

// TestWorkers_InterruptedEarly: an interrupt is heeded while a worker that does not answer is prepared.
func TestWorkers_InterruptedEarly(t *testing.T) {
	t.Parallel()
	var p pids
	ctx, interrupt := context.WithCancelCause(t.Context())
	s := newAsked(t)
	text := fmt.Sprintf(`
version: 1
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /}]}}
`, s.URL)
	plan := mustCompile(t, text)
	var at time.Time
	res, err := run.Run(ctx, plan, run.Options{
		State: t.TempDir(), Workers: run.Workers{
			N: 2, Command: self("worker"),
			Source: workers.Source{Path: plan.Scenario.File, Text: text},
		},
		Event: func(e result.Event) {
			if p.note(e); strings.HasPrefix(e.Text, "worker 2") {
				p.signal(t, 2, "STOP")
				time.AfterFunc(100*time.Millisecond, func() { at = time.Now(); interrupt(run.Interrupt{Code: 130}) })
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(at); took > 10*time.Second || res.ExitCode != 130 || res.Reason != "Interrupted." {
		t.Errorf("it ended %s after the signal with code %d: %s", took, res.ExitCode, res.Reason)
	}
}

// TestWorkers_Suspended: brunt is suspended once no worker begins a further iteration.
func TestWorkers_Suspended(t *testing.T) {
	t.Parallel()
	s := newAsked(t)
	suspend := make(chan os.Signal, 1)
	var before, after int64
	res := withWorkers(t, 2, fmt.Sprintf(`
version: 1
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 400/s, duration: 20s, flow: [{get: /}]}}
slo: [errors < 1%%]
`, s.URL), run.Options{
		Suspend: suspend,
		Event: func(e result.Event) {
			if e.Event == "load.start" {
				go func() {
					suite.Until(t, "some load", func() bool { return s.n.Load() > 200 })
					suspend <- syscall.SIGTSTP
				}()
			}
		},
		Stop: func() {
			before = s.n.Load()
			time.Sleep(300 * time.Millisecond) // simulates a brunt that stands still
			after = s.n.Load()
		},
	})
	if after-before > 4 {
		t.Errorf("%d requests came while brunt stood still", after-before)
	}
	for _, w := range res.Workers {
		if w.Lost != 0 || w.LostWhy != "" {
			t.Errorf("%+v", w)
		}
	}
	if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, "suspended") {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
}

// split starts a run with two workers in a process of its own, and waits until its load begins.
func split(t *testing.T, text string) (cmd *exec.Cmd, out *bufio.Reader, p *pids) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	line := self("split", file, t.TempDir())
	cmd = exec.Command(line[0], line[1:]...)
	cmd.Stderr = os.Stderr
	from, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	out, p = bufio.NewReader(from), &pids{}
	for {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		event, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if event == "load.start" {
			return cmd, out, p
		}
		p.note(result.Event{Event: event, Text: text})
	}
}

// TestWorkers_Orphaned: workers end with the run that started them, also one that stands still.
func TestWorkers_Orphaned(t *testing.T) {
	t.Parallel()
	s := newAsked(t)
	cmd, _, p := split(t, fmt.Sprintf(`
version: 1
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 1m, flow: [{get: /}]}}
`, s.URL))
	suite.Until(t, "some load", func() bool { return s.n.Load() > 50 })
	var ids []proc.Identity
	for n := range 2 {
		id, err := proc.Identify(p.of[n+1])
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	p.signal(t, 1, "STOP")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the end of the workers", func() bool { return !ids[0].Alive() && !ids[1].Alive() })
}

// TestWorkers_Silent: workers whose run stands still end their loads. The run names them as lost when it goes on, and
// is invalid.
func TestWorkers_Silent(t *testing.T) {
	if testing.Short() {
		t.Skip("a run that stands still for 12 s")
	}
	s := newAsked(t)
	cmd, out, _ := split(t, fmt.Sprintf(`
version: 1
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 40s, flow: [{get: /}]}}
slo: [errors < 1%%]
`, s.URL))
	suite.Until(t, "some load", func() bool { return s.n.Load() > 100 })
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	last, since := int64(0), time.Now()
	suite.Until(t, "the end of the load", func() bool {
		if n := s.n.Load(); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > time.Second
	})
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	var res result.Result
	if err := json.NewDecoder(out).Decode(&res); err != nil {
		t.Fatal(err)
	}
	reported := int64(0)
	for _, w := range res.Workers {
		if !strings.HasPrefix(w.LostWhy, "it heard nothing from its run for 10s") || w.Owed != w.Reported+w.Lost {
			t.Errorf("%+v", w)
		}
		reported += w.Reported
	}
	if res.Verdict != scenarios.Invalid || reported != s.n.Load() ||
		!strings.HasPrefix(res.Reason, "No worker is left: it heard nothing") {
		t.Errorf("%s: %s; %d reported, and the server has seen %d", res.Verdict, res.Reason, reported, s.n.Load())
	}
}
