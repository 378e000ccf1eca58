package dryrun_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/suite"
)

// aPlanned is a scenario in a folder of its own, to make a plan of.
type aPlanned struct {
	dir  string
	text string
	set  map[string]string
	env  string // the value of ${env.TOKEN}
}

func (a *aPlanned) compile(t *testing.T, was *dryrun.PlanFile) *plan.Plan {
	t.Helper()
	file := filepath.Join(a.dir, "s.yaml")
	if err := os.WriteFile(file, []byte(a.text), 0o600); err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Parse(file, scenarios.Options{
		Set: a.set, Env: func(string) (string, bool) { return a.env, true },
	})
	if sc == nil {
		t.Fatal(err)
	}
	if was != nil && !sc.SeedGiven {
		sc.Seed = was.Seed
	}
	plan, err := plan.Compile(sc, plan.CompileOptions{Self: []string{os.Args[0], "role", "demo-service"}})
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	return plan
}

// TestPlan_Drift: a plan is kept whole; without a change there is no difference, and each change is
// described.
func TestPlan_Drift(t *testing.T) {
	const demo = `version: 1
params: {replicas: 2, url: x}
target: {stack: demo, with: {posts: {replicas: "${replicas}"}}}
data: {users: {csv: users.csv}}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, flow: [{get: "/${data.users.id}", headers: {X-Token: "${env.TOKEN}"}}]}
chaos:
  frozen: {at: 5s, for: 1s, process.freeze: {service: posts}}
  slow: {after: frozen, wait: 2s, for: 1s, network.latency: {from: load, to: gateway, delay: 5ms}}
`
	const processes = `version: 1
target:
  processes:
    web: {command: [./web.sh, "${self.port}"], dir: DIR, links: [store]}
    store: {command: [sh, ./store.sh], dir: DIR}
  entry: web
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, flow: [{get: /}]}}
`
	replace := func(a *aPlanned, from, to string) {
		if !strings.Contains(a.text, from) {
			panic(from)
		}
		a.text = strings.Replace(a.text, from, to, 1)
	}
	write := func(a *aPlanned, name, text string) {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o700); err != nil {
			panic(err)
		}
	}
	for _, c := range []struct {
		name, text string
		change     func(a *aPlanned)
		want       []string // all differences, each by a part of its text
	}{
		{"nothing", demo, func(*aPlanned) {}, nil},
		{"a comment", demo, func(a *aPlanned) { a.text += "# more\n" }, nil},
		{"a seed of its own", demo + "seed: 5\n", func(*aPlanned) {}, nil},
		{
			"another seed", demo + "seed: 5\n", func(a *aPlanned) { replace(a, "seed: 5", "seed: 6") },
			[]string{"the seed is 6, the plan says 5", "seed is 6, the plan says 5"},
		},
		{
			"a replica by --set", demo, func(a *aPlanned) { a.set = map[string]string{"replicas": "3"} },
			[]string{"posts has 3 replicas, the plan says 2", "target.with.posts.replicas is 3, the plan says 2"},
		},
		{
			"a replica by the file", demo, func(a *aPlanned) { replace(a, "replicas: 2", "replicas: 1") },
			[]string{"posts has 1 replica, the plan says 2", "target.with.posts.replicas is 1"},
		},
		{
			"a rate", demo, func(a *aPlanned) { replace(a, "100/s", "200/s") },
			[]string{"load.main.rate is 200/s, the plan says 100/s"},
		},
		{
			"a time", demo, func(a *aPlanned) { replace(a, "at: 5s", "at: 6s") },
			[]string{
				"frozen comes at 6s, to be over at 7s; the plan says 5s and 6s", "slow comes at 9s",
				"chaos.frozen.at is 6s, the plan says 5s",
			},
		},
		{
			"a fault more", demo,
			func(a *aPlanned) { a.text += "  more: {at: 15s, for: 1s, network.stall: {to: users}}\n" },
			[]string{
				"fault more is not in the plan", "chaos.more.at is 15s, and is not in the plan", "chaos.more.for",
				"chaos.more.network.stall.to",
			},
		},
		{
			"a fault less", demo, func(a *aPlanned) { a.text, _, _ = strings.Cut(a.text, "  slow") },
			[]string{
				"fault slow of the plan is gone", "chaos.slow.after is not said, the plan says frozen", "chaos.slow",
				"chaos.slow", "chaos.slow", "chaos.slow", "chaos.slow",
			},
		},
		{
			"a file", demo, func(a *aPlanned) { write(a, "users.csv", "id\n2\n") },
			[]string{"file users.csv has changed since the plan was made"},
		},
		{
			"a file that a request sends",
			strings.Replace(demo, `[{get: "/`, `[{post: /posts, body: {file: post.json}}, {get: "/`, 1),
			func(a *aPlanned) { write(a, "post.json", "{}") },
			[]string{"file post.json has changed since the plan was made"},
		},
		{
			"a secret", demo, func(a *aPlanned) { a.env = "another secret" },
			[]string{"a secret, of the environment or of a file, has another value"},
		},
		{
			"a program", processes, func(a *aPlanned) { write(a, "web.sh", "exit 1") },
			[]string{"program of web web.sh has changed"},
		},
		{
			"an argument", processes, func(a *aPlanned) { write(a, "store.sh", "exit 1") },
			[]string{"program of store store.sh has changed"},
		},
		{
			"a restart", processes, func(a *aPlanned) { replace(a, "sh, ./store.sh]", "sh, ./store.sh], restart: never") },
			[]string{"store is restarted never, the plan says on-failure", "target.processes.store.restart is never"},
		},
		{
			"a link less", processes, func(a *aPlanned) { replace(a, ", links: [store]", "") },
			[]string{"web calls nothing, the plan says store", "target.processes.web.links"},
		},
		{"a service less", processes, func(a *aPlanned) {
			replace(a, ", links: [store]", "")
			a.text = a.text[:strings.Index(a.text, "    store:")] + a.text[strings.Index(a.text, "  entry:"):]
		}, []string{
			"web calls nothing", "service store of the plan is gone", "is not said", "is not said", "is not said",
			"is not said",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.name != "nothing" && c.name != "a program" {
				t.Skip("two plans are compiled and compared")
			}
			t.Parallel()
			a := &aPlanned{dir: t.TempDir(), env: "the first secret"}
			a.text = strings.ReplaceAll(c.text, "DIR", a.dir)
			write(a, "users.csv", "id\n1\n")
			write(a, "web.sh", "exit 0")
			write(a, "post.json", "{ }")
			write(a, "store.sh", "exit 0")
			made, err := dryrun.NewPlanFile(t.Context(), a.compile(t, nil), a.dir, a.set)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(made)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "secret") {
				t.Errorf("the plan shows a secret: %s", text)
			}
			if strings.Contains(string(text), fmt.Sprintf("%x", sha256.Sum256([]byte("exit 0")))) {
				t.Errorf("a digest of what may hold a secret has no salt: %s", text)
			}
			was, err := dryrun.ReadPlan(text)
			if err != nil {
				t.Fatal(err)
			}
			c.change(a)
			found, err := dryrun.Drift(t.Context(), a.compile(t, was), was, a.dir, a.set)
			if err != nil {
				t.Fatal(err)
			}
			rest := slices.Clone(found)
			for _, want := range c.want {
				i := slices.IndexFunc(rest, func(f string) bool { return strings.Contains(f, want) })
				if i < 0 {
					t.Errorf("%q is not reported", want)
					continue
				}
				rest = slices.Delete(rest, i, i+1)
			}
			// the pick depends on the number of replicas
			steps := func(f string) bool { return strings.Contains(f, " would stop posts[") }
			if rest = slices.DeleteFunc(rest, steps); len(rest) > 0 || t.Failed() {
				t.Errorf("reported:\n%s", strings.Join(found, "\n"))
			}
		})
	}
}

// TestPlan_Process compares a plan with the process that its fault names: the same one, another with
// the same number, and none.
func TestPlan_Process(t *testing.T) {
	suite.Needs(t, suite.Localhost)
	cmd := exec.Command(os.Args[0], "role", "sleep")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(end)
	a := &aPlanned{dir: t.TempDir()}
	a.text = fmt.Sprintf(`version: 1
target: {url: "http://localhost:1"}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, flow: [{get: /}]}}
chaos: {frozen: {at: 5s, for: 1s, process.freeze: {pid: %d}}}
`, cmd.Process.Pid)
	was, err := dryrun.NewPlanFile(t.Context(), a.compile(t, nil), a.dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	drift := func() string {
		t.Helper()
		found, err := dryrun.Drift(t.Context(), a.compile(t, was), was, a.dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(found, "\n")
	}
	if found := drift(); found != "" {
		t.Errorf("nothing changed, and it tells of %s", found)
	}
	if len(was.Target.Addresses) == 0 || !netip.MustParseAddr(was.Target.Addresses[0]).IsLoopback() {
		t.Errorf("localhost leads to %v", was.Target.Addresses)
	}
	was.Target.Addresses = []string{"10.0.0.1"} // as if the name had moved since
	if found := drift(); !strings.Contains(found, "http://localhost:1 leads to ") ||
		!strings.Contains(found, ", the plan says 10.0.0.1") {
		t.Errorf("it tells of %q", found)
	}
	began := &was.Faults[0].Processes[0].Start
	*began-- // as if another process had had the number when the plan was made
	if found := drift(); !strings.Contains(found, fmt.Sprintf("process %d", cmd.Process.Pid)) ||
		!strings.Contains(found, "is another than the plan's") {
		t.Errorf("it tells of %q", found)
	}
	*began++
	end()
	if found := drift(); !strings.Contains(found, fmt.Sprintf("process %d is no more", cmd.Process.Pid)) {
		t.Errorf("it tells of %q", found)
	}
}

// FuzzReadPlan: each plan that can be read can be compared.
func FuzzReadPlan(f *testing.F) {
	for _, s := range []string{
		"", "{}", `{"version":1}`, `{"version":2}`,
		`{"version":1,"salt":"00112233445566778899aabbccddeeff","scenario":{"file":"s.yaml"}}`, `[1]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := dryrun.ReadPlan(text)
		if err == nil && (p.Version != dryrun.PlanVersion || p.Scenario.File == "" || len(p.Salt) < 32) {
			t.Errorf("%+v", p)
		}
	})
}
