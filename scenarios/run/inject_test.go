package run_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/cgroup"
	"brunt/chaos/chaostest"
	"brunt/chaos/journal"
	"brunt/chaos/proc"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
	"brunt/scenarios/syntax"
)

// injectable is a target for a fault of each kind.
const injectable = `
version: 1
target:
  processes:
    web: {command: [ECHO], replicas: 2, links: [store], ready: {get: /}}
    store: {command: [ECHO], ready: {get: /}}
  entry: web
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 100s, flow: [{get: /far}]}}
chaos:
`

// A sample is the settings of a kind, and whether it stays. FILE stands for a missing file, HOOK for the URL of a
// switch, DIR for a directory, ALONE for a process in a control group of its own, CONTAINER and OTHER for containers.
type sample struct {
	settings string
	stays    bool
}

// otherSamples are the kinds whose examples do not fit these tests.
var otherSamples = map[string]sample{
	"memory.limit": {"{pid: ALONE, bytes: 64MiB}", true},
	"action.run":   {"{run: touch FILE, undo: rm -f FILE}", true},
	"exec":         {"{inject: touch FILE, verify: test -e FILE, revert: rm -f FILE}", true},
	"webhook":      {"{inject: {put: HOOK}, verify: {get: HOOK}, revert: {delete: HOOK}}", true},
	"call":         {"{inject: {put: HOOK}, verify: {ask: {get: HOOK}}, revert: {delete: HOOK}}", true},
}

// inTests gives an example the places of these tests.
var inTests = strings.NewReplacer("container: web", "container: CONTAINER", "container/web", "container/CONTAINER",
	"container/store", "container/OTHER",
	"/var/lib/store", "DIR")

// machineKinds are the kinds that act on this machine. Those on a cluster are tried by TestCluster_Faults (chaos) and
// TestPods_Kube (cmd/brunt).
func machineKinds() []string {
	return slices.DeleteFunc(plan.ArgumentKinds(), func(kind string) bool {
		d, _ := catalog.Find(kind)
		return d.On == chaos.OnCluster
	})
}

// injectFaults are a sample of each kind: its example.
var injectFaults = func() map[string]sample {
	out := map[string]sample{}
	for _, f := range catalog.Faults() {
		d := f.Describe()
		out[d.Kind] = sample{inTests.Replace(d.Example), !d.OneShot()}
	}
	maps.Copy(out, otherSamples)
	return out
}()

// TestInject_Kinds injects one fault of each kind without load, and undoes it.
func TestInject_Kinds(t *testing.T) {
	t.Parallel()
	yard := sync.OnceValue(func() *chaostest.Yard { return chaostest.NewYard(t) })
	for _, kind := range machineKinds() {
		f := injectFaults[kind]
		t.Run(kind, func(t *testing.T) {
			if testing.Short() &&
				!slices.Contains([]string{
					"process.freeze", "process.crash", "stress.cpu", "cpu.throttle", "network.latency", "network.loss",
					"dns.fail", "container.pause", "http.error", "exec", "webhook", "call",
				},
					kind) {
				t.Skip("injected as one of the others is, by a fault that has tests of its own")
			}
			t.Parallel()
			timing := "at: 20s, "
			if f.stays {
				timing += "for: 1s, "
			}
			if forRoot(kind) { // their effect takes longer to verify
				timing = "at: 20s, for: 4s, "
			}
			text := strings.ReplaceAll(injectable, "ECHO", strings.Join(self("echo"), ", ")) + "  it: {" + timing + kind + ": " +
				f.settings + "}\n"
			if forRoot(kind) {
				needsRoot(t)
				suite.Needs(t, suite.ControlGroups)
			}
			if strings.Contains(text, "CONTAINER") {
				suite.Needs(t, suite.Root)
				chaostest.Engine(t)
				v, other := yard().Start(t, chaostest.VictimOptions{}), yard().Start(t, chaostest.VictimOptions{})
				text = strings.NewReplacer("CONTAINER", v.Ref, "OTHER", other.Ref).Replace(text)
			}
			if strings.Contains(text, "ALONE") {
				text = strings.ReplaceAll(text, "ALONE", strconv.Itoa(alone(t)))
			}
			text = strings.NewReplacer("DIR", strconv.Quote(t.TempDir()), "FILE", filepath.Join(t.TempDir(), "broken"), "HOOK",
				hook(t)).Replace(text)
			plan, err := mustCompile(t, text).Single("it", 0)
			if err != nil {
				t.Fatal(err)
			}
			state := t.TempDir()
			// its unit dies with brunt: nothing is to be taken back
			seen := statuses{t: t, state: state, stays: f.stays && kind != "process.stop"}
			in, err := run.Inject(t.Context(), plan, run.Options{
				State: state, Watchdog: self("guard"), Stress: self("burn"), Proxies: self("proxies"), Event: seen.event,
			})
			if err != nil {
				t.Fatal(err)
			}
			if !seen.in || !seen.out {
				t.Errorf("the status was asked while the fault was in: %v, and after it: %v", seen.in, seen.out)
			}
			if in.Verdict != scenarios.Pass || in.ExitCode != 0 || !in.Verified.Known() || !in.Gone || len(in.Units) == 0 {
				t.Errorf("%s: %s; evidence %q, gone %v (%q), units %v", in.Verdict, in.Reason, in.Evidence, in.Gone,
					in.GoneEvidence, in.Units)
			}
			if stayed := in.Cleared - in.Injected; f.stays && stayed < 1 {
				t.Errorf("it stayed for %v", stayed)
			}
			var what []string
			for _, e := range in.Events {
				if e.Fault != "" {
					what = append(what, e.Event)
				}
			}
			want := []string{"fault.injected", "fault.verified", "fault.reverted", "fault.cleared"}
			if f.stays {
				want = []string{"fault.injected", "fault.verified", "fault.cleared", "fault.gone", "fault.reverted"}
			}
			if !slices.Equal(what, want) {
				t.Errorf("the steps are %v, want %v", what, want)
			}
			if left, _ := filepath.Glob(state + "/*"); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

// statuses asks for the status of a run, as `brunt status` does, at the events of its fault.
type statuses struct {
	t       *testing.T
	state   string // folder of the journal
	stays   bool
	in, out bool // it was asked while the fault was in, and after it
}

func (s *statuses) event(e result.Event) {
	if e.Event != "fault.verified" && e.Event != "fault.reverted" {
		return
	}
	all, err := journal.List(s.state)
	if err != nil || len(all) != 1 {
		s.t.Errorf("at %s: %d journals, %v", e.Event, len(all), err)
		return
	}
	is := all[0].Status(catalog.AllOperations())
	if is.State != journal.Running || is.PID != os.Getpid() {
		s.t.Errorf("at %s the run is %s, of process %d", e.Event, is.State, is.PID)
	}
	own := slices.DeleteFunc(slices.Clone(is.In), func(l journal.EntryLine) bool { return l.Fault != "it" })
	if e.Event == "fault.reverted" {
		if s.out = true; len(own) > 0 {
			s.t.Errorf("it is over, and said to be in: %+v", own)
		}
		return
	}
	s.in = true
	if len(own) == 0 && s.stays {
		s.t.Error("it is in, and not said to be")
	}
	for _, l := range own {
		if l.What == "" || l.Since.IsZero() || s.stays && (!l.Until.After(l.Since) || l.Deadline.Before(l.Until)) ||
			l.Place.Machine == "" {
			s.t.Errorf("what, since when, until when and where is not told: %+v", l)
		}
		for _, pid := range l.HeldBy {
			if !slices.Contains(proc.Family(os.Getpid()), pid) {
				s.t.Errorf("it is said to be held by process %d, which is not brunt's", pid)
			}
		}
	}
}

// forRoot reports whether a kind needs root.
func forRoot(kind string) bool {
	family, _, _ := strings.Cut(kind, ".")
	return slices.Contains([]string{"stress", "cpu", "memory", "disk", "fd", "time"}, family)
}

func needsRoot(t *testing.T) {
	t.Helper()
	suite.Needs(t, suite.Root)
}

// alone starts a process in a control group of its own, as a container engine does.
func alone(t *testing.T) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "role", "sleep")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	ownGroup(t, cgroup.Memory, cmd.Process.Pid)
	return cmd.Process.Pid
}

// ownGroup moves a process into a control group of its own.
func ownGroup(t *testing.T, c cgroup.Controller, pid int) {
	t.Helper()
	home, err := (cgroup.System{}).Find(pid, c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(filepath.Base(home.Path), "test-of-brunt-") { // the machine has two controllers in one tree
		return
	}
	g, err := cgroup.Make(filepath.Join(home.Path, fmt.Sprintf("test-of-brunt-%d", pid)), home.Unified)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = home.Add(pid)
		suite.Until(t, g.Path+" is empty", func() bool { return g.Remove() == nil })
	})
	if err := g.Add(pid); err != nil {
		t.Fatal(err)
	}
}

// hook is a switch that PUT turns on and DELETE off; GET reports its state.
func hook(t *testing.T) string {
	t.Helper()
	var on atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut:
			on.Store(true)
		case r.Method == http.MethodDelete:
			on.Store(false)
		case !on.Load():
			http.Error(w, "off", http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/"
}

// TestInject_Single: which faults of a scenario can be injected alone, and how long they stay.
func TestInject_Single(t *testing.T) {
	text := strings.ReplaceAll(injectable, "ECHO", "x") + `
  crash: {at: 20s, process.crash: {service: web}}
  pulsed: {after: crash, wait: 20s, for: 10s, pulse: {on: 2s, off: 1s}, network.stall: {to: store}}
  group: {at: 50s, for: 5s, steps: [{network.stall: {to: store}}, {after: 2s, process.crash: {service: web}}]}
  often: {at: 60s, for: 3s, every: 10s, repeat: 2, network.stall: {to: store}, detect: {command: "false"}}
guard: {max_each: 12s}
`
	plan := mustCompile(t, text)
	for _, c := range []struct {
		name  string
		hold  time.Duration
		stays time.Duration
		want  string // part of the error
	}{
		{"crash", 0, 0, ""},
		{"crash", time.Second, 0, "it takes no --for"},
		{"pulsed", 0, 2 * time.Second, ""},
		{"pulsed", 5 * time.Second, 5 * time.Second, ""},
		{"often", 0, 3 * time.Second, ""},
		{"often", 12 * time.Second, 12 * time.Second, ""},
		{"often", 13 * time.Second, 0, "it would stay for 13s, and at most 12s are allowed"},
		{"group", 0, 5 * time.Second, ""},
		{"group", 3 * time.Second, 3 * time.Second, ""},
		{"group", 2 * time.Second, 0, "its last step comes after 2s, so --for is longer than that"},
		{"oftn", 0, 0, `there is no fault "oftn"; did you mean "often"?`},
	} {
		one, err := plan.Single(c.name, c.hold)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s for %s: %v", c.name, c.hold, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		est := timeline.Estimate(one.Faults, time.Hour)
		if len(est) != 1 || est[0].At != 0 || one.Faults[0].For.D() != c.stays {
			t.Errorf("%s for %s: %+v", c.name, c.hold, est)
		}
		if asked := c.name == "often"; one.Faults[0].Detect != nil || asked != (len(one.Notes) == 1) {
			t.Errorf("%s: the monitoring is asked by %v, and the notes are %q", c.name, one.Faults[0].Detect, one.Notes)
		}
	}
	if len(plan.Faults) != 4 || plan.Faults[1].Pulse == nil {
		t.Error("the plan itself has changed")
	}
}

// A group is injected in turn and undone in reverse. Where a step can't be injected, the others are undone
// at once, and the result says which step it was.
func TestInject_Group(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	for _, c := range []struct {
		third   string // the command of the third step
		done    string
		verdict scenarios.Verdict
		reason  string
	}{
		{"echo c >> FILE", "a b c -c -b -a", scenarios.Pass, "It was in, and it is gone."},
		{"exit 3", "a b -c -b -a", scenarios.Invalid, "it.third: "},
	} {
		file := filepath.Join(t.TempDir(), "done")
		step := func(name, after, inject string) string {
			return fmt.Sprintf(`{name: %s, after: %s, exec: {inject: "%s", verify: "grep -q %s FILE", gone: "grep -q -e -%s FILE", revert: "echo -%s >> FILE"}}`,
				map[string]string{"a": "first", "b": "second", "c": "third"}[name], after, inject, name, name, name)
		}
		text := "version: 1\ntarget: {url: \"" + s.URL + "\"}\n" +
			"load: {main: {executor: constant-arrival-rate, rate: 1/s, duration: 20s, flow: [{get: /}]}}\n" +
			"chaos: {it: {at: 1s, for: 600ms, steps: [" + step("a", "0s", "echo a >> FILE") + ", " +
			step("b", "100ms", "echo b >> FILE") + ", " +
			step("c", "200ms", c.third) + "]}}\n"
		one, err := mustCompile(t, strings.ReplaceAll(text, "FILE", file)).Single("it", 0)
		if err != nil {
			t.Fatal(err)
		}
		in, err := run.Inject(t.Context(), one, run.Options{State: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(strings.Fields(string(b)), " "); got != c.done {
			t.Errorf("%s: did %q, want %q", c.third, got, c.done)
		}
		if in.Verdict != c.verdict || !strings.Contains(in.Reason, c.reason) || len(in.Steps) != 3 ||
			in.Kind != result.GroupKind {
			t.Errorf("%s: %+v", c.third, in)
		}
	}
}

// TestInject_Bare injects faults without a scenario: on a process, and on a link that brunt opens.
func TestInject_Bare(t *testing.T) {
	t.Parallel()
	server := newServer(t, "serve")
	bare := func(b plan.Bare) *plan.Plan {
		t.Helper()
		plan, err := plan.CompileBare(b)
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	do := func(p *plan.Plan, event func(result.Event)) *run.Injection {
		t.Helper()
		in, err := run.Inject(t.Context(), p, run.Options{State: t.TempDir(), Watchdog: self("guard"), Event: event})
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	pid := fmt.Sprintf("pid=%d", server.pid)
	in := do(bare(plan.Bare{Kind: "process.freeze", Settings: []string{pid, "for=500ms"}}), nil)
	if in.Verdict != scenarios.Pass || !in.Gone || in.Cleared-in.Injected < .5 {
		t.Errorf("freeze: %+v", in)
	}

	took := make(chan time.Duration, 1)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := free.Addr().String()
	_ = free.Close()
	in = do(bare(plan.Bare{
		Kind: "network.latency", Settings: []string{"delay=300ms", "for=2s"}, Listen: listen, To: server.addr,
	}), func(e result.Event) {
		if e.Event != "fault.injected" {
			return
		}
		go func() {
			began := time.Now()
			if resp, err := http.Get("http://" + listen + "/"); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			took <- time.Since(began)
		}()
	})
	if in.Verdict != scenarios.Pass || in.Traffic == 0 {
		t.Errorf("latency: %+v", in)
	}
	if d := <-took; d < 300*time.Millisecond {
		t.Errorf("a client of the link had its answer after %s", d)
	}

	end := exec.Command(os.Args[0], "role", "sleep")
	if err := end.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = end.Wait()
	}()
	pid = fmt.Sprintf("pid=%d", end.Process.Pid)
	in = do(bare(plan.Bare{Kind: "process.crash", Settings: []string{pid, "signal=TERM", "irreversible=on"}}), nil)
	<-gone
	if in.Verdict != scenarios.Pass || !strings.Contains(in.Reason, "stays down") {
		t.Errorf("crash: %+v", in)
	}
	in = do(bare(plan.Bare{Kind: "process.freeze", Settings: []string{pid, "for=1s"}}), nil)
	if in.Verdict != scenarios.Invalid || in.ExitCode != scenarios.ExitInvalid || in.Injected.Known() {
		t.Errorf("a process that is no more: %+v", in)
	}
}

// TestInject_Protected names a process that no fault may hit, which the selector itself lets pass: a dry run and an
// injection refuse it alike.
func TestInject_Protected(t *testing.T) {
	const kernel = 2
	if name, err := os.ReadFile("/proc/2/comm"); err != nil || string(name) != "kthreadd\n" {
		t.Skip("no thread of the kernel is seen here")
	}
	p, err := plan.CompileBare(plan.Bare{
		Kind: "process.freeze", Settings: []string{fmt.Sprintf("pid=%d", kernel), "for=1s"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = "it is a thread of the kernel; nothing allows it"
	if _, err := dryrun.Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a dry run: %v", err)
	}
	in, err := run.Inject(t.Context(), p, run.Options{State: t.TempDir()})
	if err != nil || in.Verdict != scenarios.Invalid || in.Injected.Known() || !strings.Contains(in.Reason, want) {
		t.Errorf("%+v, %v", in, err)
	}
}

// TestInject_Interrupted interrupts while the fault is active: it is undone, and the exit code is
// that of the signal.
func TestInject_Interrupted(t *testing.T) {
	t.Parallel()
	server := newServer(t, "serve")
	plan, err := plan.CompileBare(plan.Bare{
		Kind: "process.freeze", Settings: []string{fmt.Sprintf("pid=%d", server.pid), "for=1h"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	var once sync.Once
	in, err := run.Inject(ctx, plan, run.Options{State: t.TempDir(), Event: func(e result.Event) {
		if e.Event == "fault.verified" {
			once.Do(func() { cancel(run.Interrupt{Code: 143}) })
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if in.Verdict != scenarios.Interrupted || in.ExitCode != 143 || !in.Gone || in.Revert != string(chaos.Reverted) {
		t.Errorf("%+v", in)
	}
}

// TestInject_Mistakes: mistakes in a single fault are reported at their position.
func TestInject_Mistakes(t *testing.T) {
	for _, c := range []struct {
		name   string
		bare   plan.Bare
		policy string
		want   string
	}{
		{
			"a misspelt setting",
			plan.Bare{Kind: "process.freeze", Settings: []string{"pdi=5", "for=1s"}},
			"",
			`pdi=5: unknown key "pdi"; did you mean "pid"?`,
		},
		{
			"no setting",
			plan.Bare{Kind: "process.freeze", Settings: []string{"pid", "for=1s"}},
			"",
			`pid: "pid" is not a key=value`,
		},
		{
			"twice",
			plan.Bare{Kind: "process.freeze", Settings: []string{"pid=5", "pid=6", "for=1s"}},
			"",
			`pid=6: "pid" is given twice, first by pid=5`,
		},
		{
			"a placeholder",
			plan.Bare{Kind: "process.freeze", Settings: []string{"pid=${x}", "for=1s"}},
			"",
			"takes no placeholder",
		},
		{"no time", plan.Bare{Kind: "process.freeze", Settings: []string{"pid=5"}}, "", "does not say how long it stays"},
		{
			"a time for a one-shot",
			plan.Bare{Kind: "process.crash", Settings: []string{"pid=5", "irreversible=on", "for=1s"}},
			"", "it takes no `for`. `within` says by when its unit is healthy again; process.stop with `grace: 0s` kills",
		},
		{
			"another key of time",
			plan.Bare{Kind: "process.freeze", Settings: []string{"pid=5", "at=3s", "for=1s"}},
			"",
			`at=3s: "at" needs a timeline`,
		},
		{
			"a service",
			plan.Bare{Kind: "process.freeze", Settings: []string{"service=posts", "for=1s"}},
			"",
			"no scenario says what there is",
		},
		{
			"nothing starts it again",
			plan.Bare{Kind: "process.crash", Settings: []string{"pid=5"}},
			"",
			"`irreversible: true` says that you know",
		},
		{"no link", plan.Bare{Kind: "network.stall", Settings: []string{"for=1s"}}, "", "acts on a link, and none is given"},
		{
			"a link for nothing",
			plan.Bare{Kind: "process.freeze", Settings: []string{"pid=5", "for=1s"}, To: "127.0.0.1:9"},
			"", "does not act on a link",
		},
		{
			"far away",
			plan.Bare{Kind: "network.stall", Settings: []string{"for=1s"}, To: "10.1.2.3:9"},
			"",
			"--to: load goes to loopback",
		},
		{
			"open to all",
			plan.Bare{Kind: "network.stall", Settings: []string{"for=1s"}, Listen: "0.0.0.0:9001", To: "127.0.0.1:9"},
			"",
			`--listen: "0.0.0.0:9001" is not a port of this machine's loopback`,
		},
		{
			"another end",
			plan.Bare{Kind: "network.stall", Settings: []string{"for=1s", "to=store"}, To: "127.0.0.1:9"},
			"",
			`to=store: there is no service "store"`,
		},
		{
			"a kind that the policy forbids",
			plan.Bare{Kind: "network.stall", Settings: []string{"for=1s"}, To: "127.0.0.1:9"},
			"faults: [process.*]",
			"network.stall is not allowed",
		},
		{
			"a process that the policy protects",
			plan.Bare{Kind: "process.freeze", Settings: []string{"pid=5", "for=1s"}},
			"protect: {pids: [5]}", "it could touch pid 5",
		},
		{
			"for longer than the policy takes",
			plan.Bare{Kind: "process.freeze", Settings: []string{"pid=5", "for=3s"}},
			"max_each: 2s", "it stays for 3s",
		},
		{
			"a target that the policy does not take",
			plan.Bare{Kind: "network.stall", Settings: []string{"for=1s"}, To: "127.0.0.1:9"},
			"targets: [stack]",
			"the target is a url",
		},
		{
			"where the policy does not let it",
			plan.Bare{Kind: "network.stall", Settings: []string{"for=1s"}, To: "10.1.2.3:9", Allow: []string{"10.1.2.3"}},
			"allow: {load: [10.1.2.4]}", "does not let load go to 10.1.2.3",
		},
		{
			"a policy that wants a steady state",
			plan.Bare{Kind: "process.freeze", Settings: []string{"pid=5", "for=1s"}},
			"require: [steady]", "without load there is nothing to judge it by",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.policy != "" {
				var err error
				if c.bare.Policies, err = plan.ReadPolicies([]string{plantest.WritePolicy(t, c.policy)}, nil); err != nil {
					t.Fatal(err)
				}
			}
			_, err := plan.CompileBare(c.bare)
			if _, ok := errors.AsType[*syntax.MistakesError](err); !ok || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %s", err, c.want)
			}
		})
	}
	ok := plan.Bare{
		Kind: "network.partition", Settings: []string{"for=1s", "mode=reject"}, Listen: "localhost:9001", To: "10.1.2.3:9",
		Allow: []string{"10.1.0.0/16"},
	}
	if _, err := plan.CompileBare(ok); err != nil {
		t.Errorf("what is right: %v", err)
	}
}

// TestInject_Killed kills brunt while a single fault is active: the watchdog undoes it.
func TestInject_Killed(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	if runtime.GOOS != "linux" {
		t.Skip("looks at processes as Linux shows them")
	}
	t.Parallel()
	server := newServer(t, "serve")
	dir := t.TempDir()
	argv := self("inject", strconv.Itoa(server.pid), dir)
	brunt := exec.Command(argv[0], argv[1:]...)
	if err := brunt.Start(); err != nil {
		t.Fatal(err)
	}
	frozen := func() bool { return stateOf(t, server.pid) == "T" }
	suite.Until(t, "it is frozen", frozen)
	_ = brunt.Process.Kill()
	_ = brunt.Wait()
	suite.Until(t, "it is no longer frozen", func() bool { return !frozen() })
	suite.Until(t, dir+" is empty", func() bool {
		left, _ := filepath.Glob(dir + "/*")
		return len(left) == 0
	})
}

// stateOf is the letter of a process's state.
func stateOf(t *testing.T, pid int) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return rest[:1]
}
