package demo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets/demo"
)

// untwinned are the drills whose faults the in-memory network can't have, with the reason.
var untwinned = map[string]string{
	"crash-report":  "a service in a bubble is no process of its own, so that its crash leaves nothing",
	"soak":          "memory and descriptors of a service in a bubble are those of the test",
	"clock-skew":    "all services in a bubble have one clock",
	"connections":   "all loads in a bubble share connections",
	"slow-client":   "clients in a bubble send whole requests",
	"cpu-throttle":  "a service in a bubble waits for no processor",
	"process-limit": "threads of a service in a bubble are those of the test",

	"thundering-herd": "clients in a bubble open no streams",
	"balancer-lost":   "clients in a bubble know one entry",
	"region-loss":     "clients in a bubble know one entry",
}

// A twin is a laid drill on SocialConnect in virtual time: with the schedule, the load engine, the recorder and the
// judge of a run, over an in-memory network.
type twin struct {
	t   *testing.T
	p   *plan.Plan
	sys *demo.System
	t0  time.Time
	rec *measure.Recorder

	vars map[string]string // set by setup

	mu     sync.Mutex
	judged judge.Case
	starts map[string]int  // of units that were started again
	writes map[string]bool // ids of writes: they were acknowledged
}

// newTwin starts the system of a scenario.
func newTwin(t *testing.T, text string) *twin {
	t.Helper()
	p, err := plantest.CompileText(text)
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	var c demo.Config
	m := &syntax.Mistakes{}
	syntax.Decode(p.Scenario.Target.With, &c, m)
	if m.Len() > 0 {
		t.Fatal(m.Err())
	}
	start := demo.Start
	if slices.ContainsFunc(p.Faults, func(e *timeline.Entry) bool { return strings.HasPrefix(e.Kind, "http.") }) {
		start = demo.StartParsed
	}
	tw := &twin{
		t: t, p: p, sys: start(t, c), vars: map[string]string{}, writes: map[string]bool{}, starts: map[string]int{},
	}
	for _, e := range p.Conditions {
		settings := p.Scenario.Root.Get("conditions").Get(e.Name).Get(e.Kind)
		tw.trouble(e.Name, e.Kind, settings).put()
	}
	for _, s := range p.Scenario.Setup {
		u := &user{twin: tw, vars: tw.vars}
		if _, kind := u.ask(t.Context(), s.With, rand.New(rand.NewPCG(1, 2))); kind != scenarios.OK {
			t.Fatal("setup failed")
		}
	}
	return tw
}

func (tw *twin) now() time.Duration { return time.Since(tw.t0) }

// run plays the drill, and returns what the judge says.
func (tw *twin) run() *result.Result {
	sc := tw.p.Scenario
	tw.t0 = time.Now().Add(sc.Warmup)
	timeout := time.Duration(0)
	for i := range tw.p.Loads {
		timeout = max(timeout, tw.p.Loads[i].Timeout.D())
	}
	var err error
	tw.rec, err = measure.New(measure.Config{
		Series: tw.p.Series, Limits: requests.LimitsOf(sc.SLO, sc.Steady, sc.Stop), SlowShare: sc.Judge.LimitOr() / 2,
		Timeout: timeout,
		Shards:  1, Now: tw.now, Dir: tw.t.TempDir(), NoPause: true,
	})
	if err != nil {
		tw.t.Fatal(err)
	}
	defer tw.rec.Close()
	tw.judged = judge.Case{
		SLO: tw.p.Objectives(false), Warmup: sc.Warmup, Hold: sc.Judge.HoldOr(), Limit: sc.Judge.LimitOr(),
		Occurrences: make([]judge.Occurrence, len(tw.p.Faults)),
		Reactions: series.Reactions{
			Alerts:   map[series.AlertKey]series.Detection{},
			Resolved: map[series.AlertKey]series.Resolution{},
		},
	}
	ctx, cancel := context.WithCancel(tw.t.Context())
	var beside sync.WaitGroup
	tw.every(ctx, &beside, 200*time.Millisecond, func() {
		if err := tw.rec.Fold(); err != nil {
			tw.t.Error(err)
		}
	})
	for _, e := range tw.p.Faults {
		beside.Go(func() { tw.inject(e) })
	}
	tw.watch(ctx, &beside)
	var loads sync.WaitGroup
	for i := range tw.p.Loads {
		loads.Go(func() { tw.load(i) })
		lp := &tw.p.Loads[i]
		tw.judged.Loads = append(tw.judged.Loads, requests.Span{From: lp.Schedule.Start(), To: lp.Schedule.End()})
	}
	loads.Wait()
	cancel()
	beside.Wait()
	tw.judged.Ledgers = tw.readBack()
	found, err := judge.Judge(tw.rec.Finish(), tw.judged)
	if err != nil {
		tw.t.Fatal(err)
	}
	res := &result.Result{
		Verdict: scenarios.Pass, Reason: "as the twin has it", Objectives: found.Objectives, Cells: found.Cells,
		Histograms: found.Histograms,
		Generator:  result.Generator{Healthy: true},
	}
	for i := range found.Objectives {
		if o := &found.Objectives[i]; scenarios.Worse(res.Verdict, o.Verdict) != res.Verdict {
			res.Verdict, res.Reason = o.Verdict, o.Text+": "+o.Note
		}
	}
	return res
}

// every calls do in intervals until ctx ends.
func (tw *twin) every(ctx context.Context, all *sync.WaitGroup, d time.Duration, do func()) {
	all.Go(func() {
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				do()
			case <-ctx.Done():
				return
			}
		}
	})
}

// load runs load i by its schedule.
func (tw *twin) load(i int) {
	lp := &tw.p.Loads[i]
	steps := map[string]*syntax.Node{}
	names := lp.Steps
	for k := range lp.Flow {
		if lp.Flow[k].Think == nil {
			steps[names[0]], names = lp.Flow[k].With, names[1:]
		}
	}
	warm := tw.p.Scenario.Warmup
	if lp.Start != 0 {
		warm = 0
	}
	run := &load.Run{}
	run.Settings = load.Settings{
		Name: lp.Name, Index: int32(i), Plan: lp.Schedule, Warmup: warm, Flows: lp.Flows, Timeout: lp.Timeout.D(),
		Grace:       lp.Grace.D(),
		MaxInFlight: lp.InFlight(), Seed: tw.p.Scenario.Seed, Pacing: "sleep", Now: tw.now, Env: &template.Env{Now: tw.now},
		Shards: 1,
		Sink:   func(int) load.Sink { return tw.rec.Shard(0) }, Abort: func() {},
		Open: func(int) (load.User, load.EndIteration, error) {
			return &user{twin: tw, steps: steps, emit: run.Emit}, nil, nil
		},
	}
	if _, err := run.Go(tw.t.Context()); err != nil {
		tw.t.Error(err)
	}
}

// A user is a virtual user on the in-memory network.
type user struct {
	*twin
	steps map[string]*syntax.Node
	vars  map[string]string // of the iteration
	of    int64             // the iteration

	answered http.Header // of the last answer
	emit     func(it *template.Iter, c scenarios.Call, part int, out *scenarios.Outcome)
}

func (u *user) Close() error { return nil }

func (u *user) Do(it *template.Iter, c scenarios.Call, out *scenarios.Outcome) {
	if u.vars == nil || u.of != it.N {
		u.vars, u.of = map[string]string{}, it.N
	}
	ctx, cancel := context.WithDeadline(context.Background(), u.t0.Add(it.Deadline))
	defer cancel()
	out.Slot, out.Sent, out.WasSent = u.now(), u.now(), true
	step := u.steps[c.Name()]
	status, kind := u.ask(ctx, step, it.Rand)
	if asked := step.Get("check"); asked != nil && status > 0 {
		out.Checks = uint16(len(asked.Fields))
		if kind == scenarios.Error {
			out.Failed = 1
		}
	}
	out.End, out.Status, out.Kind = u.now(), int32(status), kind
	out.First, out.Answered = out.End, status > 0
	switch {
	case kind != scenarios.Error:
	case status > 0:
		out.Cause = scenarios.Status(status)
	case ctx.Err() != nil:
		out.Cause = scenarios.Timeout
	default:
		out.Cause = scenarios.Reset
	}
	if in := step.Get("group"); in != nil {
		version := u.answered.Get(in.Get("header").Value)
		for i, n := range in.Get("values").Items {
			if part := *out; n.Value == version {
				u.emit(it, c, i, &part)
			}
		}
	}
}

var placeholder = regexp.MustCompile(`\$\{([a-z.]+)(?:\(([^)]*)\))?\}`)

// filled fills the placeholders of a text that the drills use.
func (u *user) filled(text string, r *rand.Rand, id string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		part := placeholder.FindStringSubmatch(found)
		name, isVar := strings.CutPrefix(part[1], "var.")
		switch {
		case isVar && u.vars[name] != "":
			return u.vars[name]
		case isVar:
			return u.twin.vars[name]
		case part[1] == "int":
			low, high, _ := strings.Cut(part[2], ",")
			from, _ := strconv.Atoi(low)
			to, _ := strconv.Atoi(strings.TrimSpace(high))
			return strconv.Itoa(from + r.IntN(to-from+1))
		case part[1] == "ledger.id":
			return id
		case part[1] == "now":
			return u.now().String()
		}
		u.t.Errorf("the twin does not know %s", found)
		return ""
	})
}

// ask makes the request of a step, checks its answer, and keeps what it extracts.
func (u *user) ask(ctx context.Context, step *syntax.Node, r *rand.Rand) (status int, kind scenarios.Kind) {
	id := fmt.Sprintf("w%d-%d", r.Uint64(), u.of)
	fill := func(n *syntax.Node) string { return u.filled(n.Value, r, id) }
	method, path, body := "GET", step.Get("get"), ""
	if path == nil {
		method, path = "POST", step.Get("post")
	}
	if in := step.Get("json"); in != nil {
		var fields []string
		for _, f := range in.Fields {
			fields = append(fields, fmt.Sprintf("%q:%q", f.Key, fill(f.Value)))
		}
		body = "{" + strings.Join(fields, ",") + "}"
	}
	if in := step.Get("body"); in != nil {
		body = fill(in)
	}
	var header []string
	if in := step.Get("headers"); in != nil {
		for _, f := range in.Fields {
			header = append(header, f.Key, fill(f.Value))
		}
	}
	status, text, answered := u.sys.Ask(ctx, "gateway[0]", method, fill(path), body, header...)
	u.answered = answered
	check := func(key string) bool {
		n := step.Get("check").Get(key)
		return n != nil && n.Value == strconv.Itoa(status)
	}
	kind = scenarios.Error
	switch {
	case check("shed"):
		kind = scenarios.Shed
	case check("status") && carries(answered, step.Get("check").Get("header")) && holds(text, step.Get("check")) ||
		step.Get("check") == nil && status == 200:
		kind = scenarios.OK
	}
	if slices.Contains(header, id) {
		u.mu.Lock()
		u.writes[id] = kind == scenarios.OK
		u.mu.Unlock()
	}
	if from := step.Get("extract"); from != nil && kind == scenarios.OK {
		for _, f := range from.Fields {
			value := part(text, f.Value.Value)
			if value == "" {
				return status, scenarios.Error
			}
			u.vars[f.Key] = value
		}
	}
	return status, kind
}

// holds reports whether an answer has the parts that a check asks for, such as $.items[0].author.name: exists.
func holds(text string, check *syntax.Node) bool {
	return !slices.ContainsFunc(check.Fields,
		func(f syntax.Field) bool { return strings.HasPrefix(f.Key, "$.") && part(text, f.Key) == "" })
}

// part returns a text in JSON by its path; empty if the JSON has no such path.
func part(body, path string) string {
	var at any
	if json.Unmarshal([]byte(body), &at) != nil {
		return ""
	}
	for _, key := range strings.FieldsFunc(strings.TrimPrefix(path, "$"),
		func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
		switch in := at.(type) {
		case map[string]any:
			at = in[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(in) {
				return ""
			}
			at = in[i]
		}
	}
	found, _ := at.(string)
	return found
}

// carries reports whether an answer has the headers that a check asks for.
func carries(answered http.Header, want *syntax.Node) bool {
	if want == nil {
		return true
	}
	return !slices.ContainsFunc(want.Fields,
		func(f syntax.Field) bool { return f.Value.Value == "exists" && answered.Get(f.Key) == "" })
}

// scraped finds the service whose metrics are read.
var scraped = regexp.MustCompile(`^http://\$\{unit\.([a-z]+)\.addr\}/metrics$`)

// watch reads the metrics and the alert of the scenario while the load goes on.
func (tw *twin) watch(ctx context.Context, all *sync.WaitGroup) {
	for _, w := range tw.p.Scenario.Metrics {
		labels, rate := "", w.With.Get("rate") != nil
		if of := w.With.Get("labels"); of != nil {
			labels = `\{[^}]*route="` + regexp.QuoteMeta(of.Get("route").Value) + `"\}`
		}
		line := regexp.MustCompile(`(?m)^` + w.With.Get("metric").Value + labels + ` (\S+)$`)
		unit := scraped.FindStringSubmatch(w.With.Get("scrape").Value)[1] + "[0]"
		tw.judged.Series = append(tw.judged.Series, result.Series{Name: w.Name, Unit: result.UnitPerSecond, Every: 1})
		s, last := &tw.judged.Series[len(tw.judged.Series)-1], -1.
		tw.every(ctx, all, time.Second, func() {
			status, text := tw.sys.Answer(ctx, unit, "GET", "/metrics", "")
			if status != 200 {
				return
			}
			sum := 0.
			for _, found := range line.FindAllStringSubmatch(text, -1) {
				v, _ := strconv.ParseFloat(found[1], 64)
				sum += v
			}
			switch {
			case !rate:
				s.Points = append(s.Points, result.Point{T: result.Sec(tw.now()), V: result.Num(sum)})
			case last >= 0:
				s.Points = append(s.Points, result.Point{T: result.Sec(tw.now()), V: result.Num(sum - last)})
			}
			last = sum
		})
	}
	for i := range tw.p.Stack.Services {
		s := &tw.p.Stack.Services[i]
		for k := range s.Replicas {
			tw.judged.Usage = append(tw.judged.Usage,
				result.UnitUsage{Unit: syntax.UnitName(s.Name, k), Service: s.Name, Via: "proc"})
		}
	}
	tw.every(ctx, all, time.Second, func() {
		tw.mu.Lock()
		defer tw.mu.Unlock()
		for i := range tw.judged.Usage {
			u := &tw.judged.Usage[i]
			u.Seconds = append(u.Seconds, result.UsageTick{
				T: result.Sec(tw.now()), Starts: 1 + tw.starts[u.Unit], Running: true, CPU: result.NaN, Memory: -1,
				Files: result.NaN,
			})
		}
	})
	for _, w := range tw.p.Scenario.Alerts {
		key := series.AlertKey{Alert: w.Name}
		tw.every(ctx, all, 500*time.Millisecond, func() {
			_, text := tw.sys.Answer(ctx, "monitor[0]", "GET", "/api/v1/rules", "")
			firing := strings.Contains(text, `"state":"firing"`) && strings.Contains(text, `"severity":"page"`)
			seen, over := tw.judged.Alerts[key], tw.judged.Resolved[key]
			switch {
			case firing && seen.At == 0:
				seen.At = tw.now()
			case !firing && seen.At == 0:
				seen.NotYet = tw.now()
			case firing:
				over.Still = tw.now()
			case over.At == 0:
				over.At = tw.now()
			}
			tw.judged.Alerts[key], tw.judged.Resolved[key] = seen, over
		})
	}
}

// readBack reads every write back, if the scenario has a ledger.
func (tw *twin) readBack() []*result.LedgerRecord {
	if len(tw.p.Scenario.Ledgers) == 0 {
		return nil
	}
	time.Sleep(5 * time.Second) // simulates the time until late writes are done
	l := tw.p.Scenario.Ledgers[0]
	unit := "posts[0]"
	if len(l.At) > 0 {
		unit = syntax.UnitName(l.At[0], 0)
	}
	read := tw.p.Scenario.Root.Get("ledger").Get("read").Get("get").Value
	out := &result.LedgerRecord{Read: true, RPO: 0}
	for id, acknowledged := range tw.writes {
		_, text := tw.sys.Answer(tw.t.Context(), unit, "GET", strings.ReplaceAll(read, "${id}", id), "")
		n := strings.Count(text, `"author"`)
		if n > 1 {
			out.Duplicated++
		}
		if acknowledged {
			out.Acknowledged++
			if n == 0 {
				out.Lost++
			} else if n == 1 {
				out.Held++
			}
		}
	}
	return []*result.LedgerRecord{out}
}

// TestTwins proves each drill in virtual time: the good system passes each time, and each mutant fails each time by an
// objective that the proof names. The full suite plays each 20 times, with other random values each time.
func TestTwins(t *testing.T) {
	suite.Needs(t, suite.In("drill-library"))
	names, times := []string{"crash-restart", "durability", "gray-failure"}, 1
	if suite.Full() {
		names, times = drills.Names(), 20
	}
	for _, name := range names {
		if untwinned[name] != "" {
			continue
		}
		d, err := drills.Find(name, nil)
		if err == nil {
			d, err = drills.Find(name, d.Proof.Set)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !d.Proof.OnBuiltin() {
			continue // proved on real systems, by the tests of scenarios/truth/drills
		}
		mutants := []*drills.Mutant{nil}
		for i := range d.Proof.Mutants {
			mutants = append(mutants, &d.Proof.Mutants[i])
		}
		for _, mutant := range mutants {
			system := drills.Good
			if mutant != nil {
				system = mutant.Name
			}
			t.Run(name+"/"+system, func(t *testing.T) {
				var figures []string
				for n := range times {
					synctest.Test(t, func(t *testing.T) {
						laid := onDemo(t, d, mutant)
						tw := newTwin(t, "seed: "+strconv.Itoa(n+1)+"\n"+laid.Text)
						j := d.Judge(laid, mutant, tw.run())
						if figures = append(figures, j.Figure); j.Answer != drills.Proved {
							t.Errorf("seed %d: %s: %s (%s)", n+1, j.Answer, j.Why, j.Figure)
						}
					})
				}
				t.Log(drills.Range(figures))
			})
		}
	}
}

// onDemo lays a drill over the system of its proof.
func onDemo(t *testing.T, d *drills.Drill, mutant *drills.Mutant) *drills.Laid {
	t.Helper()
	tree, err := drills.Tree("demo", drills.Demo())
	if err != nil {
		t.Fatal(err)
	}
	base := &drills.Base{Tree: scenarios.Overlay(tree, d.Over(mutant))}
	if base.Plan, err = plantest.CompileText(syntax.WriteYAML(base.Tree, func(s string) string { return s })); err != nil {
		t.Fatal(plantest.Explained(err))
	}
	laid, err := d.Lay(base, d.Proof.Roles.Map())
	if err != nil {
		t.Fatal(err)
	}
	return laid
}

// TestTwins_Listed: what has no twin is a drill, and says why.
func TestTwins_Listed(t *testing.T) {
	for name := range untwinned {
		if !slices.Contains(drills.Names(), name) {
			t.Errorf("there is no drill %s", name)
		}
	}
}

// noDefence are the switches of the built-in system without a mutant, and why: each adds a part that a drill needs.
var noDefence = map[string]string{
	"identity":      "a service that the drills of tokens break",
	"passwords":     "logins that take time and can be guessed",
	"cache":         "a service that cache-outage breaks; cache_fallback is the defence",
	"registry":      "a service that registry-lost breaks; keep_last is the defence",
	"replica_reads": "reads that may be old; read_your_writes is the defence",
	"log_writes":    "a log for tests, which compare a ledger with it; no answer depends on it",
}

// TestSwitches: each switch of the built-in system is thrown by a mutant, so that a drill is known to find it, or it is
// no defence.
func TestSwitches(t *testing.T) {
	all, err := drills.Library()
	if err != nil {
		t.Fatal(err)
	}
	thrown := map[string]bool{}
	for _, d := range all {
		for _, m := range d.Proof.Mutants {
			if with := m.Scenario.Get("target").Get("with"); with != nil {
				for _, f := range with.Fields {
					thrown[f.Key] = true
				}
			}
		}
	}
	config := reflect.TypeFor[demo.Config]()
	for field := range config.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if field.Type != reflect.TypeFor[*bool]() {
			continue
		}
		if why := noDefence[name]; thrown[name] == (why != "") {
			t.Errorf("%s is thrown by a mutant: %v; it is no defence: %q", name, thrown[name], why)
		}
	}
}
