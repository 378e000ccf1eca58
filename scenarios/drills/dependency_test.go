package drills_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/policies"
	"brunt/scenarios/result"
	"brunt/scenarios/result/programme"
	"brunt/scenarios/slo"
)

// A phase of requests of a step: how many, how many of them failed, and the median and 90th percentile of the good
// ones.
type asked struct {
	all, bad int64
	p50, p90 result.Num
}

// outage is a run in which one fault was in: the cells of two steps, in the baseline and during the fault.
func outage(name string, after int, f result.FaultRecord, before, during map[string]asked) drills.Tried {
	f.Name, f.Limit, f.Injected, f.Until = "f", .01, 10, 15
	r := &result.Result{
		Started: time.Date(2026, 1, 1, after, 0, 0, 0, time.UTC), Verdict: scenarios.Fail, Faults: []result.FaultRecord{f},
		Usage: []result.UnitUsage{{Unit: "web[0]"}, {Unit: "web[1]"}, {Unit: "store[0]"}, {Unit: "names[0]"}},
		Loads: []result.LoadInfo{{Name: "users", Steps: []string{"list", "write"}}},
	}
	for phase, steps := range map[string]map[string]asked{"baseline": before, "f": during} {
		for step, a := range steps {
			row := func(outcome string, n int64) {
				r.Cells = append(r.Cells, result.Cell{
					Phase: slo.ParsePhase(phase), Load: "users", Step: step, Outcome: outcome, Count: n,
					Response: result.Times{P50: a.p50, P90: a.p90},
				})
			}
			row("*", a.all)
			row("ok", a.all-a.bad)
			row("error", a.bad)
		}
	}
	return drills.Tried{Name: name, Link: name + ".html", Result: r}
}

var (
	well = map[string]asked{"list": {1000, 1, .002, .004}, "write": {1000, 0, .003, .005}}
	gone = result.FaultRecord{Kind: "process.crash", Units: []string{"store[0]"}, Verified: 1, Traffic: 9}
)

// TestNewDependencies: a step needs a service as far as its requests show it while all units of the service are away.
func TestNewDependencies(t *testing.T) {
	half := gone
	half.Units = []string{"web[0]"}
	both := half
	both.Units = []string{"web[0]", "web[1]"}
	cut := gone
	cut.Kind, cut.Units = "network.blackhole", []string{"web[0]->names[0]", "web[1]->names[0]"}
	oneCaller := cut
	oneCaller.Units = cut.Units[:1]
	two := gone
	two.Units = []string{"store[0]", "names[0]"}
	slow := gone
	slow.Kind = "network.latency"
	apart := gone
	apart.Kind = "network.disconnect"
	unmet := gone
	unmet.Traffic = 0
	late := gone
	late.Parts = &result.ImpactParts{SlowerBecause: result.Notes{{Kind: result.SlowerVaried}}}
	one := gone
	one.Parts = &result.ImpactParts{SlowerBecause: result.Notes{{Kind: result.SlowerStep, Of: "write", Part: 9, Count: 9}}}
	for _, c := range []struct {
		name    string
		fault   result.FaultRecord
		during  map[string]asked
		service string
		want    map[string]drills.Need
	}{
		{
			"they fail", gone,
			map[string]asked{"list": {500, 100, .002, .004}, "write": {500, 0, .003, .005}},
			"store",
			map[string]drills.Need{"list": drills.Hard, "write": drills.Apart},
		},
		{
			"they are slower", gone,
			map[string]asked{"list": {500, 0, .002, .1}, "write": {500, 0, .1, .2}},
			"store",
			map[string]drills.Need{"list": drills.Soft, "write": drills.Soft},
		},
		{
			"a little slower is not slower", gone,
			map[string]asked{"list": {500, 0, .01, .02}},
			"store",
			map[string]drills.Need{"list": drills.Apart},
		},
		{
			"whether they are slower is untested", late,
			map[string]asked{"list": {500, 0, .002, .004}},
			"store",
			map[string]drills.Need{"list": drills.Vague},
		},
		{
			"one of them may be slower", one,
			map[string]asked{"list": {500, 0, .002, .004}, "write": {500, 0, .003, .005}},
			"store",
			map[string]drills.Need{"list": drills.Apart, "write": drills.Vague},
		},
		{
			"few requests", gone,
			map[string]asked{"list": {20, 0, .002, .004}},
			"store",
			map[string]drills.Need{"list": drills.Vague},
		},
		{
			"as few fail as before", gone,
			map[string]asked{"list": {500, 1, .002, .004}},
			"store",
			map[string]drills.Need{"list": drills.Apart},
		},
		{
			"all replicas", both,
			map[string]asked{"list": {500, 400, .002, .004}},
			"web",
			map[string]drills.Need{"list": drills.Hard},
		},
		{"one replica", half, map[string]asked{"list": {500, 400, .002, .004}}, "", nil},
		{
			"all links to it", cut,
			map[string]asked{"list": {500, 400, .002, .004}},
			"names",
			map[string]drills.Need{"list": drills.Hard},
		},
		{"the links of one caller", oneCaller, map[string]asked{"list": {500, 400, .002, .004}}, "", nil},
		{"two services", two, map[string]asked{"list": {500, 400, .002, .004}}, "", nil},
		{"a slow link takes nothing away", slow, map[string]asked{"list": {500, 400, .002, .004}}, "", nil},
		{
			"out of its network", apart,
			map[string]asked{"list": {500, 400, .002, .004}},
			"store",
			map[string]drills.Need{"list": drills.Hard},
		},
		{"it met no traffic", unmet, map[string]asked{"list": {500, 400, .002, .004}}, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := drills.NewDependencies([]drills.Tried{outage("run", 1, c.fault, well, c.during)})
			if c.service == "" {
				if len(d.Cells) > 0 {
					t.Errorf("%+v, want none", d.Cells)
				}
				return
			}
			for step, need := range c.want {
				if got := d.Cells[[2]string{step, c.service}]; got.Need != need || got.Link != "run.html" ||
					!strings.HasPrefix(got.Why, "run: while "+c.service) {
					t.Errorf("%s: %+v, want %s", step, got, need)
				}
			}
		})
	}
}

// TestNewDependencies_StepOfTwoLoads: a step that may be slower is that of the load which the note names.
func TestNewDependencies_StepOfTwoLoads(t *testing.T) {
	one := gone
	one.Parts = &result.ImpactParts{
		SlowerBecause: result.Notes{{Kind: result.SlowerStep, Of: "admins: write", Part: 9, Count: 9}},
	}
	run := outage("run", 1, one, well, map[string]asked{"write": {500, 0, .003, .005}})
	run.Result.Loads = append(run.Result.Loads, result.LoadInfo{Name: "admins", Steps: []string{"write"}})
	for _, c := range run.Result.Cells {
		c.Load = "admins"
		run.Result.Cells = append(run.Result.Cells, c)
	}
	d := drills.NewDependencies([]drills.Tried{run})
	for step, need := range map[string]drills.Need{"users: write": drills.Apart, "admins: write": drills.Vague} {
		if got := d.Cells[[2]string{step, "store"}]; got.Need != need {
			t.Errorf("%s: %+v, want %s", step, got, need)
		}
	}
}

// TestNewDependencies_Several: of one effect the newest run counts, of several the strongest, and a fault beside
// another says nothing.
func TestNewDependencies_Several(t *testing.T) {
	fails, holds := map[string]asked{"list": {500, 400, .002, .004}}, map[string]asked{"list": {500, 0, .002, .004}}
	hang := gone
	hang.Kind = "process.freeze"
	cut, reset, forgotten := gone, gone, gone
	cut.Kind, reset.Kind, forgotten.Kind = "network.blackhole", "network.reset", "network.half_open"
	beside := outage("beside", 9, gone, well, fails)
	other := hang
	other.Name, other.Injected, other.Until, other.Units = "g", 12, 20, []string{"names[0]"}
	beside.Result.Faults = append(beside.Result.Faults, other)
	spoilt := outage("spoilt", 9, gone, well, fails)
	spoilt.Result.Verdict = scenarios.Invalid
	for _, c := range []struct {
		name string
		runs []drills.Tried
		want drills.Need
	}{
		{"newest", []drills.Tried{outage("new", 2, gone, well, holds), outage("old", 1, gone, well, fails)}, drills.Apart},
		{"strongest", []drills.Tried{outage("new", 2, gone, well, holds), outage("hang", 1, hang, well, fails)}, drills.Hard},
		{"a reset takes nothing away", []drills.Tried{
			outage("new", 2, reset, well, holds),
			outage("old", 1, cut, well, fails),
		}, drills.Hard},
		{"nor do forgotten connections", []drills.Tried{
			outage("new", 2, forgotten, well, holds),
			outage("old", 1, cut, well, fails),
		}, drills.Hard},
		{"overlapped and spoilt", []drills.Tried{beside, spoilt, outage("old", 1, gone, well, holds)}, drills.Apart},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 {
				if got := drills.NewDependencies(c.runs).Cells[[2]string{"list", "store"}]; got.Need != c.want {
					t.Errorf("%+v, want %s", got, c.want)
				}
				slices.Reverse(c.runs)
			}
		})
	}
}

// TestNewDependencies_Declared: a service that is declared soft and is not is a surprise.
func TestNewDependencies_Declared(t *testing.T) {
	run := outage("run", 1, gone, well, map[string]asked{"list": {500, 400, .002, .004}, "write": {500, 0, .003, .005}})
	run.Result.Scenario = "version: 1\ndependencies: {store: soft, web: hard}\n"
	d := drills.NewDependencies([]drills.Tried{run})
	if got := d.Surprises(); !slices.Equal(got, []string{"store"}) || d.Declared["web"] != "hard" {
		t.Errorf("%q, declared %v", got, d.Declared)
	}
	if d.Cells[[2]string{"write", "store"}].Surprise {
		t.Error("a step that does without is no surprise")
	}
}

// system is a shop of a web server with two replicas, its store, and a service of names.
var system = drills.System{
	Replicas: map[string]int{"web": 2, "store": 1, "names": 1}, Links: []string{"load->web", "web->store", "web->names"},
	Breaks: drills.Processes,
}

// untriedText joins a part and the effects that no run tried on it.
func untriedText(p programme.UntriedPart) string {
	name := p.Name
	if p.One {
		name = "one of " + name
	}
	return name + ": " + strings.Join(p.Effects, " ")
}

// TestCoverage: what was never tried is known by service and link, with an interval of what holds.
func TestCoverage(t *testing.T) {
	run := outage("run", 1, gone, well, map[string]asked{"list": {500, 400, .002, .004}})
	run.Result.Objectives = []result.ObjectiveResult{
		{Text: "errors < 1% in f", Phase: slo.ParsePhase("f"), Verdict: scenarios.Fail, Measured: .8},
	}
	m, d := drills.NewMatrix([]drills.Tried{run}), drills.NewDependencies([]drills.Tried{run})
	c := m.Coverage(&system)
	want := "Of 17 failure modes of its services and links, 0 held, 1 failed, 16 not known: between 0% and 94.12% of them " +
		"hold."
	if c.String() != want {
		t.Errorf("%q, want %q", c, want)
	}
	var words []string
	for _, u := range c.Untried {
		words = append(words, untriedText(u))
	}
	if !slices.Contains(words, "store: hangs") ||
		!slices.Contains(words, "web->store: slow cut errors") {
		t.Errorf("%q", words)
	}
	next := c.Next(d, 3)
	if len(next) != 3 || next[0].Drill != "hang" || next[0].Role != "part=names" ||
		!strings.Contains(next[0].Reason, "no run shows which requests need it") {
		t.Errorf("%+v", next)
	}
	own := m.Coverage(nil)
	if own.Modes != 8 {
		t.Errorf("%d failure modes of the parts that the run names, want 8", own.Modes)
	}
	d.Declared["web"] = "soft"
	if next := c.Next(d, 1); next[0].Role != "part=web" ||
		!strings.Contains(next[0].Reason, "declared soft, which no run shows") {
		t.Errorf("%+v", next)
	}
}

// TestCoverage_One: the loss of one of several replicas is not that of all, a fault that met no traffic is suggested
// last, and what a policy forbids is not suggested.
func TestCoverage_One(t *testing.T) {
	crash := func(units ...string) drills.Tried {
		return drills.Tried{Name: "crash", Result: &result.Result{
			Usage:  []result.UnitUsage{{Unit: "web[0]"}, {Unit: "web[1]"}, {Unit: "store[0]"}},
			Faults: []result.FaultRecord{{Name: "f", Kind: "process.crash", Units: units, Verified: 1, Traffic: 9}},
			Objectives: []result.ObjectiveResult{{
				Text: "errors < 1% in f", Phase: slo.ParsePhase("f"),
				Verdict: scenarios.Pass,
			}},
		}}
	}
	words := func(c drills.Coverage) (out []string) {
		for _, u := range c.Untried {
			out = append(out, untriedText(u))
		}
		return out
	}
	one := drills.NewMatrix([]drills.Tried{crash("web[0]")}).Coverage(&system)
	if got := words(one); one.Held != 1 || !slices.Contains(got, "web: dies hangs") ||
		!slices.Contains(got, "one of web: hangs") {
		t.Errorf("%d held, untried %q", one.Held, got)
	}
	all := drills.NewMatrix([]drills.Tried{crash("web[0]", "web[1]")}).Coverage(&system)
	if got := words(all); all.Held != 1 || !slices.Contains(got, "web: hangs") ||
		!slices.Contains(got, "one of web: dies hangs") {
		t.Errorf("%d held, untried %q", all.Held, got)
	}
	unmet := crash("names[0]")
	unmet.Result.Faults[0].Kind, unmet.Result.Faults[0].Traffic = "process.freeze", 0
	m := drills.NewMatrix([]drills.Tried{unmet})
	for _, next := range m.Coverage(&system).Next(drills.NewDependencies(nil), 20) {
		if next.Drill == "hang" && next.Role == "part=names" {
			t.Errorf("suggests %+v, which met no traffic, before its crash", next)
		}
	}
	held := system
	held.Policies = []*policies.Policy{
		{Name: "prod", Protect: policies.Protect{Services: []string{"store"}}, Forbid: []string{"process.freeze"}},
	}
	for _, u := range m.Coverage(&held).Untried {
		if strings.Contains(u.Name, "store") {
			t.Errorf("%s, which a policy protects", u.Name)
		}
	}
	for _, c := range []struct{ part, effect, word, why string }{
		{"store", "dies", drills.NotAllowed, `the policy "prod" protects store`},
		{"web->store", "slow", drills.NotAllowed, `the policy "prod" protects store`},
		{"web[0]", "hangs", drills.NotAllowed, `the policy "prod" forbids process.freeze`},
		{"web[0]", "dies", drills.NeverTried, ""},
		{"web->names", "dies", drills.NotPossible, "no fault of that effect acts on a link"},
		{"web", "cut", drills.NotPossible, "no fault of that effect acts on a process"},
	} {
		if word, why := m.Empty(&held, c.part, c.effect); word != c.word || why != c.why {
			t.Errorf("%s %s: %s (%s), want %s (%s)", c.part, c.effect, word, why, c.word, c.why)
		}
	}
	if rows := m.Rows(&system); !slices.Equal(rows,
		[]string{"names", "store[0]", "web[0]", "web[1]", "load->web", "web->names", "web->store"}) {
		t.Errorf("rows %q", rows)
	}
	if columns := m.Columns(&system); !slices.Contains(columns, "dies") || !slices.Contains(columns, "cut") ||
		slices.Contains(columns, "names") {
		t.Errorf("columns %q", columns)
	}
}

// TestNeedsIn: a run alone says how its steps did while a service was away. A run that took away no whole service says
// nothing.
func TestNeedsIn(t *testing.T) {
	during := map[string]asked{"list": {500, 100, .002, .004}, "write": {500, 0, .003, .005}}
	got := drills.NeedsIn(outage("x", 1, gone, well, during).Result)
	if len(got) != 2 || got[0].Step != "list" || got[0].Service != "store" || got[0].Kind != drills.Hard ||
		got[1].Kind != drills.Apart || !strings.HasPrefix(got[0].Why, "while store was away (dies), 20% of 500 requests") {
		t.Errorf("%+v", got)
	}
	for _, c := range []struct {
		back     result.Num // when the unit is back: 10 s is the injection, and 15 s the end of the phase
		all, bad int64
		want     drills.Need
		says     string
	}{
		{
			10.08, 500, 8, drills.Vague, "in the 5s of f, in which store was away (dies) for 80ms, 1.6% of 500 requests failed, " +
				"and 0% before; that may be up to 100% of about 8 requests that met the outage",
		},
		{10.08, 500, 0, drills.Vague, " for 80ms, 0% of 500 requests failed"},
		{11, 500, 0, drills.Apart, " for 1s, 0% of 500 requests failed, and 0% before"},
		{11, 500, 90, drills.Hard, " for 1s, 18% of 500 requests failed, and 0% before"},
		{15.01, 500, 0, drills.Apart, "while store was away (dies), 0% of 500 requests failed, and 0% before"},
	} {
		run := outage("x", 1, gone, well, map[string]asked{"write": {c.all, c.bad, .003, .005}})
		run.Result.Faults[0].Gone, run.Result.Faults[0].Cleared = true, c.back
		got := drills.NeedsIn(run.Result)
		if len(got) != 1 || got[0].Kind != c.want || !strings.Contains(got[0].Why, c.says) {
			t.Errorf("back at %v: %+v, want %s: %s", c.back, got, c.want, c.says)
		}
	}
	half := gone
	half.Units = []string{"web[0]"}
	if got := drills.NeedsIn(outage("x", 1, half, well, during).Result); len(got) > 0 {
		t.Errorf("one of two units away: %+v", got)
	}
}
