package drills_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/result"
)

const lagText = `drill: 1
name: lag
family: dependency
about: A link is slow.
roles:
  link: {is: link, about: a link}
params: {delay: 40ms}
lasts: 20s
chaos:
  lag: {at: 8s, for: 5s, slow: {on: "${role.link}", delay: "${drill.delay}"}}
slo:
  served: {objective: errors < 1% in lag, missing: Retries answer what fails once.}
  swift: {objective: p95 < 100ms in lag, missing: Timeouts bound the wait for a slow link.}
proof:
  roles: {link: web->store}
  mutants:
    slow: {scenario: {name: slow}, fails: [swift]}
`

const shopText = `version: 1
name: shop
target: {processes: {web: {command: [sh], links: [store], replicas: 2}, store: {command: [sh]}}, entry: web}
load:
  readers: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /, name: read}]}
  rush: {executor: spike, start: 10s, base: 1/s, peak: 9/s, rise: 1s, hold: 1s, fall: 1s, flow: [{get: /, name: rush}]}
chaos:
  lag: {at: 20s, for: 5s, require_impact: true, network.stall: {from: web, to: store}}
  lose: {at: 30s, process.crash: {service: web}}
slo: [p95 < 800ms, errors < 2% in lag, p90 < 300ms in baseline]
`

func parsed(t *testing.T, text string, set map[string]string) *drills.Drill {
	t.Helper()
	d, err := drills.Parse("my.yaml", []byte(text), set)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func shop(t *testing.T, text string) *drills.Base {
	t.Helper()
	tree, err := drills.Tree("shop.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := plantest.CompileText(text)
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	return &drills.Base{Plan: plan, Tree: tree}
}

// TestLay: the scenario describes the system, the drill what fails, and the limits are those of the scenario where it
// has some.
func TestLay(t *testing.T) {
	d := parsed(t, lagText, map[string]string{"delay": "70ms"})
	laid, err := d.Lay(shop(t, shopText), map[string]string{"link": "web->store"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plantest.CompileText(laid.Text)
	if err != nil {
		t.Fatalf("%v\n%s", plantest.Explained(err), laid.Text)
	}
	var slo []string
	for _, o := range p.Scenario.SLO {
		slo = append(slo, o.Text)
	}
	if want := []string{"errors < 1% in lag", "p95 < 800ms in lag", "p90 < 300ms in baseline"}; !slices.Equal(slo, want) {
		t.Errorf("objectives %q, want %q", slo, want)
	}
	if len(p.Faults) != 1 || p.Faults[0].Kind != "network.latency" || p.Faults[0].RequireImpact ||
		!strings.Contains(laid.Text, "delay: 70ms") {
		t.Errorf("the faults are not those of the drill:\n%s", laid.Text)
	}
	if len(p.Loads) != 1 || !strings.Contains(laid.Text, "duration: 20s") || len(laid.Notes) != 1 {
		t.Errorf("the loads are not those of the drill: %q\n%s", laid.Notes, laid.Text)
	}
	if p.Scenario.Name != "shop: lag" {
		t.Errorf("its name is %s", p.Scenario.Name)
	}
}

// TestLay_Extends: over a file, the text extends it, and what is merged over the file for a mutant stands in it.
func TestLay_Extends(t *testing.T) {
	base := shop(t, shopText)
	over, err := drills.Tree("", "params: {a: 1}")
	if err != nil {
		t.Fatal(err)
	}
	base.File, base.Tree, base.Over = "shop.yaml", nil, over
	laid, err := parsed(t, lagText, nil).Lay(base, map[string]string{"link": "load->web"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"extends: shop.yaml\n", "lose: null", "rush: null", "require_impact: null", "a: 1", "from: load",
		"# The drill lag: link is load->web.",
	} {
		if !strings.Contains(laid.Text, want) {
			t.Errorf("%q is missing:\n%s", want, laid.Text)
		}
	}
}

// TestLay_NoLoad: a scenario whose loads have no duration is refused.
func TestLay_NoLoad(t *testing.T) {
	only := strings.Replace(shopText,
		"  readers: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /, name: read}]}\n", "", 1)
	only = only[:strings.Index(only, "chaos:")]
	if _, err := parsed(t, lagText, nil).Lay(shop(t, only), map[string]string{"link": "web->store"}); err == nil ||
		!strings.Contains(err.Error(), "`duration`") {
		t.Errorf("%v", err)
	}
}

// TestParse_Mistakes: each mistake of a drill has its place and a hint.
func TestParse_Mistakes(t *testing.T) {
	for _, c := range []struct{ name, old, with, want string }{
		{"key", "family:", "famly:", `my.yaml:3:1: unknown key "famly"; did you mean "family"?`},
		{"name", "name: lag", "name: a lag", `my.yaml:2:1: "a lag" can't name a drill`},
		{"param", "${drill.delay}", "${drill.dealy}", `my.yaml:10:60: the drill has no param "dealy"; did you mean "delay"?`},
		{"role", "${role.link}", "${role.lnk}", `my.yaml:10:37: the drill has no role "lnk"; did you mean "link"?`},
		{"sort of role", "is: link", "is: lnk", "my.yaml:6:14: `is` can't be \"lnk\"; did you mean \"link\"?"},
		{
			"proof's role", "link: web->store", "lnk: web->store",
			`my.yaml:15:11: the drill has no role "lnk"; did you mean "link"?`,
		},
		{"objective of a mutant", "[swift]", "[swfit]", `the drill has no objective "swfit"; did you mean "swift"?`},
		{"act", `{on: "${role.link}", delay: "${drill.delay}"}`, "40ms!", ""},
		{
			"act without a part", `{on: "${role.link}", delay: "${drill.delay}"}`, "{delay: 40ms}",
			"my.yaml:10:32: slow says what it acts on",
		},
		{"no sentence", ", missing: Retries answer what fails once.", "", `"missing" is missing`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := drills.Parse("my.yaml", []byte(strings.Replace(lagText, c.old, c.with, 1)), nil)
			if c.want == "" {
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	_, err := drills.Parse("my.yaml", []byte(lagText), map[string]string{"dely": "1s"})
	if want := `--set dely: the drill has no param "dely"; did you mean "delay"?`; err == nil ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestBind: what can't play a role is refused with what can.
func TestBind(t *testing.T) {
	crash, err := drills.Find("replica-crash", nil)
	if err != nil {
		t.Fatal(err)
	}
	two := drills.System{
		Replicas: map[string]int{"web": 2, "store": 1}, Links: []string{"web->store"}, Breaks: drills.Processes,
	}
	for _, c := range []struct {
		name   string
		system drills.System
		roles  map[string]string
		want   string
	}{
		{"bound", two, map[string]string{"replica": "web"}, ""},
		{"not bound", two, nil, "--role replica=…: a service with several replicas, such as web"},
		{
			"misspelt", two,
			map[string]string{"replica": "wbe"},
			`role replica: there is no service "wbe"; did you mean "web"?`,
		},
		{"too few", two, map[string]string{"replica": "store"}, "store has 1 of the 2 replicas"},
		{
			"another role", two,
			map[string]string{"replica": "web", "replcia": "web"},
			`has no role "replcia"; did you mean "replica"?`,
		},
		{"one replica", drills.System{Replicas: map[string]int{"web": 1}}, nil, "no service with 2 replicas"},
		{
			"found later",
			drills.System{Replicas: map[string]int{"web": 0}, Breaks: drills.Containers},
			map[string]string{"replica": "web"},
			"",
		},
		{
			"a URL alone",
			drills.System{Replicas: map[string]int{"web": 0}, Breaks: drills.LinkOnly},
			map[string]string{"replica": "web"},
			"--service NAME=container:CONTAINER",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := crash.Bind(c.system, c.roles)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	durable, err := drills.Find("durability", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := durable.Fits(two); err == nil || !strings.Contains(err.Error(), "needs a ledger") {
		t.Error(err)
	}
}

// TestFind: an unknown drill is refused with the nearest.
func TestFind(t *testing.T) {
	if _, err := drills.Find("replica-crsh", nil); err == nil ||
		!strings.Contains(err.Error(), `did you mean "replica-crash"?`) {
		t.Error(err)
	}
}

// TestJudge: a mutant fails by an objective that its proof names, with its whole interval beyond the target.
func TestJudge(t *testing.T) {
	d := parsed(t, lagText, nil)
	laid, err := d.Lay(shop(t, shopText), map[string]string{"link": "web->store"})
	if err != nil {
		t.Fatal(err)
	}
	mutant := &d.Proof.Mutants[0]
	run := func(v, swift scenarios.Verdict, low, high float64) *result.Result {
		return &result.Result{
			Verdict: v, Reason: "so it was", Generator: result.Generator{Healthy: true},
			Objectives: []result.ObjectiveResult{
				{Text: "errors < 1% in lag", Op: "<", Verdict: scenarios.Pass},
				{
					Text: "p95 < 800ms in lag", Op: "<", Target: .8, Measured: 1, Low: result.Num(low), High: result.Num(high),
					Verdict: swift,
				},
			},
		}
	}
	for _, c := range []struct {
		name   string
		mutant *drills.Mutant
		res    *result.Result
		want   drills.Answer
	}{
		{"good passes", nil, run(scenarios.Pass, scenarios.Pass, .1, .2), drills.Proved},
		{"good fails", nil, run(scenarios.Fail, scenarios.Fail, .9, 1.2), drills.Refuted},
		{"good shows nothing", nil, run(scenarios.Invalid, scenarios.Pass, .1, .2), drills.Spoilt},
		{"mutant fails", mutant, run(scenarios.Fail, scenarios.Fail, .9, 1.2), drills.Proved},
		{"mutant fails in doubt", mutant, run(scenarios.Fail, scenarios.Fail, .7, 1.2), drills.Refuted},
		{"mutant fails by another", mutant, run(scenarios.Fail, scenarios.Pass, .1, .2), drills.Refuted},
		{"mutant passes", mutant, run(scenarios.Pass, scenarios.Pass, .1, .2), drills.Refuted},
		{"mutant shows nothing", mutant, run(scenarios.Inconclusive, scenarios.Pass, .1, .2), drills.Spoilt},
		{"a fault stays", mutant, run(scenarios.NotReverted, scenarios.Fail, .9, 1.2), drills.Refuted},
	} {
		t.Run(c.name, func(t *testing.T) {
			if j := d.Judge(laid, c.mutant, c.res); j.Answer != c.want {
				t.Errorf("%+v, want %s", j, c.want)
			}
		})
	}
	share := func(measured result.Num, n int64) *result.Result {
		bound := result.Num(.5)
		return &result.Result{Verdict: scenarios.Fail, Objectives: []result.ObjectiveResult{{
			Text: "errors < 1% in lag", Op: "<", Target: .01, Measured: measured, Low: result.NaN, High: result.NaN,
			Bound: &bound, Count: n, Verdict: scenarios.Fail,
		}}}
	}
	busy := run(scenarios.Fail, scenarios.Fail, .9, 1.2)
	busy.Generator.Healthy = false
	if j := d.Judge(laid, nil, busy); j.Answer != drills.Spoilt {
		t.Errorf("a good system on a busy machine: %+v", j)
	}
	fails := &drills.Mutant{Fails: []string{"served"}}
	if j := d.Judge(laid, fails, share(.05, 400)); j.Answer != drills.Proved {
		t.Errorf("5 %% of 400 requests: %+v", j)
	}
	if j := d.Judge(laid, fails, share(.02, 100)); j.Answer != drills.Refuted {
		t.Errorf("2 %% of 100 requests, which may be 1 %%: %+v", j)
	}
	missing := laid.Missing(run(scenarios.Fail, scenarios.Fail, .9, 1.2))
	if len(missing) != 1 || missing[0][0] != "p95 < 800ms in lag" || !strings.HasPrefix(missing[0][1], "Timeouts") {
		t.Errorf("%q", missing)
	}
	untried := run(scenarios.Invalid, scenarios.Fail, .9, 1.2)
	untried.Reasons = []result.Reason{{Kind: result.BaselineFailed}}
	if missing := laid.Missing(untried); len(missing) > 0 {
		t.Errorf("a run that tried nothing: %q", missing)
	}
}

// TestBound: a scenario names roles once for all drills, and --role overrides them.
func TestBound(t *testing.T) {
	d := parsed(t, lagText, nil)
	for _, c := range []struct {
		name            string
		scenario, given map[string]string
		want            string
	}{
		{"of the scenario", map[string]string{"link": "a->b", "replica": "web"}, nil, "a->b"},
		{"given", map[string]string{"link": "a->b"}, map[string]string{"link": "b->c"}, "b->c"},
	} {
		if got := d.Bound(c.scenario, c.given); len(got) != 1 || got["link"] != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestRange: figures of several runs are the least and the largest of them.
func TestRange(t *testing.T) {
	for _, c := range []struct {
		figures []string
		want    string
	}{
		{nil, ""},
		{[]string{"lost 0", "lost 0"}, "lost 0"},
		{[]string{"p80 2.44s", "p80 407ms", "p80 403ms"}, "p80 403ms … p80 2.44s"},
		{[]string{"errors 9%, p50 1ms", "errors 44.5%, p50 ∞"}, "errors 9%, p50 1ms … errors 44.5%, p50 ∞"},
		{[]string{"mean(asks) 10.4/s", "mean(asks) 9.4/s"}, "mean(asks) 9.4/s … mean(asks) 10.4/s"},
		{[]string{"duplicated 51", "duplicated 9"}, "duplicated 9 … duplicated 51"},
	} {
		if got := drills.Range(c.figures); got != c.want {
			t.Errorf("%q: %q, want %q", c.figures, got, c.want)
		}
	}
}
