package reporterstest

import (
	"fmt"
	"math"
	"reflect"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Nan is an unknown value.
var Nan = result.NaN

// Replica returns a crash that causes errors until the balancer ejects the replica.
func Replica() Fault {
	return Fault{
		Rec: result.FaultRecord{
			Name: "lose-a-replica", Kind: "process.crash", Nature: NatureOf("process.crash"),
			Units: []string{"posts[1]"}, Via: "signal", Planned: 15,
			Injected: 15.002, Verified: 15.01,
			Evidence: "pid 4711 is gone; a connection to 127.0.0.1:41234 was refused", Cleared: 16.4,
			GoneEvidence: "posts[1] answered /healthz after 1.4s",
			Gone:         true, Traffic: 420, TrafficUnit: "requests", Onset: 0, OnsetAt: 15.002, Failover: Nan, Recover: 1.398,
			RecoveredAt: 16.4, Heal: 0, Detect: Nan,
			Resolution: 1, Area: .09, Degraded: 1, Failed: 26, Impact: result.Impacted, Revert: "none", Limit: .01, Within: 30,
			Expect: &result.Expectation{Text: "readers retry once", Outcome: result.NotImpacted, Came: "no"},
		},
		from: 15.002, until: 15.4, failing: .22, kind: "status 503", failAfter: .002, slower: 1.6,
	}
}

// SlowStore returns a latency on links that affects nothing.
func SlowStore() Fault {
	return Fault{
		Rec: result.FaultRecord{
			Name: "slow-store", Kind: "network.latency", Nature: NatureOf("network.latency"),
			Units: []string{"posts[0]->store", "posts[1]->store"}, Via: "proxy",
			Planned: 28, Injected: 28.001,
			Verified: 28.05,
			Evidence: "a probe through posts[0]->store took 212ms", Cleared: 36.003, GoneEvidence: "a probe took 0.4ms",
			Gone: true, Traffic: 1 << 20,
			TrafficUnit: "bytes",
			Onset:       Nan, OnsetAt: Nan, Failover: Nan, Recover: 0, RecoveredAt: 28.001, Heal: 0, Detect: Nan, Resolution: 1,
			Impact: result.NotImpacted,
			Revert: "ok", Limit: .01, Within: 30,
		},
		from: 28.001, until: 36.003, slower: 14,
	}
}

// Split returns a partition that makes requests fail until the caller switches to another unit.
func Split() Fault {
	return Fault{
		Rec: result.FaultRecord{
			Name: "split", Kind: "network.partition", Nature: NatureOf("network.partition"),
			Units: []string{"gateway->users"}, Via: "proxy", Planned: 44,
			Injected: 44.001, Verified: 44.02,
			Evidence: "a connection through gateway->users got no answer in 500ms", Cleared: 50.002,
			GoneEvidence: "a request through gateway->users was answered", Gone: true,
			Traffic: 88_213, TrafficUnit: "bytes", Onset: .5, OnsetAt: 44.5, Failover: 3, Recover: 3, RecoveredAt: 47, Heal: 0,
			Detect: Nan, Resolution: 1,
			Area: 1.6, Degraded: 2.5, Failed: 512, Impact: result.Impacted, Revert: "ok", Limit: .01, Within: 30,
		},
		from: 44.3, until: 46.2, failing: .86, kind: "timeout", failAfter: 2, slower: 3,
	}
}

var objectives = []string{
	"p95 < 200ms in baseline", `p99 < 500ms of "read post" in baseline`, "errors < 10% in lose-a-replica",
	"recover < 10s after lose-a-replica",
	"heal < 10s after split",
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

// minute returns a run of 60 s with three faults: one with recovery, one without impact, and a
// partition in which percentiles are infinite.
func minute() Run {
	return Run{
		name: "posts survive losing a replica", seconds: 60, warmup: 5, rate: 300, steps: []string{"list posts", "read post"},
		Faults: []Fault{Replica(), SlowStore(), Split()}, slo: objectives,
		verdicts: verdicts(len(objectives), scenarios.Pass), verdict: scenarios.Pass,
		reason: "All 6 objectives held.",
	}
}

func failing() Run {
	f := minute()
	f.slo = append([]string{}, objectives...)
	f.slo[1], f.slo[2] = `p99.9 < 500ms of "read post" in baseline`, "errors < 1% in lose-a-replica"
	f.verdicts = verdicts(len(objectives), scenarios.Pass, scenarios.Pass, scenarios.Inconclusive, scenarios.Fail)
	f.verdict, f.reason = scenarios.Fail, "1 of 6 objectives failed: errors < 1% in lose-a-replica, measured 5.25%."
	return f
}

// Hour returns an hour of one-second windows with three long faults.
func Hour(rate float64) Run {
	f := minute()
	f.name, f.seconds, f.warmup, f.rate = "an hour of posts", 3600, 30, rate
	for i := range f.Faults {
		s := &f.Faults[i]
		shift := func(n *result.Num) { *n *= 60 }
		for _, n := range []*result.Num{
			&s.Rec.Planned, &s.Rec.Injected, &s.Rec.Verified, &s.Rec.Cleared, &s.Rec.OnsetAt, &s.Rec.RecoveredAt, &s.Rec.Onset,
			&s.Rec.Recover, &s.Rec.Heal,
		} {
			shift(n)
		}
		s.from, s.until = s.from*60, s.until*60
	}
	return f
}

// ShortRun returns a run that ended in its second second.
func ShortRun() Run {
	f := minute()
	f.seconds, f.warmup, f.Faults = 1.7, 0, nil
	f.slo, f.verdicts = []string{"errors < 1%"}, verdicts(1, scenarios.Inconclusive)
	f.verdict, f.reason = scenarios.Stopped, "The stop condition errors > 90% for 1s held at 1.7s."
	f.Faults = []Fault{{
		Rec: result.FaultRecord{
			Name: "late", Kind: "process.freeze", Nature: NatureOf("process.freeze"),
			Units: []string{"posts[0]"}, Planned: 20, Injected: Nan, Verified: Nan,
			Cleared: Nan,
			Onset:   Nan, OnsetAt: Nan, Failover: Nan, Recover: Nan, RecoveredAt: Nan, Heal: Nan, Detect: Nan,
			Impact: result.NotInjected,
			Note:   "the run was stopped before", Revert: "none",
		},
		from: 0.4, until: 9, failing: 1, kind: "refused", failAfter: .001,
	}}
	return f
}

func manyFaults() Run {
	f := minute()
	f.name, f.seconds, f.Faults = "forty faults", 600, nil
	for i := range 40 {
		s := Split()
		at := 20 + float64(i)*14
		s.Rec.Name = fmt.Sprintf("split#%d", i+1)
		s.Rec.Planned, s.Rec.Injected, s.Rec.Verified, s.Rec.Cleared = result.Num(at), result.Num(at+.002),
			result.Num(at+.02), result.Num(at+4.001)
		s.Rec.OnsetAt, s.Rec.RecoveredAt = result.Num(at+.5), result.Num(at+5)
		s.Rec.Recover, s.Rec.Heal = result.Num(5+float64(i%9)), result.Num(1+float64(i%9))
		switch i {
		case 3, 30:
			s.Rec.Impact, s.Rec.Recover, s.Rec.Heal, s.Rec.Onset = result.NotImpacted, 0, 0, Nan
		case 12:
			s.Rec.Impact, s.Rec.Recover, s.Rec.Heal = result.NotRecovered, result.Num(math.Inf(1)), result.Num(math.Inf(1))
		case 20:
			s.Rec.Impact = result.Confounded
		}
		s.from, s.until, s.failing = at+.5, at+4, .1+.02*float64(i%7)
		f.Faults = append(f.Faults, s)
	}
	f.rate = 60
	f.slo, f.verdicts, f.reason = []string{"p95 < 200ms in baseline", "availability > 95%"}, verdicts(2, scenarios.Pass),
		"All 2 objectives held."
	return f
}

// Large returns a run of 50 faults on 20 steps that fails 4 of 16 objectives.
func Large() Run {
	f := minute()
	f.name, f.seconds, f.rate, f.Faults, f.slo, f.steps = "fifty faults on twenty steps", 750, 120, nil, nil, nil
	for i := range 20 {
		f.steps = append(f.steps, fmt.Sprintf("GET /section-%02d", i))
	}
	for i := range 50 {
		s := []Fault{Replica(), SlowStore(), Split()}[i%3]
		from := s.Rec.Injected
		by := 20 + 14*result.Num(i) - from
		for _, n := range []*result.Num{
			&s.Rec.Planned, &s.Rec.Injected, &s.Rec.Verified, &s.Rec.Cleared, &s.Rec.OnsetAt, &s.Rec.RecoveredAt,
		} {
			*n += by
		}
		s.Rec.Name = fmt.Sprintf("%s-%02d", s.Rec.Name, i+1)
		s.from, s.until = s.from+float64(by), s.until+float64(by)
		f.Faults = append(f.Faults, s)
		switch {
		case i < 12:
			f.slo = append(f.slo, "errors < 10% in "+s.Rec.Name)
		case i < 16:
			f.slo = append(f.slo, "errors < 1% in "+s.Rec.Name)
		}
	}
	f.verdicts = append(verdicts(12, scenarios.Pass), verdicts(4, scenarios.Fail)...)
	f.verdict, f.reason = scenarios.Fail, "4 of 16 objectives failed."
	return f
}

func manySteps() Run {
	f := minute()
	f.name, f.steps = "two hundred steps", nil
	for i := range 200 {
		f.steps = append(f.steps, fmt.Sprintf("GET /catalogue/section-%03d/items?page=${int(1,50)}", i))
	}
	return f
}

// Names returns names of n units.
func Names(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("posts[%d]", i))
	}
	return out
}

// Hostile is text that every format must escape correctly.
const Hostile = "<script>alert(1)</script>\"'&<!--]]> \x00\x1b[31mred\x07\r\n\u202etxt.exe\u2028 \xff\xfe ${x} " +
	"{{.}} `日本語` </style></textarea>"

func hostileRun() *result.Result {
	f := minute()
	f.steps = []string{Hostile, "read post"}
	for i := range f.Faults {
		f.Faults[i].kind = "check " + Hostile
	}
	r := f.Result()
	r.Name, r.Hypothesis, r.Reason, r.Run, r.Scenario = Hostile, Hostile, Hostile, Hostile, Hostile
	r.Notes = []string{Hostile}
	r.Meta = scenarios.Meta{"ticket": Hostile, Hostile: Hostile, "operator": "ann", "": "nothing", "ünter_wegs": "x"}
	r.TraceLink = "javascript:" + Hostile
	r.Slowest = []result.SlowRequest{{
		Load: Hostile, Step: Hostile, Outcome: Hostile, Faults: []string{Hostile},
		Trace: "0123456789abcdef0123456789abcdef",
	}}
	r.Generator.Healthy, r.Generator.Limits, r.Generator.Pacing = false, []string{Hostile}, Hostile
	e := &r.Environment
	e.Brunt, e.Go, e.OS, e.Arch, e.Kernel, e.Target, e.Command = Hostile, Hostile, Hostile, Hostile, Hostile, Hostile,
		[]string{Hostile, "a'b c"}
	e.Policies = []string{Hostile}
	r.Loads[0].Name, r.Loads[0].Executor = Hostile, Hostile
	for i := range r.Faults {
		fr := &r.Faults[i]
		fr.Name, fr.Kind, fr.Units, fr.Via, fr.Evidence, fr.GoneEvidence, fr.Note, fr.TrafficUnit = Hostile, Hostile,
			[]string{Hostile}, Hostile, Hostile,
			Hostile, Hostile, Hostile
		fr.Links = []string{Hostile}
	}
	r.Faults[2].Impact, r.Faults[2].Revert = result.Impact(Hostile), Hostile
	for i := range r.Objectives {
		o := &r.Objectives[i]
		o.ID, o.Text, o.Phase, o.Note = Hostile, Hostile, slo.ParsePhase(Hostile), Hostile
		o.Asked = nil // such a text can't be parsed as an objective
	}
	r.Objectives[0].Metric, r.Objectives[0].Op, r.Objectives[0].Verdict = Hostile, Hostile, scenarios.Verdict(Hostile)
	for i := range r.Errors {
		s := r.Errors[i].Sample
		s.Request, s.Message, s.Body, s.Headers = Hostile, Hostile, Hostile,
			map[string]string{Hostile: Hostile, "traceparent": Hostile}
		s.Sent = &result.Sent{
			Method: Hostile, URL: "http://h/" + Hostile, Headers: []string{"X-A: " + Hostile, Hostile}, Body: Hostile,
		}
		s.Curl = s.Sent.Conceal(nil).Curl()
		s.Trace = Hostile
	}
	r.Ledger = lossy()
	r.Ledger.LostSpans[0].Fault = Hostile
	r.Ledger.Write, r.Ledger.Units, r.Ledger.Note, r.Ledger.RPOFault = Hostile, []string{Hostile}, Hostile, Hostile
	for i := range r.Ledger.Keys {
		k := &r.Ledger.Keys[i]
		k.ID, k.State, k.Fault, k.Note, k.Found = Hostile, result.WriteState(Hostile), Hostile, Hostile,
			map[string]int{Hostile: 1}
	}
	odd := stale()
	odd.Name, odd.Write, odd.Read = Hostile, Hostile, Hostile
	for i := range odd.Kinds {
		odd.Kinds[i].Kind, odd.Kinds[i].Faults = Hostile, map[string]int64{Hostile: 1}
	}
	for i := range odd.Witnesses {
		w := &odd.Witnesses[i]
		w.Register, w.Faults = Hostile, []string{Hostile}
		if i == 0 {
			w.Kind = Hostile
		}
		for k := range w.Operations {
			o := &w.Operations[k]
			o.Session, o.Value, o.Outcome = Hostile, Hostile, Hostile
		}
	}
	r.Consistency = []*result.ConsistencyRecord{odd}
	for i := range r.Phases {
		if i > 1 {
			r.Phases[i].Name = slo.ParsePhase(Hostile)
		}
	}
	r.Usage = Usage(60, Hostile, "posts[1]")
	r.Series = []result.Series{{
		Name: Hostile, Unit: Hostile, Labels: map[string]string{Hostile: Hostile}, Source: Hostile, Note: Hostile,
		Points: []result.Point{{T: 1, V: 3}, {T: Nan, V: Nan}},
	}}
	r.Comparison = &result.Comparison{
		Verdict: scenarios.Verdict(Hostile), Reason: Hostile, Caution: Hostile, Base: []string{Hostile},
		Mismatches: []string{Hostile},
		Rows: []result.Change{{
			Phase: slo.ParsePhase(Hostile), Load: Hostile, Step: Hostile, Metric: Hostile,
			Verdict: scenarios.Verdict(Hostile), Note: Hostile,
		}},
	}
	r.Usage[0].Service = Hostile
	r.Traces = &result.Traces{
		Listen: Hostile, Services: []string{Hostile}, Spans: 1, Refused: 1, RefusedWhy: Hostile,
		Forwarded: &result.ForwardedSpans{To: Hostile, Spans: 1, LostSpans: 2, Lost: 1, Why: Hostile},
		Missing:   []result.ServiceCount{{Service: Hostile, Count: 1}},
		Phases: []result.TracePhase{
			{Phase: slo.Phase{Kind: slo.BaselinePhase}, Services: []result.ServiceTime{{Service: Hostile, Self: 1}}},
			{
				Phase: slo.ParsePhase(Hostile), Services: []result.ServiceTime{{Service: Hostile, Self: 9, GrowthLow: 8}},
				Slowest: []result.SlowestIn{{Service: Hostile, Span: Hostile, Count: 10}}, OfSlowest: 10,
			},
		},
	}
	r.Events = append(r.Events, result.Event{T: 3, Event: "container.die", Unit: Hostile},
		result.Event{T: 4, Event: "container.health", Unit: Hostile})
	for i := range r.Events {
		r.Events[i].Text, r.Events[i].Data = Hostile, map[string]any{Hostile: Hostile, "n": math.Inf(1)}
	}
	fill(reflect.ValueOf(r).Elem())
	return r
}

// fill puts hostile text into every empty text of a result, an element into each empty list, and a value behind each
// nil pointer, so that no field is missed.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Len() == 0 {
			v.SetString(Hostile)
		}
	case reflect.Struct:
		switch v.Type() {
		case reflect.TypeFor[time.Time]():
			return
		case reflect.TypeFor[slo.Phase]():
			if v.IsZero() {
				v.Set(reflect.ValueOf(slo.ParsePhase(Hostile)))
			}
			return
		}
		for i := range v.NumField() {
			switch f := v.Type().Field(i); {
			case f.Tag.Get("json") == "-", !f.IsExported(), f.Type.Kind() == reflect.Interface:
			case f.Name == "Infinite" || f.Name == "Imported": // these hide other parts
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
			v.SetMapIndex(reflect.ValueOf(Hostile).Convert(v.Type().Key()), value)
		}
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		fill(v.Elem())
	}
}

// lossy returns a ledger with findings of every kind.
func lossy() *result.LedgerRecord {
	l := &result.LedgerRecord{
		Write: "write post", Units: []string{"posts[0]", "posts[1]"}, Read: true, Acknowledged: 3000, Held: 2984, Lost: 12,
		Duplicated: 2, Stale: 1,
		Unknown: 1, Refused: 26, Present: 3,
		RPO: .499, RPOLow: .44, RPOFault: "lose-a-replica", LostSpans: []result.LostSpan{{
			Fault: "lose-a-replica", Lost: 12, First: 14.503, Last: 14.943,
			Before: 14.463, After: 14.962,
		}}, Asked: 61, Took: 1.2, Left: 4, Note: "no answer from posts[1] for 1 of 3000 writes: timeout",
	}
	for i := range 12 {
		at := result.Num(14.503 + float64(i)*.04)
		l.Keys = append(l.Keys, result.WriteKey{
			ID: fmt.Sprintf("f289a7a9-c74e-40cc-be81-48849f13b%03d", i), State: result.WriteLost, Acknowledged: at, Ended: at,
			Age: 15.002 - at, Fault: "lose-a-replica",
			Found: map[string]int{"posts[0]": 0, "posts[1]": 0},
		})
	}
	l.Keys = append(
		l.Keys,
		result.WriteKey{
			ID: "twice", State: result.WriteDuplicated, Acknowledged: 30, Ended: 30, Age: Nan,
			Found: map[string]int{"posts[0]": 2, "posts[1]": 2},
		},
		result.WriteKey{
			ID: "half", State: result.WriteStale, Acknowledged: 31, Ended: 31, Age: Nan,
			Found: map[string]int{"posts[0]": 1, "posts[1]": 0},
		},
		result.WriteKey{
			ID: "mute", State: result.WriteUnknown, Acknowledged: 32, Ended: 32, Age: Nan,
			Found: map[string]int{"posts[0]": 0, "posts[1]": -1},
		},
		result.WriteKey{
			ID: "late", State: result.WritePresent, Acknowledged: Nan, Ended: 15.2, Age: Nan,
			Found: map[string]int{"posts[0]": 1, "posts[1]": 1},
		},
	)
	return l
}

// stale returns the findings on registers of a store with a late replica that loses writes.
func stale() *result.ConsistencyRecord {
	write := func(who, value string, begin, end result.Num) result.Operation {
		return result.Operation{
			Session: who, Write: true, Outcome: result.WriteAcknowledged, Value: value, Begin: begin, End: end,
		}
	}
	read := func(who, value string, begin, end result.Num) result.Operation {
		return result.Operation{Session: who, Value: value, Nothing: value == "", Begin: begin, End: end}
	}
	convicts := func(o result.Operation) result.Operation { o.Convicts = true; return o }
	during := []string{"lose-a-replica"}
	c := &result.ConsistencyRecord{
		Name: "users", Write: "write post", Read: "read post", Registers: 20, Sessions: 16, Reads: 2250, Writes: 730,
		Unknown: 12, Unanswered: 8, Anomalies: 17, Staleness: 1.2, Took: .004,
		Kinds: []result.AnomalyKind{
			{Kind: result.AnomalyLost, Count: 2, First: 15.1, Last: 15.4, Faults: map[string]int64{"lose-a-replica": 2}},
			{Kind: result.AnomalyNonMonotonic, Count: 1, First: 16, Last: 16},
			{Kind: result.AnomalyStale, Count: 14, First: 15.2, Last: 17, Faults: map[string]int64{"lose-a-replica": 11}},
		},
		Witnesses: []result.Witness{
			{
				Kind: result.AnomalyLost, Register: "k7", Age: 12, Faults: during, Operations: []result.Operation{
					write("main 1", "a7", 3, 3.1), convicts(write("main 2", "b7", 15.1, 15.2)), read("main 3", "a7", 27.2, 27.21),
				},
			},
			{
				Kind: result.AnomalyNonMonotonic, Register: "k1", Age: .7, Operations: []result.Operation{
					write("main 1", "a1", 3, 3.1), write("main 2", "b1", 15, 15.3), read("main 3", "b1", 15.4, 15.5),
					convicts(read("main 3", "a1", 16, 16.1)),
				},
			},
			{
				Kind: result.AnomalyStale, Register: "k2", Age: 1.2, Faults: during, Operations: []result.Operation{
					write("main 2", "b2", 15.7, 15.8), convicts(read("main 4", "", 17, 17.1)),
				},
			},
			{
				Kind: result.AnomalyStale, Register: "k3", Age: .2, Faults: during, Operations: []result.Operation{
					write("main 1", "a3", 3, 3.1), {
						Session: "main 2", Write: true, Outcome: result.WriteUndecided, Value: "b3", Begin: 15, End: Nan,
					}, read("main 5", "b3", 15.1, 15.2), convicts(read("main 4", "a3", 15.4, 15.5)),
				},
			},
		},
	}
	for i := range 3 {
		c.Seconds = append(c.Seconds, result.StaleSecond{
			T: result.Num(15 + i), Reads: 50, Stale: 5, Staleness: result.Num(.4 * float64(i+1)),
		})
	}
	return c
}

// Results returns all runs that every format must handle, by name.
var Results = sync.OnceValue(func() map[string]*result.Result {
	undecided := failing().Result()
	undecided.Objectives[1].Note = "2226 requests, and 10000 are needed to show it"
	out := map[string]*result.Result{
		"minute": minute().Result(), "failing": undecided, "short": ShortRun().Result(), "faults": manyFaults().Result(),
		"steps":   manySteps().Result(),
		"hostile": hostileRun(),
	}
	whole, many := out["minute"], out["faults"]
	whole.Usage = Usage(60, "store[0]", "users[0]", "posts[0]", "posts[1]", "gateway[0]")
	whole.Events = append(
		whole.Events, result.Event{T: 15.01, Event: "unit.exit", Unit: "posts[1]", Text: "signal: killed"},
		result.Event{T: 16.2, Event: "unit.start", Unit: "posts[1]", Text: "pid 4"},
		result.Event{T: 44.2, Event: "container.oom", Unit: "posts[0]"},
	)
	many.Usage = Usage(600, Names(40)...)
	whole.Series = []result.Series{{
		Name: "queue", Source: "http://127.0.0.1:9090: sum(queue)", Every: 5,
		Points: []result.Point{{T: 1, V: 3}, {T: 6, V: 4}, {T: 11, V: Nan}, {T: 16, V: 90}},
	}}
	whole.Comparison = &result.Comparison{
		Verdict: scenarios.Inconclusive,
		Reason:  "2 of 4 figures are worse than the baseline by more than the margin, most of all p99 in split by 140%.",
		Caution: "One old run is no control.",
		Base:    []string{"results/monday"}, Alpha: .05, Mismatches: []string{"the scenarios differ"}, Rows: []result.Change{
			{
				Phase: slo.Phase{Kind: slo.RunPhase}, Load: "*", Step: "*", Metric: "p95", Unit: result.UnitSeconds,
				Base: .04, This: .05, Worse: .25,
				Low: Nan, High: Nan,
				Margin: .1, Verdict: scenarios.Inconclusive,
			},
			{
				Phase: slo.ParsePhase("split"), Load: "*", Step: "*", Metric: "p99", Unit: result.UnitSeconds, Base: .5,
				This: 1.2, Worse: 1.4,
				Low: .3, High: 2.9,
				Margin: .25, Verdict: scenarios.Fail,
			},
			{
				Phase: slo.Phase{Kind: slo.RunPhase}, Load: "*", Step: "*", Metric: "errors", Unit: result.UnitShare,
				Base: .02, This: .0190, Worse: -.001,
				Low: -.01, High: .004,
				Margin: .005, Verdict: scenarios.Pass,
			},
			{
				Phase: slo.Phase{Kind: slo.RunPhase}, Load: "*", Step: "posts[0]", Metric: "memory", Unit: result.UnitBytes,
				OfUnit: true, Base: 30 << 20,
				This:  31 << 20,
				Worse: .033, Low: Nan, High: Nan, Margin: .25, Verdict: scenarios.Inconclusive,
			},
			{
				Phase: slo.Phase{Kind: slo.RunPhase}, Load: "browse", Step: "read post", Metric: "rate",
				Unit: result.UnitPerSecond, Base: 100, This: Nan,
				Worse: Nan, Low: Nan,
				High: Nan, Margin: .05, Verdict: scenarios.Inconclusive, Note: "1 of 1 base runs have no end of it",
			},
			{ // a metric that no reporter knows by name
				Phase: slo.Phase{Kind: slo.RunPhase}, Load: "*", Step: "posts[1]", Metric: "burst", Unit: result.UnitCores,
				OfUnit: true, Base: 1,
				This: 1.5, Worse: .5, Low: Nan, High: Nan,
				Margin: .25, Verdict: scenarios.Inconclusive,
			},
		},
	}

	f := minute()
	f.slo = []string{"lost = 0", "duplicated = 0", "stale < 1%", "rpo < 5s"}
	f.verdicts, f.verdict = verdicts(4, scenarios.Pass, scenarios.Fail, scenarios.Fail), scenarios.Fail
	f.reason = "2 of 4 objectives failed: lost = 0, measured 12."
	r := f.Result()
	r.Ledger = lossy()
	for i, n := range []result.Num{12, 2, .00034, .499} {
		o := &r.Objectives[i]
		o.Measured, o.Low, o.High = n, Nan, Nan
	}
	r.Objectives[0].Low, r.Objectives[0].High = 12, 13
	out["ledger"] = r

	f = minute()
	f.slo = []string{"anomalies = 0", "staleness < 2s"}
	f.verdicts, f.verdict = verdicts(2, scenarios.Pass, scenarios.Fail), scenarios.Fail
	f.reason = "1 of 2 objectives failed: anomalies = 0, measured 17."
	r = f.Result()
	r.Consistency = []*result.ConsistencyRecord{stale()}
	for i, n := range []result.Num{17, 1.2} {
		o := &r.Objectives[i]
		o.Measured, o.Low, o.High = n, Nan, Nan
	}
	out["consistency"] = r

	f = minute()
	f.slo, f.verdicts, f.verdict, f.reason = nil, nil, scenarios.None,
		"5% of requests failed and no objective asks about it."
	out["objectives-none"] = f.Result()

	f = minute()
	f.Faults, f.slo, f.verdicts, f.reason = nil, []string{"p95 < 200ms", "errors < 1%"}, verdicts(2, scenarios.Pass),
		"All 2 objectives held."
	out["faults-none"] = f.Result()

	f = minute()
	f.verdict, f.reason = scenarios.Invalid, "P99 lag 24ms in run is over 10ms: brunt itself was late."
	r = f.Result()
	r.Generator.Healthy, r.Generator.Lag.P99 = false, .024
	r.Generator.Limits = []string{"p99 lag 24ms in run is over 10ms: brunt itself was late. Give it a processor of its " +
		"own, a lower rate, or `pacing: efficient`."}
	r.Generator.ClockSteps, r.Generator.Steal = 1, .12
	r.Notes = []string{"windows of single steps are left out of result.json, as there are more than 20 000"}
	r.Workers = []result.Worker{
		{
			N: 1, PID: 4001, Owed: 6000, Reported: 6000, Sent: 6000, P50: .004, P95: .009, P99: .02, Lag: .0004, CPU: .31,
			Memory: 30 << 20,
		},
		{
			N: 2, PID: 4002, Owed: 6000, Reported: 4100, Lost: 1900, Unsure: 12, LostAt: 41.2, LostWhy: "signal: killed",
			Sent: 4100, Bad: 7,
			P50: .004, P95: .01, P99: .021, Lag: .0005, CPU: .29, Memory: 29 << 20,
		},
		{
			N: 3, PID: 4003, Owed: 6000, Reported: 6000, Sent: 5990, P50: .004, P95: .031, P99: .08, Lag: .024, CPU: .3,
			Memory: 31 << 20, Silent: 4.2,
		},
	}
	out["invalid"] = r

	f = minute()
	f.seconds, f.Faults = 31, f.Faults[:2]
	f.Faults[1].Rec.Cleared, f.Faults[1].Rec.Gone, f.Faults[1].until = 30.5, true, 30.5
	f.slo, f.verdicts = f.slo[:4], verdicts(4, scenarios.Pass, scenarios.Pass, scenarios.Inconclusive)
	f.verdict, f.reason = scenarios.Interrupted, "Interrupted after 31s."
	r = f.Result()
	r.ExitCode = 130
	r.Objectives[3].Measured, r.Objectives[3].Low, r.Objectives[3].High, r.Objectives[3].Verdict = Nan, Nan, Nan,
		scenarios.Inconclusive
	r.Objectives[3].Note = "the fault was not injected"
	out["interrupted"] = r

	f = minute()
	f.Faults = f.Faults[2:]
	f.Faults[0].failing, f.Faults[0].until = .97, 60
	f.Faults[0].Rec.Impact, f.Faults[0].Rec.RecoveredAt, f.Faults[0].Rec.Recover,
		f.Faults[0].Rec.Heal = result.NotRecovered, Nan, Nan, Nan
	f.Faults[0].Rec.Failover, f.Faults[0].Rec.Failed, f.Faults[0].Rec.Degraded = Nan, 4575, 15.5
	f.slo = []string{"p99 < 500ms", "recover < 10s after split", "availability > 99%"}
	f.verdicts, f.verdict = verdicts(3, scenarios.Fail), scenarios.Fail
	f.reason = "3 of 3 objectives failed: p99 < 500ms, and more requests failed than it allows."
	r = f.Result()
	for i := range 2 {
		o := &r.Objectives[i]
		o.Measured, o.Low, o.High, o.Infinite = result.Num(math.Inf(1)), .41, result.Num(math.Inf(1)), true
	}
	r.Objectives[1].Note, r.Objectives[1].Low = "not recovered: > 16s", 16
	out["infinite"] = r

	out["empty"] = &result.Result{
		Version: result.ResultVersion, Name: "never began", Verdict: scenarios.Invalid, ExitCode: scenarios.ExitInvalid,
		Reason:  "Setup failed: step \"POST /login\": refused.",
		Reasons: []result.Reason{{Kind: result.NotStarted, Verdict: scenarios.Invalid}},
		Started: started, T0: started, Ended: started,
		Duration: 0, Generator: result.Generator{
			Lag: result.Lag{P50: Nan, P99: Nan, Max: Nan}, CPU: Nan, Steal: Nan,
			LagLimit: Nan,
		},
	}

	f = minute()
	f.verdict, f.reason = scenarios.NotReverted, "The fault slow-store could not be taken back: the proxy did not answer."
	r = f.Result()
	r.Faults[1].Revert, r.Faults[1].Gone, r.Faults[1].Cleared, r.Faults[1].GoneEvidence = "failed", false, Nan, ""
	r.Faults[2].Impact, r.Faults[2].Note = result.Confounded, "slow-store was in as well"
	r.Faults[2].Recover, r.Faults[2].Heal, r.Faults[2].Failover = Nan, Nan, Nan
	r.Loads[0].Closed, r.Loads[0].Executor = true, "constant-vus"
	out["not-reverted"] = r
	return out
})
