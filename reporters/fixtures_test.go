package reporters

import (
	"fmt"
	"math"
	"reflect"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

var nan = result.NaN

// replica is a crash that costs errors until the balancer ejects the replica.
func replica() simFault {
	return simFault{
		rec: result.FaultRecord{
			Name: "lose-a-replica", Kind: "process.crash", Units: []string{"posts[1]"}, Via: "signal", Planned: 15, Injected: 15.002, Verified: 15.01,
			Evidence: "pid 4711 is gone; a connection to 127.0.0.1:41234 was refused", Cleared: 16.4, GoneEvidence: "posts[1] answered /healthz after 1.4s",
			Gone: true, Traffic: 420, TrafficUnit: "requests", Onset: 0, OnsetAt: 15.002, Failover: nan, Recover: 1.398, RecoveredAt: 16.4, Heal: 0, Detect: nan,
			Resolution: 1, Area: .09, Degraded: 1, Failed: 26, Impact: result.Impacted, Revert: "none", Limit: .01, Within: 30,
		},
		from: 15.002, until: 15.4, failing: .22, kind: "status 503", failAfter: .002, slower: 1.6,
	}
}

func slowStore() simFault {
	return simFault{
		rec: result.FaultRecord{
			Name: "slow-store", Kind: "network.latency", Units: []string{"posts[0]->store", "posts[1]->store"}, Via: "proxy", Planned: 28, Injected: 28.001, Verified: 28.05,
			Evidence: "a probe through posts[0]->store took 212ms", Cleared: 36.003, GoneEvidence: "a probe took 0.4ms", Gone: true, Traffic: 1 << 20, TrafficUnit: "bytes",
			Onset: nan, OnsetAt: nan, Failover: nan, Recover: 0, RecoveredAt: 28.001, Heal: 0, Detect: nan, Resolution: 1, Impact: result.NotImpacted, Revert: "ok", Limit: .01, Within: 30,
		},
		from: 28.001, until: 36.003, slower: 14,
	}
}

func split() simFault {
	return simFault{
		rec: result.FaultRecord{
			Name: "split", Kind: "network.partition", Units: []string{"gateway->users"}, Via: "proxy", Planned: 44, Injected: 44.001, Verified: 44.02,
			Evidence: "a connection through gateway->users got no answer in 500ms", Cleared: 50.002, GoneEvidence: "a request through gateway->users was answered", Gone: true,
			Traffic: 88_213, TrafficUnit: "bytes", Onset: .5, OnsetAt: 44.5, Failover: 3, Recover: 3, RecoveredAt: 47, Heal: 0, Detect: nan, Resolution: 1,
			Area: 1.6, Degraded: 2.5, Failed: 512, Impact: result.Impacted, Revert: "ok", Limit: .01, Within: 30,
		},
		from: 44.3, until: 46.2, failing: .86, kind: "timeout", failAfter: 2, slower: 3,
	}
}

var objectives = []string{
	"p95 < 200ms in baseline", `p99 < 500ms of "read post" in baseline`, "errors < 10% in lose-a-replica", "recover < 10s after lose-a-replica", "heal < 10s after split",
	"availability > 97%",
}

func verdicts(n int, v scenarios.Verdict, others ...scenarios.Verdict) []scenarios.Verdict {
	out := make([]scenarios.Verdict, n)
	for i := range out {
		out[i] = v
		if i < len(others) {
			out[i] = others[i]
		}
	}
	return out
}

// minute is a run of 60 s with three faults: recovered from, without impact, and a
// partition in which percentiles are infinite.
func minute() fixture {
	return fixture{
		name: "posts survive losing a replica", seconds: 60, warmup: 5, rate: 300, steps: []string{"list posts", "read post"},
		faults: []simFault{replica(), slowStore(), split()}, slo: objectives, verdicts: verdicts(len(objectives), scenarios.Pass), verdict: scenarios.Pass, reason: "All 6 objectives held.",
	}
}

func failing() fixture {
	f := minute()
	f.slo = append([]string{}, objectives...)
	f.slo[1], f.slo[2] = `p99.9 < 500ms of "read post" in baseline`, "errors < 1% in lose-a-replica"
	f.verdicts = verdicts(len(objectives), scenarios.Pass, scenarios.Pass, scenarios.Inconclusive, scenarios.Fail)
	f.verdict, f.reason = scenarios.Fail, "1 of 6 objectives failed: errors < 1% in lose-a-replica, measured 5.25%."
	return f
}

// hour is an hour of one-second windows with three long faults.
func hour(rate float64) fixture {
	f := minute()
	f.name, f.seconds, f.warmup, f.rate = "an hour of posts", 3600, 30, rate
	for i := range f.faults {
		s := &f.faults[i]
		shift := func(n *result.Num) { *n *= 60 }
		for _, n := range []*result.Num{&s.rec.Planned, &s.rec.Injected, &s.rec.Verified, &s.rec.Cleared, &s.rec.OnsetAt, &s.rec.RecoveredAt, &s.rec.Onset, &s.rec.Recover, &s.rec.Heal} {
			shift(n)
		}
		s.from, s.until = s.from*60, s.until*60
	}
	return f
}

// short ended in its second second.
func shortRun() fixture {
	f := minute()
	f.seconds, f.warmup, f.faults = 1.7, 0, nil
	f.slo, f.verdicts = []string{"errors < 1%"}, verdicts(1, scenarios.Inconclusive)
	f.verdict, f.reason = scenarios.Stopped, "The stop condition errors > 90% for 1s held at 1.7s."
	f.faults = []simFault{{
		rec:  result.FaultRecord{Name: "late", Kind: "process.freeze", Units: []string{"posts[0]"}, Planned: 20, Injected: nan, Verified: nan, Cleared: nan, Onset: nan, OnsetAt: nan, Failover: nan, Recover: nan, RecoveredAt: nan, Heal: nan, Detect: nan, Impact: result.NotInjected, Note: "the run was stopped before", Revert: "none"},
		from: 0.4, until: 9, failing: 1, kind: "refused", failAfter: .001,
	}}
	return f
}

func manyFaults() fixture {
	f := minute()
	f.name, f.seconds, f.faults = "forty faults", 600, nil
	for i := range 40 {
		s := split()
		at := 20 + float64(i)*14
		s.rec.Name = fmt.Sprintf("split#%d", i+1)
		s.rec.Planned, s.rec.Injected, s.rec.Verified, s.rec.Cleared = result.Num(at), result.Num(at+.002), result.Num(at+.02), result.Num(at+4.001)
		s.rec.OnsetAt, s.rec.RecoveredAt = result.Num(at+.5), result.Num(at+5)
		s.rec.Recover, s.rec.Heal = result.Num(5+float64(i%9)), result.Num(1+float64(i%9))
		switch i {
		case 3, 30:
			s.rec.Impact, s.rec.Recover, s.rec.Heal, s.rec.Onset = result.NotImpacted, 0, 0, nan
		case 12:
			s.rec.Impact, s.rec.Recover, s.rec.Heal = result.NotRecovered, result.Num(math.Inf(1)), result.Num(math.Inf(1))
		case 20:
			s.rec.Impact = result.Confounded
		}
		s.from, s.until, s.failing = at+.5, at+4, .1+.02*float64(i%7)
		f.faults = append(f.faults, s)
	}
	f.rate = 60
	f.slo, f.verdicts, f.reason = []string{"p95 < 200ms in baseline", "availability > 95%"}, verdicts(2, scenarios.Pass), "All 2 objectives held."
	return f
}

func manySteps() fixture {
	f := minute()
	f.name, f.steps = "two hundred steps", nil
	for i := range 200 {
		f.steps = append(f.steps, fmt.Sprintf("GET /catalogue/section-%03d/items?page=${int(1,50)}", i))
	}
	return f
}

// names are those of units.
func names(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("posts[%d]", i))
	}
	return out
}

// hostile is text that no format may trip over.
const hostile = "<script>alert(1)</script>\"'&<!--]]> \x00\x1b[31mred\x07\r\n\u202etxt.exe\u2028 \xff\xfe ${x} {{.}} `日本語` </style></textarea>"

func hostileRun() *result.Result {
	f := minute()
	f.steps = []string{hostile, "read post"}
	for i := range f.faults {
		f.faults[i].kind = "check " + hostile
	}
	r := f.result()
	r.Name, r.Hypothesis, r.Reason, r.Run, r.Scenario = hostile, hostile, hostile, hostile, hostile
	r.Notes = []string{hostile}
	r.Meta = scenarios.Meta{"ticket": hostile, hostile: hostile, "operator": "ann", "": "nothing", "ünter_wegs": "x"}
	r.TraceLink = "javascript:" + hostile
	r.Slowest = []result.SlowRequest{{Load: hostile, Step: hostile, Outcome: hostile, Faults: []string{hostile}, Trace: "0123456789abcdef0123456789abcdef"}}
	r.Generator.Healthy, r.Generator.Limits, r.Generator.Pacing = false, []string{hostile}, hostile
	e := &r.Environment
	e.Brunt, e.Go, e.OS, e.Arch, e.Kernel, e.Target, e.Command = hostile, hostile, hostile, hostile, hostile, hostile, []string{hostile, "a'b c"}
	e.Policies = []string{hostile}
	r.Loads[0].Name, r.Loads[0].Executor = hostile, hostile
	for i := range r.Faults {
		fr := &r.Faults[i]
		fr.Name, fr.Kind, fr.Units, fr.Via, fr.Evidence, fr.GoneEvidence, fr.Note, fr.TrafficUnit = hostile, hostile, []string{hostile}, hostile, hostile, hostile, hostile, hostile
	}
	r.Faults[2].Impact, r.Faults[2].Revert = result.Impact(hostile), hostile
	for i := range r.Objectives {
		o := &r.Objectives[i]
		o.ID, o.Text, o.Phase, o.Note = hostile, hostile, hostile, hostile
	}
	r.Objectives[0].Metric, r.Objectives[0].Op, r.Objectives[0].Verdict = hostile, hostile, scenarios.Verdict(hostile)
	for i := range r.Errors {
		s := r.Errors[i].Sample
		s.Request, s.Message, s.Body, s.Headers = hostile, hostile, hostile, map[string]string{hostile: hostile, "traceparent": hostile}
		s.Sent = &result.Sent{Method: hostile, URL: "http://h/" + hostile, Headers: []string{"X-A: " + hostile, hostile}, Body: hostile}
		s.Curl = s.Sent.Conceal(nil).Curl()
		s.Trace = hostile
	}
	r.Ledger = lossy()
	r.Ledger.Write, r.Ledger.Units, r.Ledger.Note, r.Ledger.RPOFault = hostile, []string{hostile}, hostile, hostile
	for i := range r.Ledger.Keys {
		k := &r.Ledger.Keys[i]
		k.ID, k.State, k.Fault, k.Note, k.Found = hostile, result.WriteState(hostile), hostile, hostile, map[string]int{hostile: 1}
	}
	for i := range r.Phases {
		if i > 1 {
			r.Phases[i].Name = hostile
		}
	}
	r.Usage = usage(60, hostile, "posts[1]")
	r.Series = []result.Series{{Name: hostile, Unit: hostile, Labels: map[string]string{hostile: hostile}, Source: hostile, Note: hostile, Points: []result.Point{{T: 1, V: 3}, {T: nan, V: nan}}}}
	r.Comparison = &result.Comparison{
		Verdict: scenarios.Verdict(hostile), Reason: hostile, Caution: hostile, Base: []string{hostile}, Mismatches: []string{hostile},
		Rows: []result.Change{{Phase: hostile, Load: hostile, Step: hostile, Metric: hostile, Verdict: scenarios.Verdict(hostile), Note: hostile}},
	}
	r.Usage[0].Service = hostile
	r.Events = append(r.Events, result.Event{T: 3, Event: "container.die", Unit: hostile}, result.Event{T: 4, Event: "container.health", Unit: hostile})
	for i := range r.Events {
		r.Events[i].Text, r.Events[i].Data = hostile, map[string]any{hostile: hostile, "n": math.Inf(1)}
	}
	fill(reflect.ValueOf(r).Elem())
	return r
}

// fill puts hostile text wherever a result has none, an element into each list that is empty,
// and something behind each pointer to nothing: so that no field is forgotten.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Len() == 0 {
			v.SetString(hostile)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			switch f := v.Type().Field(i); {
			case f.Tag.Get("json") == "-", !f.IsExported(), f.Type.Kind() == reflect.Interface:
			case f.Name == "Infinite" || f.Name == "Imported": // what they say would hide other parts
			default:
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Len() == 0 && v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Map:
		if v.Len() == 0 && v.Type().Key().Kind() == reflect.String {
			value := reflect.New(v.Type().Elem()).Elem()
			fill(value)
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf(hostile).Convert(v.Type().Key()), value)
		}
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		fill(v.Elem())
	}
}

// lossy is a ledger that found something of every kind.
func lossy() *result.LedgerRecord {
	l := &result.LedgerRecord{
		Write: "write post", Units: []string{"posts[0]", "posts[1]"}, Read: true, Acknowledged: 3000, Held: 2984, Lost: 12, Duplicated: 2, Stale: 1, Unknown: 1, Refused: 26, Present: 3,
		RPO: .499, RPOFault: "lose-a-replica", Asked: 61, Took: 1.2, Left: 4, Note: "no answer from posts[1] for 1 of 3000 writes: timeout",
	}
	for i := range 12 {
		at := result.Num(14.503 + float64(i)*.04)
		l.Keys = append(l.Keys, result.WriteKey{
			ID: fmt.Sprintf("f289a7a9-c74e-40cc-be81-48849f13b%03d", i), State: result.WriteLost, Acknowledged: at, Ended: at, Age: 15.002 - at, Fault: "lose-a-replica",
			Found: map[string]int{"posts[0]": 0, "posts[1]": 0},
		})
	}
	l.Keys = append(
		l.Keys,
		result.WriteKey{ID: "twice", State: result.WriteDuplicated, Acknowledged: 30, Ended: 30, Age: nan, Found: map[string]int{"posts[0]": 2, "posts[1]": 2}},
		result.WriteKey{ID: "half", State: result.WriteStale, Acknowledged: 31, Ended: 31, Age: nan, Found: map[string]int{"posts[0]": 1, "posts[1]": 0}},
		result.WriteKey{ID: "mute", State: result.WriteUnknown, Acknowledged: 32, Ended: 32, Age: nan, Found: map[string]int{"posts[0]": 0, "posts[1]": -1}},
		result.WriteKey{ID: "late", State: result.WritePresent, Acknowledged: nan, Ended: 15.2, Age: nan, Found: map[string]int{"posts[0]": 1, "posts[1]": 1}},
	)
	return l
}

// fixtures are all runs that every format must cope with, by name.
var fixtures = sync.OnceValue(func() map[string]*result.Result {
	undecided := failing().result()
	undecided.Objectives[1].Note = "2226 requests, and 10000 are needed to show it"
	out := map[string]*result.Result{
		"minute": minute().result(), "failing": undecided, "short": shortRun().result(), "faults": manyFaults().result(), "steps": manySteps().result(),
		"hostile": hostileRun(),
	}
	whole, many := out["minute"], out["faults"]
	whole.Usage = usage(60, "store[0]", "users[0]", "posts[0]", "posts[1]", "gateway[0]")
	whole.Events = append(
		whole.Events, result.Event{T: 15.01, Event: "unit.exit", Unit: "posts[1]", Text: "signal: killed"}, result.Event{T: 16.2, Event: "unit.start", Unit: "posts[1]", Text: "pid 4"},
		result.Event{T: 44.2, Event: "container.oom", Unit: "posts[0]"},
	)
	many.Usage = usage(600, names(40)...)
	whole.Series = []result.Series{{Name: "queue", Source: "http://127.0.0.1:9090: sum(queue)", Every: 5, Points: []result.Point{{T: 1, V: 3}, {T: 6, V: 4}, {T: 11, V: nan}, {T: 16, V: 90}}}}
	whole.Comparison = &result.Comparison{
		Verdict: scenarios.Inconclusive, Reason: "2 of 4 figures are worse than the baseline by more than the margin, most of all p99 in split by 140%.", Caution: "One old run is no control.",
		Base: []string{"results/monday"}, Alpha: .05, Mismatches: []string{"the scenarios differ"}, Rows: []result.Change{
			{Phase: "run", Load: "*", Step: "*", Metric: "p95", Base: .04, This: .05, Worse: .25, Low: nan, High: nan, Margin: .1, Verdict: scenarios.Inconclusive},
			{Phase: "split", Load: "*", Step: "*", Metric: "p99", Base: .5, This: 1.2, Worse: 1.4, Low: .3, High: 2.9, Margin: .25, Verdict: scenarios.Fail},
			{Phase: "run", Load: "*", Step: "*", Metric: "errors", Base: .02, This: .0190, Worse: -.001, Low: -.01, High: .004, Margin: .005, Verdict: scenarios.Pass},
			{Phase: "run", Load: "*", Step: "posts[0]", Metric: "memory", Base: 30 << 20, This: 31 << 20, Worse: .033, Low: nan, High: nan, Margin: .25, Verdict: scenarios.Inconclusive},
			{Phase: "run", Load: "browse", Step: "read post", Metric: "rate", Base: 100, This: nan, Worse: nan, Low: nan, High: nan, Margin: .05, Verdict: scenarios.Inconclusive, Note: "1 of 1 base runs have no end of it"},
		},
	}

	f := minute()
	f.slo = []string{"lost = 0", "duplicated = 0", "stale < 1%", "rpo < 5s"}
	f.verdicts, f.verdict = verdicts(4, scenarios.Pass, scenarios.Fail, scenarios.Fail), scenarios.Fail
	f.reason = "2 of 4 objectives failed: lost = 0, measured 12."
	r := f.result()
	r.Ledger = lossy()
	for i, n := range []result.Num{12, 2, .00034, .499} {
		o := &r.Objectives[i]
		o.Measured, o.Low, o.High = n, nan, nan
	}
	r.Objectives[0].Low, r.Objectives[0].High = 12, 13
	out["ledger"] = r

	f = minute()
	f.slo, f.verdicts, f.reason = nil, nil, "No objective was set, so nothing could fail."
	out["objectives-none"] = f.result()

	f = minute()
	f.faults, f.slo, f.verdicts, f.reason = nil, []string{"p95 < 200ms", "errors < 1%"}, verdicts(2, scenarios.Pass), "All 2 objectives held."
	out["faults-none"] = f.result()

	f = minute()
	f.verdict, f.reason = scenarios.Invalid, "P99 lag 24ms in run is over 10ms: brunt itself was late."
	r = f.result()
	r.Generator.Healthy, r.Generator.Lag.P99 = false, .024
	r.Generator.Limits = []string{"p99 lag 24ms in run is over 10ms: brunt itself was late. Give it a processor of its own, a lower rate, or `pacing: efficient`."}
	r.Generator.ClockSteps, r.Generator.Steal = 1, .12
	r.Notes = []string{"windows of single steps are left out of result.json, as there are more than 20 000"}
	out["invalid"] = r

	f = minute()
	f.seconds, f.faults = 31, f.faults[:2]
	f.faults[1].rec.Cleared, f.faults[1].rec.Gone, f.faults[1].until = 30.5, true, 30.5
	f.slo, f.verdicts = f.slo[:4], verdicts(4, scenarios.Pass, scenarios.Pass, scenarios.Inconclusive)
	f.verdict, f.reason = scenarios.Interrupted, "Interrupted after 31s."
	r = f.result()
	r.ExitCode = 130
	r.Objectives[3].Measured, r.Objectives[3].Low, r.Objectives[3].High, r.Objectives[3].Verdict = nan, nan, nan, scenarios.Inconclusive
	r.Objectives[3].Note = "the fault was not injected"
	out["interrupted"] = r

	f = minute()
	f.faults = f.faults[2:]
	f.faults[0].failing, f.faults[0].until = .97, 60
	f.faults[0].rec.Impact, f.faults[0].rec.RecoveredAt, f.faults[0].rec.Recover, f.faults[0].rec.Heal = result.NotRecovered, nan, nan, nan
	f.faults[0].rec.Failover, f.faults[0].rec.Failed, f.faults[0].rec.Degraded = nan, 4575, 15.5
	f.slo = []string{"p99 < 500ms", "recover < 10s after split", "availability > 99%"}
	f.verdicts, f.verdict = verdicts(3, scenarios.Fail), scenarios.Fail
	f.reason = "3 of 3 objectives failed: p99 < 500ms, and more requests failed than it allows."
	r = f.result()
	for i := range 2 {
		o := &r.Objectives[i]
		o.Measured, o.Low, o.High, o.Infinite = result.Num(math.Inf(1)), .41, result.Num(math.Inf(1)), true
	}
	r.Objectives[1].Note, r.Objectives[1].Low = "not recovered: > 16s", nan
	out["infinite"] = r

	out["empty"] = &result.Result{
		Version: 1, Name: "never began", Verdict: scenarios.Invalid, ExitCode: scenarios.ExitInvalid, Reason: "Setup failed: step \"POST /login\": refused.", Started: started, T0: started, Ended: started,
		Duration: 0, Generator: result.Generator{Lag: result.Lag{P50: nan, P99: nan, Max: nan}, CPU: nan, Steal: nan, LagLimit: nan},
	}

	f = minute()
	f.verdict, f.reason = scenarios.NotReverted, "The fault slow-store could not be taken back: the proxy did not answer."
	r = f.result()
	r.Faults[1].Revert, r.Faults[1].Gone, r.Faults[1].Cleared, r.Faults[1].GoneEvidence = "failed", false, nan, ""
	r.Faults[2].Impact, r.Faults[2].Note = result.Confounded, "slow-store was in as well"
	r.Faults[2].Recover, r.Faults[2].Heal, r.Faults[2].Failover = nan, nan, nan
	r.Loads[0].Closed, r.Loads[0].Executor = true, "constant-vus"
	out["not-reverted"] = r
	return out
})
