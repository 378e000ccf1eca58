package run_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/targets/platform/procgroup"
)

// election is how long a server that holds the lock does not lead yet, as no server does. It is longer than the answers
// to one round of questions take to come, so that no two of them say that they lead.
const election = 300 * time.Millisecond

// elect is a server of which one replica leads: the one that holds the lock of a file in the given folder, as long as
// it lives. It reports that under /role, and in a file of its own in the folder, by its address.
func elect(args []string) error {
	var leads atomic.Bool
	role := func() string {
		return fmt.Sprintf(`{"role": %q, "term": 7}`, map[bool]string{true: "leader", false: "follower"}[leads.Load()])
	}
	lock, err := os.OpenFile(filepath.Join(args[0], "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	go func() {
		if procgroup.LockFile(lock) == nil {
			time.Sleep(election) // simulates the election
			leads.Store(true)
			_ = os.WriteFile(filepath.Join(args[0], os.Getenv("BRUNT_ADDR")), []byte(role()), 0o600)
		}
	}()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc("/role", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, role())
	})
	return http.ListenAndServe(os.Getenv("BRUNT_ADDR"), mux)
}

// elected is a scenario whose target has a leader. ROLES in rest is the folder with the leader's file.
func elected(t *testing.T, rest string) string {
	roles := t.TempDir()
	argv := strings.Join(self("elect", roles), `", "`)
	return `version: 1
target:
  entry: front
  processes:
    front: {command: ["` + strings.Join(self("echo"), `", "`) + `"]}
    node: {command: ["` + argv + `"], replicas: 3, ready: {get: /}, restart_delay: 10ms}
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 7s, flow: [{get: /}]}
` + strings.ReplaceAll(rest, "ROLES", roles)
}

// TestLeaderEachTime kills the leader repeatedly: each time the current leader, never the one that
// was killed before.
func TestLeaderEachTime(t *testing.T) {
	t.Parallel()
	text := elected(t, `
chaos:
  behead: {at: 1s, every: 1500ms, repeat: 3, process.crash: {service: node, pick: leader, leader: {get: /role, check: {"$.role": leader}, within: 5s}}}
watch:
  role: {of: node, path: /role, value: "$.role", every: 200ms}
  term: {of: node, path: /role, value: "~ (\\d+)", unit: number, every: 200ms}
  leaders: {of: node, path: /role, check: {"$.role": leader}, count: true, every: 200ms}
  alive: {of: node, path: /, count: true, every: 200ms}
  asked: {of: node, get: "${unit.front.url}/", count: true, every: 200ms}
slo: [errors < 50%, metric(term) < 100, metric(leaders) <= 1, metric(alive) <= 2, metric(asked) >= 1]
`)
	// How many lead is not known while a killed node starts: the run ends long after the last one has, or the objective
	// is open.
	const short, long = "duration: 7s", "duration: 12s"
	text = strings.Replace(text, short, long, 1)
	plan := mustCompile(t, text)
	lines, err := dryrun.Run(t.Context(), plan)
	if said := strings.Join(lines, "\n"); err != nil || !strings.Contains(said, "hitting the leader of node") {
		t.Errorf("%v\n%s", err, said)
	}
	res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(res.Faults, func(f result.FaultRecord) bool { return !f.Injected.Known() }) {
		// Each kill waits until the one before is over, which takes longer than the load where many others run.
		t.Logf("again, with a load of a minute: %s", res.Reason)
		res = runText(t, strings.Replace(text, long, "duration: 60s", 1), run.Options{})
	}
	if len(res.Faults) != 3 {
		t.Fatalf("%s: %+v", res.Reason, res.Faults)
	}
	before := ""
	for _, f := range res.Faults {
		if !f.Leader || len(f.Units) != 1 || !strings.HasPrefix(f.Units[0], "node[") || f.Units[0] == before ||
			!f.Verified.Known() {
			t.Fatalf("%s hit %v after %s: %+v; %s", f.Name, f.Units, before, f, res.Reason)
		}
		before = f.Units[0]
	}
	// The watch saw each leader before it was killed, and its gap.
	if len(res.Watches) != 3 {
		t.Fatalf("%d watches", len(res.Watches))
	}
	for _, f := range res.Faults {
		i := slices.IndexFunc(res.Watches, func(w result.Watch) bool { return w.Unit == f.Units[0] })
		if i < 0 || !slices.ContainsFunc(res.Watches[i].States,
			func(s result.UnitState) bool { return s.Text == "leader" && s.From < f.Injected }) {
			t.Errorf("%s led %v, and the watch says %+v", f.Name, f.Units, res.Watches)
		}
	}
	if !slices.ContainsFunc(res.Events, func(e result.Event) bool {
		return e.Event == "watch.state" && strings.HasPrefix(e.Text, "role: became leader, was follower at ")
	}) {
		t.Errorf("no event says that a unit became the leader: %+v", res.Events)
	}
	terms := 0
	for _, s := range res.Series {
		if s.Name == "term" && strings.HasPrefix(s.Labels["unit"], "node[") && len(s.Points) > 10 {
			terms++
		}
	}
	if terms != 3 {
		t.Errorf("the terms are %+v", res.Series)
	}
	// One node leads at a time, all three answer, and the front answers the question about each.
	for i, want := range map[int]scenarios.Verdict{2: scenarios.Pass, 3: scenarios.Fail, 4: scenarios.Pass} {
		if o := res.Objectives[i]; o.Verdict != want {
			t.Errorf("%s: %s, want %s: %s", o.Text, o.Verdict, want, o.Note)
		}
	}
}

// A name close to an existing one is a mistake, and a fault that will be skipped conflicts with no
// other fault.
func TestOnNoUnit_Known(t *testing.T) {
	const skip = "guard: {on_no_unit: skip}\n"
	_, err := compileFile(scenario(t, skip+elected(t, "chaos: {gone: {at: 1s, process.crash: {service: nodes}}}\n")))
	if err == nil || !strings.Contains(err.Error(), `did you mean "node"`) {
		t.Errorf("of a misspelt service it says %v", err)
	}
	const judged = "\njudge: {hold: 1s}\nslo: [onset < 1s after slow]\n"
	slow := `slow: {at: 2s, for: 100ms, network.latency: {from: load, to: front, delay: 1ms}}`
	for name, service := range map[string]string{"there": "node", "not there": "absent"} {
		_, err := compileFile(scenario(t, skip+
			elected(t, "chaos: {gone: {at: 2s, process.crash: {service: "+service+"}}, "+slow+"}"+judged)))
		if crowded := err != nil && strings.Contains(err.Error(), "are in at the same time"); crowded != (service == "node") {
			t.Errorf("%s: %v", name, err)
		}
		healed := strings.Replace(judged, "onset", "heal", 1) // a recovery is judged by what both do together
		_, err = compileFile(scenario(t, skip+
			elected(t, "chaos: {gone: {at: 2s, process.crash: {service: "+service+"}}, "+slow+"}"+healed)))
		if err != nil && strings.Contains(err.Error(), "are in at the same time") {
			t.Errorf("%s, a recovery: %v", name, err)
		}
	}
}

// TestOnNoUnit runs faults without a matching unit, known before the run or only during it: they
// fail the run, or are skipped, and then their objectives are inconclusive.
func TestOnNoUnit(t *testing.T) {
	t.Parallel()
	const judged = "\nslo: [errors < 50%, errors < 50% in gone]\n"
	for _, c := range []struct {
		name, fault string
		known       bool // before the run
	}{
		{"unit", `{at: 1s, process.crash: {unit: "node[7]"}}`, true},
		{"service", `{at: 1s, process.crash: {service: absent}}`, true},
		{"link", `{at: 1s, for: 1s, network.stall: {from: front, to: node}}`, true},
		{"zone", `{at: 1s, process.crash: {zone: a}}`, true},
		{"number", `{at: 1s, process.crash: {service: node, pick: 4}}`, true},
		{
			"leader", `{at: 1s, process.crash: {service: node, pick: leader, leader: {get: /role, check: {"$.role": king}}}}`,
			false,
		},
		{"leaders", `{at: 1s, process.crash: {service: node, pick: leader, leader: {get: /role}}}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.name != "unit" && c.name != "leader" {
				t.Skip("known as one of the others is")
			}
			t.Parallel()
			text := elected(t, "chaos: {gone: "+c.fault+
				", behind: {after: gone, for: 100ms, network.stall: {from: load, to: front}}}"+judged)
			if _, err := compileFile(scenario(t, text)); (err != nil) != c.known {
				t.Errorf("without skip Compile says %v", err)
			}
			plan := mustCompile(t, "guard: {on_no_unit: skip}\n"+text)
			reported := slices.ContainsFunc(plan.Notes,
				func(n string) bool { return strings.HasPrefix(n, "gone will be skipped, as guard.on_no_unit says: ") })
			if reported != c.known {
				t.Errorf("the notes are %q", plan.Notes)
			}
			if lines, err := dryrun.Run(t.Context(), plan); err != nil ||
				strings.Contains(strings.Join(lines, "\n"), "would be skipped") != c.known {
				t.Errorf("a dry run says %v\n%s", err, strings.Join(lines, "\n"))
			}
			one, err := plan.Single("gone", 0)
			if err != nil {
				t.Fatal(err)
			}
			if in, err := run.Inject(t.Context(), one, run.Options{State: t.TempDir()}); err != nil ||
				in.ExitCode != scenarios.ExitInconclusive ||
				!strings.HasPrefix(in.Reason, "It was skipped, as guard.on_no_unit says: ") {
				t.Errorf("alone: %+v, %v", in, err)
			}
			res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if res.Generator.Healthy && (res.ExitCode != scenarios.ExitInconclusive ||
				!strings.Contains(res.Reason, "gone was skipped")) {
				t.Errorf("exit %d: %s", res.ExitCode, res.Reason)
			}
			if len(res.Faults) != 2 {
				t.Fatalf("%+v", res.Faults)
			}
			for _, f := range res.Faults {
				if !f.Skipped || f.Impact != result.NotInjected || f.Note == "" {
					t.Errorf("%+v", f)
				}
			}
			if o := res.Objectives[1]; o.Verdict != scenarios.Inconclusive ||
				!strings.Contains(o.Note, "gone was skipped: no unit matches") {
				t.Errorf("%+v", o)
			}
		})
	}
	// Where that is not allowed, the run adds no such note.
	plan := mustCompile(t, strings.Replace(elected(t,
		`chaos: {gone: {at: 1s, process.crash: {service: node, pick: leader, leader: {get: `+
			`/role}}}}`+judged), "duration: 7s", "duration: 2s", 1))
	res := inTime(t, func() *result.Result {
		res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		return res
	})
	if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, "all say that they are the leader") {
		t.Error(res.Reason)
	}
}

// TestFollower freezes units that do not lead, asked in each of the ways: the record, the event and the words of the
// report say what they answered, and never call one of them the leader.
func TestFollower(t *testing.T) {
	t.Parallel()
	res := runText(t, elected(t, `
chaos:
  one: {at: 1s, for: 300ms, process.freeze: {service: node, pick: follower, leader: {path: /role, check: {"$.role": leader}, within: 5s}}}
  rest:
    at: 3s
    for: 300ms
    process.freeze: {service: node, pick: all, except: leader, leader: {ask: {get: "/role?of=${self.name}", check: {"$.role": leader}}, within: 5s}}
  top:
    at: 5s
    for: 300ms
    # starts no copy of the program of the tests, whose start takes seconds on a busy machine
    process.freeze: {service: node, pick: leader, leader: {command: "test $BRUNT_PORT = ${self.port} && `+
		`grep leader ROLES/${self.addr}"}}
slo: [errors < 50%]
`), run.Options{})
	if len(res.Faults) != 3 {
		t.Fatalf("%s: %+v", res.Reason, res.Faults)
	}
	for i, want := range []struct {
		units      int
		role, said string
	}{{1, "follower", `$.role is follower`}, {2, "follower", "$.role"}, {1, "leader", `{"role": "leader"`}} {
		f := res.Faults[i]
		if len(f.Units) != want.units || f.Role != want.role || f.Leader != (want.role == "leader") ||
			!strings.Contains(f.RoleSaid, want.said) || f.Led == "" || slices.Contains(f.Units, f.Led) != f.Leader {
			t.Errorf("%s: %v is %q: %q, and %q led; %s", f.Name, f.Units, f.Role, f.RoleSaid, f.Led, f.Note)
		}
		if i := slices.IndexFunc(res.Events, func(e result.Event) bool {
			return e.Event == "fault.injected" &&
				e.Fault == f.Name
		}); i < 0 ||
			!strings.Contains(res.Events[i].Text, "("+want.role+", because asked: ") {
			t.Errorf("%s: the event is missing, or is silent about the role: %+v", f.Name, res.Events)
		}
	}
	if t.Failed() { // a fault may have hit nothing
		return
	}
	if slices.Contains(res.Faults[0].Units, res.Faults[2].Units[0]) ||
		slices.Contains(res.Faults[1].Units, res.Faults[2].Units[0]) {
		t.Errorf("the leader %v was hit as another: %v, %v", res.Faults[2].Units, res.Faults[0].Units, res.Faults[1].Units)
	}
}

// TestLeader_WrongQuestion: a question to which no unit, or more than one, answers that it leads ends the run before
// the load, long before its fault is due.
func TestLeader_WrongQuestion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ asks, want string }{
		"none leads": {`{get: /role, timeout: 10s, check: {"$.role": king}}`, "none says that it is the leader: node[0]: "},
		"all lead":   {`{get: /role, timeout: 10s}`, "node[0], node[1], node[2] all say that they are the leader"},
		"none leads, asked for a while": {
			`{get: /role, check: {"$.role": king}, within: 1700ms}`, "none says that it is the leader: node[0]: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(elected(t, `
chaos: {gone: {at: 58s, for: 1s, steps: [{name: freeze, process.freeze: {service: node, pick: leader, leader: `+c.asks+`}}]}}
slo: [errors < 50%]
`), "duration: 7s", "duration: 60s", 1)
			began := time.Now()
			res, err := run.Run(t.Context(), mustCompile(t, text), run.Options{State: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if res.Verdict != scenarios.Invalid || len(res.Faults) > 0 || len(res.Reasons) == 0 ||
				res.Reasons[0].Kind != result.NotStarted || !strings.Contains(res.Reason, c.want) ||
				!strings.Contains(res.Reason, "finds no leader") || !strings.Contains(res.Reason, "mend its question at ") {
				t.Errorf("after %v: %s %+v", time.Since(began), res.Reason, res.Reasons)
			}
		})
	}
}
