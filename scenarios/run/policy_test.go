package run_test

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/run"
)

// underPolicies compiles a scenario under policies.
func underPolicies(t *testing.T, text string, policies ...string) (*plan.Plan, error) {
	t.Helper()
	var files []string
	for _, p := range policies {
		files = append(files, plantest.WritePolicy(t, p))
	}
	read, err := plan.ReadPolicies(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Parse(scenario(t, text), scenarios.Options{})
	if sc == nil {
		t.Fatal(err)
	}
	return plan.Compile(sc, plan.CompileOptions{Self: []string{os.Args[0], "role"}, Policies: read})
}

// bounded is a scenario with a load and a fault of each way to reach an address.
const bounded = `
version: 1
seed: 3
target: TARGET
warmup: {for: 2s}
load:
  base: {executor: constant-arrival-rate, rate: 100/s, duration: 40s, flow: [{get: /}]}
  sale: {executor: ramping-arrival-rate, start_rate: 0/s, stages: [{name: rise, duration: 20s, rate: 50/s}], flow: [{get: /}]}
  users: {executor: constant-vus, vus: 20, duration: 30s, flow: [{get: /}, {think: 1s}]}
guard: GUARD
chaos:
  it: FAULT
`

func boundedScenario(target, guard, fault string) string {
	return strings.NewReplacer("TARGET", target, "GUARD", guard, "FAULT", fault).Replace(bounded)
}

// TestPolicy compares scenarios with policies: a setting beyond one is refused, with its position
// and the policy's; a setting at the limit is accepted.
func TestPolicy(t *testing.T) {
	const (
		stack  = "{stack: demo}"
		url    = `{url: "http://127.0.0.1:9"}`
		crash  = "{at: 10s, process.crash: {service: posts}}"
		slow   = "{at: 10s, for: 5s, network.latency: {from: gateway, to: users, delay: 10ms}}"
		frozen = "{at: 10s, for: 5s, process.freeze: {pid: 4000001}}"

		pods    = `{url: "http://127.0.0.1:9", kubernetes: {context: c, namespace: shop}}`
		shop    = "{allow: {chaos: [kubernetes/c/shop]}}"
		deleted = "{at: 10s, pod.delete: {service: web}}"
	)
	for _, c := range []struct {
		name, target, guard, fault string
		policy                     string
		refused                    string // part of the message; empty means accepted
	}{
		{"nothing is bounded", stack, "{}", crash, "name: x", ""},
		{
			"rate", stack, "{}", crash, "max_rate: 149/s",
			"the loads come to 150/s at 20s, and POLICY:2:1 says max_rate: 149/s",
		},
		{"rate that fits", stack, "{}", crash, "max_rate: 150/s", ""},
		{
			"users", stack, "{}", crash, "max_users: 19",
			"the loads come to 20 virtual users at 0s, and POLICY:2:1 says max_users: 19",
		},
		{"users that fit", stack, "{}", crash, "max_users: 20", ""},
		{
			"duration", stack, "{}", crash, "max_duration: 41s",
			"the run takes 42s, its warm-up included, and POLICY:2:1 says max_duration: 41s",
		},
		{"duration that fits", stack, "{}", crash, "max_duration: 42s", ""},
		{
			"units", stack, "{}", "{at: 10s, process.crash: {service: posts, pick: all}}", "max_units: 1",
			"s.yaml:12:17: it hits 2 units, and POLICY:2:1 says max_units: 1",
		},
		{
			"units of the guard", stack, "{max_units: 2}", crash, "max_units: 1",
			"s.yaml:10:9: guard.max_units is 2, and POLICY:2:1 says max_units: 1",
		},
		{"units that fit", stack, "{max_units: 1}", crash, "max_units: 1", ""},
		{
			"time of a fault", stack, "{}", slow, "max_each: 4s",
			"s.yaml:12:17: it stays for 5s, and POLICY:2:1 says max_each: 4s",
		},
		{
			"time of a stage", stack, "{}", "{during: sale.rise, network.latency: {to: users, delay: 10ms}}", "max_each: 4s",
			"s.yaml:12:8: it stays for 20s",
		},
		{
			"time of the guard", stack, "{max_each: 6s}", slow, "max_each: 5s",
			"guard.max_each is 6s, and POLICY:2:1 says max_each: 5s",
		},
		{"time that fits", stack, "{}", slow, "max_each: 5s", ""},
		{
			"kind", stack, "{}", crash, "faults: [network.*]",
			"s.yaml:12:17: process.crash is not allowed, and POLICY:2:1 says faults: [network.*]",
		},
		{
			"kind that is forbidden", stack, "{}", crash, "forbid: [process.crash]",
			"process.crash is not allowed, and POLICY:2:10 says forbid: [process.crash]",
		},
		{"kind that fits", stack, "{}", crash, "faults: [process.*]\nforbid: [process.freeze]", ""},
		{
			"command of detect", stack, "{}", "{at: 10s, process.crash: {service: posts}, detect: {command: [noticed]}}",
			"forbid: [exec]", "s.yaml:12:50: it runs a command, as exec does, and POLICY:2:10 says forbid: [exec]",
		},
		{
			"command of leader", stack, "{}",
			"{at: 10s, process.crash: {service: posts, pick: leader, leader: {command: [leads]}}}", "faults: [process.*]",
			"it runs a command, as exec does, and POLICY:2:1 says faults: [process.*]",
		},
		{
			"command of a webhook", stack, "{}",
			`{at: 10s, for: 5s, webhook: {inject: {post: "http://127.0.0.1:9"}, verify: [fails], revert: {post: "http://127.0.0.1:9"}}}`,
			"forbid: [exec]", "it runs a command, as exec does",
		},
		{
			"command of a metric", url, "{}", frozen + "\nmetrics: {x: {command: echo 1}}", "forbid: [exec]",
			"s.yaml:13:14: it runs a command, as exec does, and POLICY:2:10 says forbid: [exec]",
		},
		{
			"command of setup", url, "{}", frozen + "\nsetup: [{command: echo 1}]", "forbid: [exec]",
			"s.yaml:13:9: it runs a command, as exec does, and POLICY:2:10 says forbid: [exec]",
		},
		{
			"command of ready", `{url: "http://127.0.0.1:9", ready: {command: echo 1}}`, "{}", frozen, "forbid: [exec]",
			"it runs a command, as exec does, and POLICY:2:10 says forbid: [exec]",
		},
		{
			"command of a watch", stack, "{}", crash + "\nwatch: {x: {of: posts, command: echo 1}}", "faults: [process.*]",
			"it runs a command, as exec does, and POLICY:2:1 says faults: [process.*]",
		},
		{
			"metric that runs no command", stack, "{}", crash + "\nmetrics: {x: {get: \"http://127.0.0.1:9\"}}",
			"forbid: [exec]", "",
		},
		{
			"command of a metric that fits", stack, "{}", crash + "\nmetrics: {x: {command: echo 1}}",
			"faults: [process.*, exec]", "",
		},
		{
			"command that fits", stack, "{}", "{at: 10s, process.crash: {service: posts}, detect: {command: [noticed]}}",
			"faults: [process.*, exec]", "",
		},
		{
			"no command", stack, "{}", `{at: 10s, process.crash: {service: posts}, detect: {get: "http://127.0.0.1:9"}}`,
			"forbid: [exec]", "",
		},
		{
			"target", stack, "{}", crash, "targets: [url]",
			"s.yaml:4:10: the target is a stack, and POLICY:2:1 says targets: [url]",
		},
		{"target that fits", stack, "{}", crash, "targets: [stack]", ""},
		{
			"process of the machine", url, "{}", frozen, "targets: [url]",
			"it hits process 4000001, which brunt did not start, and " +
				"POLICY:2:1 says targets: [url] without pid",
		},
		{"process that may be hit", url, "{}", frozen, "targets: [url, pid]", ""},
		{
			"protected service", stack, "{}", crash, "protect: {services: [posts]}",
			"it could touch posts[0], which POLICY:2:1 protects",
		},
		{
			"protected unit that may be picked", stack, "{}", crash, `protect: {units: ["posts[1]"]}`,
			"it could touch posts[1]",
		},
		{
			"protected unit that is not named", stack, "{}", `{at: 10s, process.crash: {unit: "posts[0]"}}`,
			`protect: {units: ["posts[1]"]}`, "",
		},
		{"end of a link", stack, "{}", slow, "protect: {services: [users]}", "it could touch users[0]"},
		{"beginning of a link", stack, "{}", slow, "protect: {services: [gateway]}", "it could touch gateway[0]"},
		{"another link", stack, "{}", slow, "protect: {services: [posts, store]}", ""},
		{"protected process", url, "{}", frozen, "protect: {pids: [4000001]}", "it could touch pid 4000001"},
		{
			"a command's unit", url, "{}", "{at: 10s, for: 5s, exec: {inject: [a], verify: [b], revert: [c], units: [db]}}",
			"protect: {services: [db]}", "it could touch db, which POLICY:2:1 protects",
		},
		{"another process", url, "{}", frozen, "protect: {pids: [400000]}", ""},
		{
			"steady state", stack, "{}", crash, "require: [seed, steady]",
			"s.yaml:12:7: a scenario with faults must have `steady`: POLICY:2:17 requires it",
		},
		{"seed", stack, "{}", crash, "require: [seed]", ""},
		{
			"range", stack, "{allow: {load: [10.1.0.0/16]}}", crash, "allow: {load: [10.1.2.0/24]}",
			"s.yaml:10:24: it names 10.1.0.0/16, and POLICY:2:1 says allow.load: [10.1.2.0/24]",
		},
		{"range within", stack, "{allow: {load: [10.1.2.128/25]}}", crash, "allow: {load: [10.1.2.0/24]}", ""},
		{"host", stack, "{allow: {load: [b.test]}}", crash, "allow: {load: [a.test]}", "it names b.test"},
		{"host that is named", stack, "{allow: {load: ['A.test:443']}}", crash, "allow: {load: [a.test]}", ""},
		{
			"host of which a port is named", stack, "{allow: {load: [a.test]}}", crash, "allow: {load: ['a.test:443']}",
			"it names a.test",
		},
		{
			"address", stack, "{allow: {load: ['10.1.2.3:80']}}", crash, "allow: {load: ['10.1.2.3:81']}",
			"it names 10.1.2.3:80",
		},
		{
			"loopback is always within", stack, "{allow: {load: [127.0.0.1, '::1', localhost, '127.0.0.1:80']}}", crash,
			"allow: {load: []}", "",
		},
		{
			"nothing at all", stack, "{allow: {load: [10.1.2.3]}}", crash, "allow: {load: []}",
			"it names 10.1.2.3, and POLICY:2:1 says allow.load: []",
		},
		{"no word of load", stack, "{allow: {load: [10.1.2.3]}}", crash, "allow: {chaos: []}", ""},
		{"chaos", stack, "{allow: {chaos: ['db.test:5432', 10.0.0.1]}}", crash, "allow: {chaos: [10.0.0.0/8, db.test]}", ""},
		{
			"chaos by a name that may lead within", stack, "{allow: {chaos: [db.test]}}", crash, "allow: {chaos: [10.0.0.0/8]}",
			"",
		},
		// checked when it connects
		{
			"load by a name that may lead within", stack, "{allow: {load: [db.test]}}", crash, "allow: {load: [10.0.0.0/8]}",
			"",
		},
		{
			"chaos that is not named", stack, "{allow: {chaos: [db.test]}}", crash, "allow: {chaos: [other.test]}",
			"it names db.test, and POLICY:2:1 says allow.chaos: [other.test]",
		},
		{"pods", pods, shop, deleted, "targets: [url, kubernetes]", ""},
		{
			"no pods", pods, shop, deleted, "targets: [url]",
			"it names pods that brunt did not start, and POLICY:2:1 says targets: [url] without kubernetes",
		},
		{"a namespace of pods", pods, shop, deleted, "allow: {chaos: [kubernetes/c/shop]}", ""},
		{
			"another namespace of pods", pods, shop, deleted, "allow: {chaos: [kubernetes/c/other]}",
			"it names kubernetes/c/shop",
		},
		{
			"a protected namespace", pods, shop, deleted, "protect: {namespaces: [shop]}",
			"the namespace shop is protected by POLICY:2:1",
		},
		{"a family of pods", pods, shop, deleted, "forbid: [pod.*]", "pod.delete is not allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := boundedScenario(c.target, c.guard, c.fault)
			_, err := underPolicies(t, text, c.policy)
			var said strings.Builder
			if err != nil {
				for line := range strings.Lines(plantest.Explained(err)) {
					if i := strings.Index(line, "/policy.yaml"); i >= 0 {
						from := strings.LastIndexAny(line[:i], " \t(") + 1
						line = line[:from] + "POLICY" + line[i+len("/policy.yaml"):]
					}
					said.WriteString(line)
				}
			}
			if c.refused == "" && said.String() != "" ||
				!strings.Contains(strings.ReplaceAll(said.String(), "scenario.yaml", "s.yaml"), c.refused) {
				t.Errorf("said\n%s\nwant %q", said.String(), c.refused)
			}
		})
	}
}

// TestPolicy_All: all policies apply, and a scenario that leaves a bound open gets the smallest of
// the policies' bounds.
func TestPolicy_All(t *testing.T) {
	text := boundedScenario("{stack: demo}", "{}", "{at: 10s, process.crash: {service: posts}}")
	planned, err := underPolicies(t, text,
		"max_units: 3\nmax_each: 2s\nmax_in_flight: 70\nallow: {chaos: [10.0.0.0/8, a.test, b.test]}",
		"max_units: 2\nmax_each: 4s\nmax_in_flight: 90\nallow: {chaos: [10.1.0.0/16, a.test]}", "name: third")
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	g := planned.Scenario.Guard
	if g.MaxUnits != 2 || g.MaxEach.String() != "2s" {
		t.Errorf("%+v", g)
	}
	if lists := [][]string{
		{"10.0.0.0/8", "a.test", "b.test"}, {"10.1.0.0/16", "a.test"},
	}; !reflect.DeepEqual(planned.ChaosRules(), lists) {
		t.Errorf("calls may go to what all of %v hold", planned.ChaosRules())
	}
	own := &plan.Plan{
		Policies: planned.Policies,
		Scenario: &scenarios.Scenario{Guard: scenarios.Guard{Allow: scenarios.Allow{Load: []string{"m.test"}}}},
	}
	if lists := [][]string{
		{"m.test", "10.0.0.0/8", "a.test", "b.test"}, {"m.test", "10.1.0.0/16", "a.test"},
	}; !reflect.DeepEqual(own.MonitoringRules(), lists) {
		t.Errorf("the monitoring may be asked where all of %v hold it", own.MonitoringRules())
	}
	for i := range planned.Loads {
		want := 70
		if planned.Loads[i].Schedule.Closed() {
			want = 0
		}
		if planned.Loads[i].MaxInFlight != want {
			t.Errorf("%s may have %d in flight, want %d", planned.Loads[i].Name, planned.Loads[i].MaxInFlight, want)
		}
	}
	if n := len(planned.Policies); n != 3 {
		t.Errorf("%d policies", n)
	}
	_, err = underPolicies(t, text, "max_rate: 1000/s", "max_rate: 10/s", "forbid: [process.*]")
	if err == nil || !strings.Contains(err.Error(), "max_rate: 10/s") ||
		!strings.Contains(err.Error(), "forbid: [process.*]") || strings.Contains(err.Error(), "1000/s") {
		t.Errorf("%v", err)
	}
}

// TestPolicy_Picked: a fault hits no protected unit, even if the pick is known only when the fault
// is planned.
func TestPolicy_Picked(t *testing.T) {
	plan, err := underPolicies(t, boundedScenario("{stack: demo}", "{}",
		"{at: 10s, process.crash: {service: posts, pick: all}}"), "name: x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dryrun.Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	plan.Policies[0].Protect.Units = []string{"posts[1]"} // as if the check before the run had missed it
	if _, err := dryrun.Run(t.Context(), plan); err == nil || !strings.Contains(err.Error(), "posts[1] is protected by") {
		t.Errorf("%v", err)
	}
	one, err := plan.Single("it", 0)
	if err != nil {
		t.Fatal(err)
	}
	in, err := run.Inject(t.Context(), one, run.Options{State: t.TempDir()})
	if err != nil || in.Verdict != scenarios.Invalid || in.Injected.Known() ||
		!strings.Contains(in.Reason, "posts[1] is protected by") {
		t.Errorf("%+v, %v", in, err)
	}
}

// TestAllowlist_Policy sends load beyond a policy: by a redirect and by an address in data. It never
// arrives, unless the policy names the address.
func TestAllowlist_Policy(t *testing.T) {
	t.Parallel()
	remote := newOutsider(t)
	text := `
version: 1
target: {url: "http://` + remote.addr + `"}
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 1s, flow: [{get: /}]}}
`
	if _, err := underPolicies(t, text, "allow: {load: [198.51.100.0/24]}"); err == nil ||
		!strings.Contains(err.Error(), "policy.yaml:2:1 (allow.load) does not let load go to "+remote.ip) {
		t.Errorf("%v", err)
	}
	data := strings.Replace(text, "target: {url: \"http://"+remote.addr,
		"data: {to: {inline: [\""+remote.addr+"\"]}}\ntarget: {url: \"http://127.0.0.1:9", 1)
	data = strings.Replace(data, "get: /", `get: "http://${data.to.value}/"`, 1)
	data = strings.Replace(data, "127.0.0.1:9", newServer(t, "serve").addr, 1)
	for _, c := range []struct {
		policy string
		hits   bool
	}{
		{"allow: {load: []}", false},
		{"allow: {load: [198.51.100.0/24]}", false},
		{"allow: {load: [" + remote.ip + "]}", true},
	} {
		plan, err := underPolicies(t, data, c.policy)
		if err != nil {
			t.Fatal(plantest.Explained(err))
		}
		before := remote.hits.Load()
		res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if hit := remote.hits.Load() > before; hit != c.hits {
			t.Errorf("under %q: %d connections arrived (%s)", c.policy, remote.hits.Load()-before, res.Reason)
		}
		if !slices.ContainsFunc(res.Notes, func(n string) bool { return strings.HasPrefix(n, `held to policy "policy"`) }) {
			t.Errorf("the notes are %v", res.Notes)
		}
	}
}

// TestPolicy_Demo: a policy that forbids stacks forbids the demo.
func TestPolicy_Demo(t *testing.T) {
	policies, err := plan.ReadPolicies([]string{plantest.WritePolicy(t, "targets: [url]")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = run.Demo(t.Context(), run.DemoOptions{Policies: policies, State: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "the target is a stack") {
		t.Errorf("%v", err)
	}
}
