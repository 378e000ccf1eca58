package words

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/reporters/reporterstest"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judged returns an objective with a measured value and a verdict.
func judged(t *testing.T, text string, measured result.Num, v scenarios.Verdict) result.ObjectiveResult {
	t.Helper()
	o, err := slo.ParseObjective(text)
	if err != nil {
		t.Fatal(err)
	}
	out := result.NewObjective(o, v)
	out.Measured = measured
	return out
}

// aFault returns a fault of a kind that was in from 10 s to 12 s.
func aFault(name, kind string, units ...string) result.FaultRecord {
	return result.FaultRecord{
		Name: name, Kind: kind, Nature: reporterstest.NatureOf(kind), Units: units,
		Injected: 10, Verified: 10.01, Cleared: 12, Until: 15, Gone: true,
		Revert: "ok", Impact: result.Impacted, OnsetAt: 10, Rejoin: result.NaN, RejoinAt: result.NaN, Limit: .01,
		Parts: &result.ImpactParts{Requests: 500, Errors: 400, P50: result.NaN, P50Before: result.NaN},
	}
}

// outageBy returns an incident of 4 s that a fault did.
func outageBy(fault string) result.Incident {
	return result.Incident{
		Begin: 10, End: 14, EndLow: 14, Over: true, Requests: 400, Bad: 400, By: fault, Faults: []string{fault},
		Evidence: result.ByInjection, Kinds: map[string]int64{"status 502": 400},
	}
}

// onNginx returns a run in which the only Redis behind two nginx servers was killed.
func onNginx(t *testing.T) *result.Result {
	return &result.Result{
		Verdict: scenarios.Fail, ExitCode: 3, Duration: 30, Generator: result.Generator{Healthy: true, Offered: 3000},
		Environment: result.Environment{
			Replicas: map[string]int{"nginx": 2, "redis": 1},
			Command:  []string{"/usr/bin/brunt", "run", "shop.yaml", "-o", "out", "--set", "rate=100/s"},
		},
		Params: []result.Param{
			{Name: "rate", Value: "100/s", Given: true, Feeds: []string{"load.shoppers.rate"}},
			{Name: "caches", Value: "1", Feeds: []string{"target.containers.redis.replicas"}},
		},
		Loads:     []result.LoadInfo{{Name: "shoppers", Timeout: 3}},
		Faults:    []result.FaultRecord{aFault("kill-cache", "container.kill", "redis[0]")},
		Incidents: []result.Incident{outageBy("kill-cache")},
		Errors: []result.ErrorGroup{{
			Kind: "status 502", Load: "shoppers", Step: "GET /basket", Count: 400, First: 10.1, Last: 14,
			Sample: &result.Sample{
				At: 10, Status: 502, Body: "<html>\r\n<head><title>502 Bad Gateway</title></head>", Curl: "curl -sS -i x",
			},
		}},
		Objectives: []result.ObjectiveResult{judged(t, "errors < 1%", .13, scenarios.Fail)},
	}
}

// changed returns a run that failed after one that passed with another configuration.
func changed(t *testing.T) *result.Result {
	r := onNginx(t)
	r.Earlier = []result.Earlier{{Verdict: scenarios.Fail}, {
		Verdict: scenarios.Pass,
		Changed: []result.SettingChange{{Param: "cfg", Path: "target.with.cfg", Before: "haproxy-good.cfg", Now: "haproxy.cfg"}},
	}}
	return r
}

// onPatroni returns a run in which the leader of three nodes of PostgreSQL crashed.
func onPatroni(t *testing.T) *result.Result {
	r := onNginx(t)
	r.Environment.Replicas, r.Params = map[string]int{"patroni": 3, "haproxy": 1}, nil
	r.Environment.Command = []string{"brunt", "run", "failover.yaml"}
	r.Loads = []result.LoadInfo{{Name: "writers", Timeout: 5}}
	f := aFault("lose-the-leader", "process.crash", "patroni[1]")
	f.Role = "leader"
	r.Faults, r.Incidents = []result.FaultRecord{f}, []result.Incident{outageBy(f.Name)}
	r.Errors = []result.ErrorGroup{{
		Kind: "closed", Load: "writers", Step: "insert", Count: 400, First: 10.2, Last: 13.9,
		Sample: &result.Sample{At: 10.1},
	}}
	return r
}

// onURL returns a run against a plain URL, of whose units nothing is known, without a fault.
func onURL(t *testing.T) *result.Result {
	r := onNginx(t)
	r.Environment.Replicas, r.Environment.Units, r.Params, r.Faults = nil, nil, nil, nil
	r.Environment.Command = []string{"brunt", "run", "http://127.0.0.1:8080"}
	r.Loads = []result.LoadInfo{{Name: "load", Timeout: 30}}
	r.Incidents = []result.Incident{{
		Begin: 20, End: 30, EndLow: 20, Requests: 1000, Bad: 300, Kinds: map[string]int64{"status 500": 300},
	}}
	r.Errors = []result.ErrorGroup{{
		Kind: "status 500", Load: "load", Step: "GET /", Count: 300, First: 20.1, Last: 30,
		Sample: &result.Sample{At: 20, Status: 500, Body: `{"error": {"message": "too many open files"}}`},
	}}
	return r
}

// diedAlone returns a run on a busy machine whose only unit ended by itself, without a fault.
func diedAlone(t *testing.T) *result.Result {
	r := onURL(t)
	r.Events = []result.Event{{T: 19.99, Event: "unit.exit", Unit: "api[0]", Text: "exit status 3"}}
	r.Logs = []result.UnitLog{{Unit: "api[0]", File: "logs/api-0.log"}}
	r.Generator.Healthy, r.Generator.Pressure = false, .97
	r.Incidents[0].Kinds = map[string]int64{"refused": 300}
	r.Errors[0].Kind, r.Errors[0].Sample = "refused", nil
	return r
}

// TestAnswer_DiedAlone: where a unit ended by itself, the report says so, and not that no fault was in.
func TestAnswer_DiedAlone(t *testing.T) {
	a := answerOf(diedAlone(t))
	want := "When api[0] ended by itself (exit status 3), 30% of requests failed for over 10s, to the end of the run. 13% of " +
		"requests failed, and less than 1% may."
	began := "20s: 30% of requests failed for over 10s; it began when api[0] ended by itself (exit status 3)."
	explains(t, diedAlone(t), want, began, "GET / failed first: 300 × refused.")
	for _, c := range a.Change {
		if c.Rule != "own-end" {
			t.Errorf("it advises %q", c.Text)
		}
	}
	r := diedAlone(t)
	r.Faults = []result.FaultRecord{aFault("roll", "action.run")}
	r.Faults[0].Injected, r.Faults[0].Until, r.Faults[0].Units = 19, 24, []string{"kubectl"}
	for _, by := range []string{"", "roll"} {
		r.Incidents[0].By = by
		a := answerOf(r)
		said := []string{a.Text()}
		for i := range a.Change {
			said = append(said, a.Change[i].Line())
		}
		text := strings.Join(said, " ")
		if !strings.Contains(text, "api[0] ended (exit status 3)") || strings.Contains(text, "no fault was on it") {
			t.Errorf("while an action was in, by %q: %s", by, text)
		}
	}
	r = diedAlone(t)
	r.Verdict, r.Reasons = scenarios.Invalid, []result.Reason{{Kind: result.BaselineFailed, Verdict: scenarios.Invalid}}
	if got := whyOf(r); len(got) == 0 || got[0] != began {
		t.Errorf("with a failed baseline: %q", got)
	}
}

// frozenProcess returns a run on a URL whose process, which the scenario names by its pid, was frozen.
func frozenProcess(t *testing.T) *result.Result {
	r := onURL(t)
	f := aFault("freeze", "process.freeze", "pid 7")
	r.Faults, r.Incidents = []result.FaultRecord{f}, []result.Incident{outageBy(f.Name)}
	r.Incidents[0].Requests, r.Incidents[0].Bad = 400, 400
	return r
}

// refusingAll returns a run on a busy machine whose target answered each request before the first fault with an error.
func refusingAll(t *testing.T) *result.Result {
	r := onURL(t)
	r.Verdict, r.ExitCode = scenarios.Invalid, scenarios.ExitInvalid
	r.Reasons = []result.Reason{{Kind: result.BaselineFailed, Verdict: scenarios.Invalid}}
	r.Generator = result.Generator{Offered: 300, Pressure: .97}
	r.Generator.Seconds = []result.GeneratorTick{{T: 1, Others: .9, Pressure: .97}}
	return r
}

// fullDisk makes the fault of a run fill the disk of the leader.
func fullDisk(r *result.Result) *result.Result {
	r.Faults[0].Kind = "disk.fill"
	return r
}

// refusing makes the fault of a run answer the requests of the load.
func refusing(r *result.Result) *result.Result {
	r.Faults[0].Kind, r.Faults[0].Units = "http.error", []string{"load->nginx[0]"}
	return r
}

// limited makes the requests of a run wait for the limit of its load.
func limited(r *result.Result) *result.Result {
	r.Generator.Healthy, r.Generator.InFlightMax, r.Generator.Queue.P99 = true, 20, 4.9
	r.Loads[0].MaxInFlight = 20
	r.Params = []result.Param{{Name: "most", Value: "20", Feeds: []string{"load.load.max_in_flight"}}}
	return r
}

// steadyRate adds 30 seconds at 100 requests a second to a run.
func steadyRate(r *result.Result, inFlight func(s int) int64) *result.Result {
	r.Duration, r.Windows = 30, nil
	for s := range 30 {
		r.Windows = append(r.Windows, result.Window{
			T: result.Num(s), D: 1, Load: "*", Step: "*", Offered: 100, InFlight: inFlight(s),
		})
	}
	return r
}

// growingRate adds 30 seconds at 10 to 155 requests a second to a run. The target answers 100 in each.
func growingRate(r *result.Result) *result.Result {
	r.Duration, r.Windows = 30, nil
	waiting := int64(0)
	for s := range 30 {
		offered := int64(10 + 5*s)
		waiting = max(1, waiting+offered-100)
		r.Windows = append(r.Windows, result.Window{
			T: result.Num(s), D: 1, Load: "*", Step: "*", Offered: offered, InFlight: waiting,
		})
	}
	return r
}

// used adds a unit that used so many cores in each of 30 seconds.
func used(r *result.Result, unit string, cores func(s int) result.Num) *result.Result {
	u := result.UnitUsage{Unit: unit, Service: slo.ServiceOf(unit)}
	for s := range 30 {
		u.Seconds = append(u.Seconds, result.UsageTick{T: result.Num(s + 1), CPU: cores(s), Running: true})
	}
	r.Usage = append(r.Usage, u)
	return r
}

// unverified makes a run invalid because the effect of its fault was not seen.
func unverified(r *result.Result, kind string) *result.Result {
	r.Verdict, r.Faults[0].Kind, r.Faults[0].Verified = scenarios.Invalid, kind, result.NaN
	r.Reasons = []result.Reason{{Kind: result.NoEffect, Verdict: scenarios.Invalid, Fault: r.Faults[0].Name}}
	r.Environment.Scenario = []result.FileSum{{Path: "shop.yaml"}}
	return r
}

// TestChangeRules shows for each rule a run in which it speaks, and the least change of that run in which it does not.
func TestChangeRules(t *testing.T) {
	busy := func(r *result.Result) *result.Result {
		r.Generator.Healthy, r.Verdict = false, scenarios.Invalid
		r.Generator.Add(result.Limit{Kind: result.LimitLag, Remedy: result.OwnCore})
		r.Objectives[0].Verdict, r.Objectives[0].Why = scenarios.Invalid, result.Late
		return r
	}
	timedOut := func() *result.Result {
		r := onURL(t)
		r.Incidents, r.Errors[0].Kind = nil, "timeout"
		return r
	}
	cut := func(r *result.Result) *result.Result {
		r.Faults[0].Kind, r.Errors[0].Kind = "network.half_open", "timeout"
		return r
	}
	slowLink := func(r *result.Result) *result.Result {
		f := aFault("slow-database", "network.latency", "haproxy[0]->patroni[0]")
		f.Impact, f.OnsetAt = result.Impacted, result.NaN
		f.Parts = &result.ImpactParts{Requests: 500, Slowed: true, P50: .9, P50Before: .01}
		r.Faults, r.Incidents = []result.FaultRecord{f}, nil
		r.Objectives = []result.ObjectiveResult{judged(t, "p95 < 500ms in slow-database", .95, scenarios.Fail)}
		return r
	}
	clientLink := func(told bool) *result.Result {
		r := onURL(t)
		f := aFault("far-away", "network.latency", "load->target")
		f.Impact, f.OnsetAt = result.Impacted, result.NaN
		f.Parts = &result.ImpactParts{Requests: 250, Slowed: told, P50: .2, P50Before: .0003}
		if !told { // as on a busy machine
			f.Parts.SlowerBecause = []result.Note{{Kind: result.SlowerThis}}
		}
		r.Faults, r.Incidents, r.Errors = []result.FaultRecord{f}, nil, nil
		r.Objectives = []result.ObjectiveResult{judged(t, "p95 < 100ms in far-away", .227, scenarios.Fail)}
		return r
	}
	losing := func() *result.Result { // errors held, and writes were lost
		r := onNginx(t)
		r.Objectives = []result.ObjectiveResult{
			judged(t, "errors < 50%", .13, scenarios.Pass), judged(t, "lost = 0", 57, scenarios.Fail),
		}
		r.Ledger = &result.LedgerRecord{
			Write: "place", Read: true, Acknowledged: 2000, Lost: 57,
			LostSpans: []result.LostSpan{{Lost: 90, First: 3, Last: 4}, {Fault: "kill-cache", Lost: 57, First: 9.5, Last: 10}},
		}
		return r
	}
	lossesOnly := func(r *result.Result) {
		r.Objectives = []result.ObjectiveResult{judged(t, "lost = 0", 5, scenarios.Fail)}
	}
	starved := func() *result.Result {
		r := onNginx(t)
		r.Usage = []result.UnitUsage{{Unit: "nginx[0]", OOMs: 2, Memory: 64 << 20}}
		return r
	}
	const starvedText = "Give nginx[0] more memory, or let it use less: the kernel killed 2 processes of it, at 64 MiB."
	overflowing := func() *result.Result {
		r := onNginx(t)
		r.Usage = []result.UnitUsage{{Unit: "nginx[0]", AcceptOverflows: 7}}
		return r
	}
	const overflowingText = "Lengthen the accept queue of nginx[0], or accept faster: the kernel dropped 7 connections " +
		"because it was full."
	breaker := func(wait string) *result.Result {
		r := onNginx(t)
		r.Errors[0].Sample.Status, r.Errors[0].Sample.Headers = 503, map[string]string{"Retry-After": wait}
		return r
	}
	returned := func(kind string, units ...string) *result.Result { // the end of the fault began the outage
		r := onPatroni(t)
		r.Faults[0].Kind, r.Faults[0].Units = kind, units
		r.Incidents[0].Begin, r.Incidents[0].End, r.Incidents[0].Evidence = 12, 18, result.ByRevert
		return r
	}
	data := func(objective string) *result.Result { // an objective on data failed
		r := onNginx(t)
		r.Objectives = []result.ObjectiveResult{judged(t, objective, 5, scenarios.Fail)}
		return r
	}
	delivered := func(objective string, d result.DeliveryRecord) *result.Result {
		r := data(objective)
		d.Name = "orders"
		r.Deliveries = []*result.DeliveryRecord{{Name: "mails", Lost: 9, Duplicated: 9, Reordered: 9}, &d}
		return r
	}
	written := func(objective string, l result.LedgerRecord) *result.Result {
		r := data(objective)
		l.Write, l.Units = "place", []string{"db[0]", "db[1]"}
		r.Ledger = &l
		return r
	}
	register := func(objective string, kinds ...string) *result.Result {
		r := data(objective)
		c := &result.ConsistencyRecord{Name: "price"}
		for i, kind := range kinds {
			c.Kinds = append(c.Kinds, result.AnomalyKind{Kind: kind, Count: int64(3 + i)})
		}
		r.Consistency = []*result.ConsistencyRecord{c}
		return r
	}
	lostMessages := func() *result.Result {
		return delivered("lost = 0 of orders", result.DeliveryRecord{Lost: 60, LostSpans: []result.LostSpan{
			{Lost: 50, First: 3, Last: 4}, {Fault: "kill-cache", Lost: 10, First: 9.5, Last: 10},
		}})
	}
	acrossLink := "Let a request cross the link from load to target less often, by kept connections, fewer redirects " +
		"or smaller answers, or allow for far-away in the limit of 100ms: answers likely waited for the link, which the " +
		"target can't shorten."
	var shown []string
	ofInjection := []string{
		"only-replica", "only-process", "dead-replica", "failover", "hand-over", "breaker", "dead-peer", "client-errors",
	}
	for _, tt := range []struct {
		rule    string
		r       *result.Result
		want    string
		command string
		silent  string
		without func(*result.Result)
	}{
		{
			"unverified", unverified(onNginx(t), "exec"), "Mend kill-cache, or the check in its verify: its effect was not seen. " +
				"Inject it alone, without load, until it is verified.",
			"brunt inject shop.yaml kill-cache --set rate=100/s",
			"the fault met no traffic", func(r *result.Result) { r.Reasons[0].Kind = result.NoTraffic },
		},
		{
			"unverified", func() *result.Result {
				r := unverified(onNginx(t), "container.kill")
				r.Environment.Command = []string{"brunt", "ab", "shop.yaml"}
				return r
			}(), "Mend kill-cache: its effect was not seen. Inject it alone, without load, until it is verified.", "",
			"the run failed", func(r *result.Result) { r.Verdict = scenarios.Fail },
		},
		{
			"lost-writes", losing(), "Acknowledge a write only when it is on disk, and at a majority of the members where " +
				"there are several: 57 that kill-cache lost had been acknowledged up to 500ms before it, so likely they were in " +
				"the memory of one member alone.", "",
			"no fault lost them", func(r *result.Result) { r.Ledger.LostSpans[1].Fault = "" },
		},
		{
			"lost-writes", losing(), "Acknowledge a write only when it is on disk, and at a majority of the members where " +
				"there are several: 57 that kill-cache lost had been acknowledged up to 500ms before it, so likely they were in " +
				"the memory of one member alone.", "",
			"an objective allows it", func(r *result.Result) {
				r.Objectives[0].Verdict, r.Objectives[1].Verdict = scenarios.Fail, scenarios.Pass
			},
		},
		{
			"lost-messages", lostMessages(), "Acknowledge a message only when it is on disk, and at a majority of the members " +
				"where there are several, and keep it until its receiver has confirmed it: 10 of orders that kill-cache lost had " +
				"been acknowledged up to 500ms before it.", "",
			"no fault lost them", func(r *result.Result) { r.Deliveries[1].LostSpans[1].Fault = "" },
		},
		{
			"lost-messages", func() *result.Result {
				r := lostMessages()
				r.Deliveries[1].Unreadable, r.Deliveries[1].LostSpans[1].First = 2, 10
				return r
			}(), "Acknowledge a message only when it is on disk, and at a majority of the members where there are several, " +
				"and keep it until its receiver has confirmed it: up to 10 of orders that kill-cache lost had been acknowledged " +
				"while it was in.", "",
			"the objective is on another delivery", func(r *result.Result) {
				r.Objectives = []result.ObjectiveResult{judged(t, "lost = 0 of mails", 9, scenarios.Fail)}
			},
		},
		{
			"duplicates", delivered("duplicated = 0 of orders", result.DeliveryRecord{Duplicated: 1}), "Let the target " +
				"remember the ids of messages that it passed on, and drop one that comes again: 1 message of orders was seen " +
				"more than once.", "",
			"the objective held", func(r *result.Result) { r.Objectives[0].Verdict = scenarios.Pass },
		},
		{
			"duplicates", written("duplicated = 0", result.LedgerRecord{Duplicated: 5}), "Let the target know a write by an " +
				"id that its sender gives, and take it only once: 5 writes of place are there more than once.", "",
			"writes were lost", func(r *result.Result) {
				r.Objectives = []result.ObjectiveResult{judged(t, "lost = 0", 5, scenarios.Fail)}
			},
		},
		{
			"order", delivered("reordered = 0 of orders", result.DeliveryRecord{Reordered: 5}), "Pass messages with the same " +
				"key on one after another, such as by one partition with one consumer: 5 messages of orders were seen after " +
				"one that was sent later.", "",
			"it is not known which", func(r *result.Result) { r.Deliveries[1].Reordered = 0 },
		},
		{
			"unseen-writes", written("late < 1s", result.LedgerRecord{LateLow: 5, LateHigh: 5.2}), "Acknowledge a write only " +
				"when every read finds it, or let reads ask where it was taken: a write of place could be read only 5s to 5.2s " +
				"after it was acknowledged.", "",
			"two ledgers, and no name", func(r *result.Result) {
				r.Ledgers = []*result.LedgerRecord{{Name: "events", LateHigh: 9}}
				r.Ledger.Name = "orders"
			},
		},
		{
			"unseen-writes", written("stale.reads = 0", result.LedgerRecord{Reads: &result.LedgerReads{Stale: 5}}),
			"Acknowledge a write only when every read finds it, or let reads ask where it was taken: 5 reads did not find a " +
				"write of place that had been acknowledged.", "",
			"all did", func(r *result.Result) { r.Ledger.Reads.Stale = 0 },
		},
		{
			"unequal-members", written("stale < 1%", result.LedgerRecord{Stale: 5}), "Let members compare what they have " +
				"after a fault, and repair it: when all faults were over, 5 writes of place were not the same at all 2 units.", "",
			"only one was asked", func(r *result.Result) { r.Ledger.Units = []string{"db[0]"} },
		},
		{
			"anomalies", register("anomalies = 0", result.AnomalyFuture, result.AnomalyLost, result.AnomalyStale),
			"Acknowledge a write only when it is on disk, and at a majority of the members: reads and writes of price show 4 " +
				"lost writes.", "",
			"an order is missing, which has many reasons", func(r *result.Result) {
				r.Consistency[0].Kinds = []result.AnomalyKind{{Kind: result.AnomalyOrder, Count: 3}}
			},
		},
		{
			"anomalies", register("staleness < 1s", result.AnomalyLost, result.AnomalyStale), "Let reads ask the leader or a " +
				"majority of the members, and drop a cached value when it is written: reads and writes of price show 4 stale " +
				"reads.", "",
			"it is of other registers", func(r *result.Result) {
				r.Consistency = append(r.Consistency, &result.ConsistencyRecord{Name: "stock"})
			},
		},
		{
			"only-replica", func() *result.Result {
				r := onNginx(t)
				r.Faults[0].Kind = "cpu.throttle"
				return r
			}(), "Run a second replica of redis, and let callers leave one that fails: a timeout with a retry on another " +
				"replica, or health checks that eject it. Without that they would likely go on asking it.",
			"brunt run shop.yaml --set rate=100/s --set caches=2",
			"it has two", func(r *result.Result) { r.Environment.Replicas["redis"] = 2 },
		},
		{
			"only-replica", func() *result.Result {
				r := losing()
				r.Objectives[0].Verdict = scenarios.Fail
				return r
			}(), "Run a second replica of redis.",
			"brunt run shop.yaml --set rate=100/s --set caches=2",
			"only writes were lost", func(r *result.Result) { r.Objectives[0].Verdict = scenarios.Pass },
		},
		{
			"only-replica", onNginx(t), "Run a second replica of redis.",
			"brunt run shop.yaml --set rate=100/s --set caches=2",
			"it has two", func(r *result.Result) { r.Environment.Replicas["redis"] = 2 },
		},
		{
			"only-replica", func() *result.Result {
				r := onNginx(t)
				r.Params[1].Feeds = append(r.Params[1].Feeds, "target.containers.nginx.replicas")
				return r
			}(), "Run a second replica of redis.", "",
			"nothing shows that the fault did it", func(r *result.Result) { r.Incidents[0].By = "" },
		},
		{
			"dead-replica", func() *result.Result {
				r := onNginx(t)
				r.Faults[0].Units = []string{"nginx[1]"}
				return r
			}(), "Take a dead replica out of rotation, and retry on another one: 1 of 2 replicas of nginx were well, and their " +
				"callers likely went on asking the dead one.", "",
			"both were hit", func(r *result.Result) { r.Faults[0].Units = []string{"nginx[0]", "nginx[1]"} },
		},
		{
			"only-replica", func() *result.Result {
				r := onNginx(t)
				r.Faults[0].Kind = "container.pause"
				return r
			}(), "Run a second replica of redis, and let callers leave one that hangs: a timeout with a retry on another " +
				"replica, or health checks that eject it. A replica alone does not cure a hang.",
			"brunt run shop.yaml --set rate=100/s --set caches=2",
			"it has two", func(r *result.Result) { r.Environment.Replicas["redis"] = 2 },
		},
		{
			"dead-replica", func() *result.Result {
				r := onNginx(t)
				r.Faults[0].Kind, r.Faults[0].Units = "container.pause", []string{"nginx[1]"}
				return r
			}(), "Let callers leave a replica that hangs, by a timeout with a retry on another replica, or health checks " +
				"that eject it: 1 of 2 replicas of nginx were well, and callers likely went on waiting for the hung one.", "",
			"both were hit", func(r *result.Result) { r.Faults[0].Units = []string{"nginx[0]", "nginx[1]"} },
		},
		{
			"failover", onPatroni(t), "Shorten the failover: without the leader patroni[1] it took 4s. Likely the time after " +
				"which the others give up a leader decides it.", "",
			"a follower was hit", func(r *result.Result) { r.Faults[0].Role = "follower" },
		},
		{
			"failover", func() *result.Result {
				r := onPatroni(t)
				r.Faults[0].Units = nil
				return r
			}(), "Shorten the failover: without the leader it took 4s. Likely the time after which the others give up a " +
				"leader decides it.", "",
			"the leader was there", func(r *result.Result) { r.Faults[0].Kind = "disk.fill" },
		},
		{
			"failover", func() *result.Result {
				r := onPatroni(t)
				r.Faults[0].Kind, r.Faults[0].Within = "process.freeze", result.NaN
				return r
			}(), "Shorten the failover: no other member took over in the 2s without the leader patroni[1]. Likely the time " +
				"after which the others give up a leader is longer.", "",
			"the leader was there", func(r *result.Result) { r.Faults[0].Kind = "disk.fill" },
		},
		{
			"failover", func() *result.Result {
				r := onPatroni(t)
				f := &r.Faults[0]
				f.Kind, f.Within, f.Led, f.Cleared = "network.partition", result.NaN, "patroni[1]", 20
				f.Units = []string{"patroni[1]->patroni[0]", "patroni[2]->patroni[1]"}
				return r
			}(), "Shorten the failover: without the leader patroni[1] it took 4s. Likely the time after which the others give " +
				"up a leader decides it.", "",
			"a follower was cut off", func(r *result.Result) { r.Faults[0].Role = "follower" },
		},
		{
			"failover", func() *result.Result {
				r := onPatroni(t)
				r.Faults[0].StaysDown, r.Faults[0].Cleared, r.Incidents[0].Begin = true, 10.2, 10.4
				return r
			}(), "Shorten the failover: without the leader patroni[1] it took 3.6s. Likely the time after which the others " +
				"give up a leader decides it.", "",
			"it was back before", func(r *result.Result) { r.Faults[0].StaysDown = false },
		},
		{
			"dead-replica", func() *result.Result {
				r := onPatroni(t)
				r.Faults[0].Units, r.Faults[0].Role = []string{"patroni[0]", "patroni[2]"}, ""
				return r
			}(), "Take a dead replica out of rotation, and retry on another one: 1 of 3 replicas of patroni were well, and their " +
				"callers likely went on asking the dead one.", "",
			"the one that is left has no majority", func(r *result.Result) { r.Faults[0].Led = "patroni[1]" },
		},
		{
			"client-timeout", func() *result.Result {
				r := cut(onNginx(t))
				r.Environment.Entry = "nginx"
				r.Faults[0].Kind = "container.pause"
				return r
			}(), "Let the target give up before its client does: 400 requests of shoppers had no answer within the client's " +
				"3s, so likely its own timeouts are as long or longer.", "",
			"all that could answer was frozen", func(r *result.Result) {
				r.Faults[0].Units = []string{"nginx[0]", "nginx[1]"}
			},
		},
		{
			"client-timeout", func() *result.Result {
				r := cut(onNginx(t)) // 100 of the timeouts are of a lesser outage
				r.Environment.Entry = "nginx"
				r.Faults[0].Kind = "container.pause"
				r.Faults = append(r.Faults, aFault("no-fds", "fd.exhaust", "nginx[0]", "nginx[1]"))
				r.Incidents[0].Kinds = map[string]int64{"timeout": 300}
				r.Incidents = append(r.Incidents, outageBy("no-fds"))
				r.Incidents[1].Bad, r.Incidents[1].Kinds = 100, map[string]int64{"timeout": 100}
				return r
			}(), "Let the target give up before its client does: 300 requests of shoppers had no answer within the client's " +
				"3s, so likely its own timeouts are as long or longer.", "",
			"the server of all of them could not answer", func(r *result.Result) {
				r.Incidents[0].By = "no-fds"
			},
		},
		{
			"client-timeout", func() *result.Result {
				r := cut(onNginx(t)) // the load asks redis at an endpoint of its own, and no link leads there
				r.Environment.Entry = "nginx"
				r.Faults[0].Kind = "container.pause"
				r.Incidents[0].Kinds = map[string]int64{"timeout": 400}
				r.Links = []result.Link{{From: "nginx[0]", To: "redis[0]"}}
				return r
			}(), "Let the target give up before its client does: 400 requests of shoppers had no answer within the client's " +
				"3s, so likely its own timeouts are as long or longer.", "",
			"only the load asks the frozen one", func(r *result.Result) { r.Links[0].To = "nginx[1]" },
		},
		{
			"client-timeout", func() *result.Result {
				r := cut(onNginx(t))
				r.Faults[0].Kind, r.Faults[0].Units = "network.blackhole", []string{"nginx[0]->redis[0]"}
				return r
			}(), "Let the target give up before its client does: 400 requests of shoppers had no answer within the client's " +
				"3s, so likely its own timeouts are as long or longer.", "",
			"the client was cut off", func(r *result.Result) { r.Faults[0].Units = []string{"load->nginx[0]"} },
		},
		{
			"client-timeout", func() *result.Result {
				r := cut(onNginx(t))
				r.Environment.Entry, r.Faults[0].Kind = "nginx", "group"
				r.Faults[0].Steps = []result.FaultStep{
					{Kind: "container.pause", Units: []string{"nginx[0]"}}, {Kind: "container.kill", Units: []string{"nginx[1]"}},
				}
				return r
			}(), "Let the target give up before its client does: 400 requests of shoppers had no answer within the client's " +
				"3s, so likely its own timeouts are as long or longer.", "",
			"its steps froze all that could answer", func(r *result.Result) { r.Faults[0].Steps[1].Kind = "fd.exhaust" },
		},
		{
			"client-timeout", timedOut(), "Let the target give up before its client does: 300 requests of load had no answer " +
				"within the client's 30s, so likely its own timeouts are as long or longer.", "",
			"they are questions to a name server", func(r *result.Result) {
				r.Errors[0].Sample = &result.Sample{Request: "dns dns://127.0.0.1:53"}
			},
		},
		{
			"lost-datagrams", func() *result.Result {
				r := timedOut()
				r.Errors[0].Sample = &result.Sample{Request: "udp udp://127.0.0.1:53"}
				return r
			}(), "Let clients send a datagram again, or ask another server, well before their limit: 300 datagrams of load " +
				"had no answer within 30s, and nothing else repeats one that is lost.", "",
			"few failed", func(r *result.Result) { r.Errors[0].Count = 4 },
		},
		{
			"client-timeout", timedOut(), "Let the target give up before its client does: 300 requests of load had no answer " +
				"within the client's 30s, so likely its own timeouts are as long or longer.", "",
			"answers were too slow, and few failed", func(r *result.Result) {
				r.Objectives = []result.ObjectiveResult{judged(t, "p95 < 200ms", .95, scenarios.Fail)}
			},
		},
		{
			"only-process", frozenProcess(t), "Let a second instance serve while pid 7 is away, behind a balancer that leaves " +
				"one that hangs: 400 of 400 requests of the outage were not served, so likely nothing else could serve them.", "",
			"others served", func(r *result.Result) { r.Incidents[0].Requests = 1000 },
		},
		{
			"only-process", frozenProcess(t), "Let a second instance serve while pid 7 is away, behind a balancer that leaves " +
				"one that hangs: 400 of 400 requests of the outage were not served, so likely nothing else could serve them.", "",
			"it is a service of the scenario", func(r *result.Result) { r.Environment.Replicas = map[string]int{"web": 1} },
		},
		{
			"hand-over", fullDisk(onPatroni(t)), "Let a leader that can't serve hand over: no other member took over in the " +
				"2s in which patroni[1] ran and failed, so likely its health check asks only whether it runs.", "",
			"another one led before the fault was over", func(r *result.Result) { r.Incidents[0].End = 11 },
		},
		{
			"hand-over", fullDisk(onPatroni(t)), "Let a leader that can't serve hand over: no other member took over in the " +
				"2s in which patroni[1] ran and failed, so likely its health check asks only whether it runs.", "",
			"it was dead", func(r *result.Result) { r.Faults[0].Kind = "process.crash" },
		},
		{
			"hand-over", fullDisk(onPatroni(t)), "Let a leader that can't serve hand over: no other member took over in the " +
				"2s in which patroni[1] ran and failed, so likely its health check asks only whether it runs.", "",
			"a step may have killed it", func(r *result.Result) {
				r.Faults[0].Kind, r.Faults[0].Steps = "group", []result.FaultStep{{Kind: "exec"}}
			},
		},
		{
			"hand-over", fullDisk(onPatroni(t)), "Let a leader that can't serve hand over: no other member took over in the " +
				"2s in which patroni[1] ran and failed, so likely its health check asks only whether it runs.", "",
			"a command may have killed it", func(r *result.Result) { r.Faults[0].Kind = "exec" },
		},
		{
			"client-errors", refusing(onNginx(t)), "Let clients try again where that is safe, or allow for kill-cache in the " +
				"objectives: it failed requests on the link from load to nginx, where the target can't help.", "",
			"the link is the target's own", func(r *result.Result) { r.Faults[0].Units = []string{"nginx[0]->redis[0]"} },
		},
		{
			"slow-link", slowLink(onPatroni(t)), "Bound the calls over the link from haproxy to patroni: answers waited for " +
				"it, likely without a timeout. One below 500ms with a fallback would hold the objective.", "",
			"the link is the client's own", func(r *result.Result) { r.Faults[0].Units = []string{"load->haproxy[0]"} },
		},
		{
			"breaker", breaker("1"), "Let the circuit breaker try sooner than after 1s, likely up to 2s less outage.", "",
			"good again before the fault was over", func(r *result.Result) { r.Incidents[0].End = 11.9 },
		},
		{
			"breaker", breaker("5"), "Let the circuit breaker try sooner than after 5s, likely up to 2s less outage.", "",
			"good as soon as the unit served", func(r *result.Result) {
				r.Incidents[0].End, r.Errors[0].Last = 12.437, 12.5
			},
		},
		{
			"breaker", breaker("1"), "Let the circuit breaker try sooner than after 1s, likely up to 2s less outage.", "",
			"it is a limit on rates", func(r *result.Result) { r.Errors[0].Sample.Status = 429 },
		},
		{
			"breaker", breaker("1"), "Let the circuit breaker try sooner than after 1s, likely up to 2s less outage.", "",
			"requests were refused before the outage too", func(r *result.Result) { r.Errors[0].First = 3 },
		},
		{
			"breaker", breaker("1"), "Let the circuit breaker try sooner than after 1s, likely up to 2s less outage.", "",
			"hardly any request of the outage was refused", func(r *result.Result) { r.Errors[0].Count = 79 },
		},
		{
			"rejoin", returned("network.disconnect", "patroni[1]"), "Let patroni[1] catch up before it serves, and without " +
				"holding up the others: the outage of 6s began when lose-the-leader ended, so likely with its return. Look at " +
				"its output from 12s to 18s.", "",
			"the begin of the fault did it", func(r *result.Result) { r.Incidents[0].Evidence = result.ByInjection },
		},
		{
			"rejoin", func() *result.Result {
				r := returned("process.freeze", "haproxy[0]")
				r.T0 = time.Date(2026, 11, 26, 16, 45, 0, 0, time.UTC)
				r.Logs = []result.UnitLog{{Unit: "haproxy[0]", File: "logs/haproxy-0.log"}}
				return r
			}(), "Let haproxy[0] catch up before it serves: the outage of 6s began when lose-the-leader ended, so likely with " +
				"its return. Look at its output from 16:45:12 to 16:45:18 UTC, in logs/haproxy-0.log.", "",
			"an objective allows it", func(r *result.Result) { r.Verdict = scenarios.Pass },
		},
		{
			"rejoin", returned("disk.fill", "patroni[1]"), "Look at the logs and metrics of the target from 12s to 18s: the " +
				"outage of 6s began when lose-the-leader ended.", "",
			"nothing shows that the fault did it", func(r *result.Result) { r.Incidents[0].By = "" },
		},
		{
			"relapse", func() *result.Result {
				r := brokenLater(t)
				r.Events = nil
				return r
			}(), "Look at the logs and metrics of the target from 22.3s to 23.32s: every request failed then, 10.3s after " +
				"hang was over.", "",
			"a unit ended by itself", func(r *result.Result) { r.Events = brokenLater(t).Events },
		},
		{
			"relapse", func() *result.Result {
				r := brokenLater(t)
				r.Events, r.Incidents[0].Bad = nil, 480
				return r
			}(), "Look at the logs and metrics of the target from 22.3s to 23.32s: every request failed then, 10.3s after " +
				"hang was over.", "",
			"a unit ended by itself, after the worst outage", func(r *result.Result) { r.Events = brokenLater(t).Events },
		},
		{
			"dead-peer", cut(onPatroni(t)), "Give up connections to a dead peer sooner, by keep-alives or a limit on " +
				"unanswered data: requests failed for 2s after it was over, likely on connections from before.", "",
			"the peer was dead, and not silent", func(r *result.Result) { r.Faults[0].Kind = "network.latency" },
		},
		{
			"dead-peer", cut(onPatroni(t)), "Give up connections to a dead peer sooner, by keep-alives or a limit on " +
				"unanswered data: requests failed for 2s after it was over, likely on connections from before.", "",
			"the timeouts are of another outage", func(r *result.Result) {
				r.Incidents[0].Steps = []result.IncidentStep{{
					Load: "writers", Step: "insert", Bad: 400, Kinds: map[string]int64{"status 503": 400},
				}}
			},
		},
		{
			"client-timeout", cut(onPatroni(t)), "Let the target give up before its client does: 400 requests of writers had " +
				"no answer within the client's 5s, so likely its own timeouts are as long or longer.", "",
			"an error was answered", func(r *result.Result) { r.Errors[0].Kind = "status 504" },
		},
		{
			"slow-link", slowLink(onPatroni(t)), "Bound the calls over the link from haproxy to patroni: answers waited for " +
				"it, likely without a timeout. One below 500ms with a fallback would hold the objective.", "",
			"answers were not slower", func(r *result.Result) { r.Faults[0].Parts.Slowed = false },
		},
		{
			"slow-link", slowLink(onPatroni(t)), "Bound the calls over the link from haproxy to patroni: answers waited for " +
				"it, likely without a timeout. One below 500ms with a fallback would hold the objective.", "",
			"too many requests failed, and none timed out", func(r *result.Result) { r.Objectives[0].Infinite = true },
		},
		{
			"client-link", clientLink(true), acrossLink, "",
			"the link is the target's own", func(r *result.Result) { r.Faults[0].Units = []string{"nginx[0]->redis[0]"} },
		},
		{
			"client-link", clientLink(false), acrossLink, "",
			"it is open whether answers were slower", func(r *result.Result) { r.Faults[0].Parts.P50 = .0005 },
		},
		{
			"client-link", clientLink(true), acrossLink, "",
			"the objective held", func(r *result.Result) { r.Objectives[0].Verdict = scenarios.Pass },
		},
		{
			"memory", starved(), starvedText, "",
			"a fault took the memory", func(r *result.Result) {
				r.Faults = append(r.Faults, aFault("starve", "memory.limit", "nginx[0]"))
			},
		},
		{
			"memory", starved(), starvedText, "",
			"a step of a fault took the memory", func(r *result.Result) {
				r.Faults = append(r.Faults, aFault("starve", "group", "nginx[0]"))
				r.Faults[1].Steps = []result.FaultStep{{Kind: "memory.limit", Units: []string{"nginx[0]"}}}
			},
		},
		{
			"memory", starved(), starvedText, "",
			"a condition took the memory", func(r *result.Result) {
				r.Conditions = []result.Condition{{
					Name: "small", Kind: "memory.limit", Units: []string{"nginx[0]"}, Evidence: "64 MiB",
				}}
			},
		},
		{"memory", starved(), starvedText, "", "only writes were lost", lossesOnly},
		{
			"memory", func() *result.Result {
				r := starved()
				r.Objectives = []result.ObjectiveResult{judged(t, "nginx.memory < 300MiB", 313<<20, scenarios.Fail)}
				return r
			}(), starvedText, "",
			"only an alert came late", func(r *result.Result) {
				r.Objectives = []result.ObjectiveResult{judged(t, "alert(Errors) < 60s after kill-cache", 90, scenarios.Fail)}
			},
		},
		{
			"only-replica", func() *result.Result {
				r := onNginx(t)
				lossesOnly(r)
				r.Verdict, r.Reasons = scenarios.Stopped, []result.Reason{{Kind: result.StopCondition, Text: "errors > 50%"}}
				return r
			}(), "Run a second replica of redis.",
			"brunt run shop.yaml --set rate=100/s --set caches=2",
			"only the loss is a reason", func(r *result.Result) { r.Reasons = nil },
		},
		{"accept-queue", overflowing(), overflowingText, "", "only writes were lost", lossesOnly},
		{
			"cpu", used(onURL(t), "app[0]", func(int) result.Num { return 1 }), "Give app[0] more processor time, or let it " +
				"do less: it used 1 core in half of the seconds and no more in the others, which is likely all it may use.", "",
			"only writes were lost", lossesOnly,
		},
		{
			"queue", steadyRate(onURL(t), func(s int) int64 { return int64(4 + 10*s) }),
			"Bound the queue of the target, and shed what is beyond it, or give it more capacity: in flight grew from 24 to " +
				"274, so likely it does less than it is asked for.", "",
			"only writes were lost", lossesOnly,
		},
		{
			"capacity", growingRate(onURL(t)), "Give the target more capacity, or shed what is beyond it: it likely keeps " +
				"up with about 100/s, and 155/s were asked for.", "",
			"only writes were lost", lossesOnly,
		},
		{
			"accept-queue", overflowing(), overflowingText, "",
			"another program may have dropped them", func(r *result.Result) { r.Usage[0].AcceptShared = true },
		},
		{
			"accept-queue", overflowing(), overflowingText, "",
			"a fault froze the unit, which then accepts nothing", func(r *result.Result) {
				r.Faults = append(r.Faults, aFault("hang", "process.freeze", r.Usage[0].Unit))
			},
		},
		{
			"accept-queue", func() *result.Result {
				r := overflowing()
				r.Faults = append(r.Faults, aFault("hang", "process.freeze", "other[0]"))
				return r
			}(), overflowingText, "",
			"a step of a group took the unit's descriptors", func(r *result.Result) {
				r.Faults[0].Kind, r.Faults[0].Steps = result.GroupKind, []result.FaultStep{
					{Kind: "fd.exhaust", Units: []string{r.Usage[0].Unit}, Injected: 10},
				}
			},
		},
		{
			"cpu", used(onURL(t), "app[0]", func(s int) result.Num { return []result.Num{.99, 1.0, 1.01}[s%3] }),
			"Give app[0] more processor time, or let it do less: it used 1 core in half of the seconds and no more in the " +
				"others, which is likely all it may use.", "",
			"it used more at times", func(r *result.Result) {
				for s := range r.Usage[0].Seconds[:10] {
					r.Usage[0].Seconds[s].CPU = 1.6
				}
			},
		},
		{
			"first-step", refusingAll(t), "Find out why GET / failed first, by status 500 “too many open files”.", "",
			"the run says nothing of the target for another reason", func(r *result.Result) { r.Reasons = nil },
		},
		{
			"busy-machine", func() *result.Result {
				r := refusingAll(t)
				r.Errors[0].Kind = "timeout"
				return r
			}(), "Run it again on a quiet machine: tasks waited for a processor 97% of the time, so likely the target " +
				"lacked one too.", "",
			"nearly all requests were refused", func(r *result.Result) { r.Errors[0].Kind = "status 500" },
		},
		{
			"queue", steadyRate(onURL(t), func(s int) int64 { return int64(4 + 10*s) }),
			"Bound the queue of the target, and shed what is beyond it, or give it more capacity: in flight grew from 24 to " +
				"274, so likely it does less than it is asked for.", "",
			"the rate grew as well", func(r *result.Result) {
				for i := range r.Windows {
					r.Windows[i].Offered = int64(50 + 10*i)
				}
			},
		},
		{
			"first-step", onURL(t), "Find out why GET / failed first, by status 500 “too many open files”.", "",
			"no request failed", func(r *result.Result) { r.Errors = nil },
		},
		{
			"queue", steadyRate(onURL(t), func(s int) int64 { return int64(4 + 10*s) }),
			"Bound the queue of the target, and shed what is beyond it, or give it more capacity: in flight grew from 24 to " +
				"274, so likely it does less than it is asked for.", "",
			"an outage at the end alone", func(r *result.Result) {
				for i := range r.Windows {
					if r.Windows[i].InFlight = 5; i > 20 {
						r.Windows[i].InFlight = 150
					}
				}
			},
		},
		{
			"in-flight-limit", limited(onURL(t)), "Raise max_in_flight of load from 20, to 200 for example, unless real " +
				"clients have such a limit: the wait likely comes from it, and not from the target.",
			"brunt run http://127.0.0.1:8080 --set most=200",
			"a place was free", func(r *result.Result) { r.Generator.InFlightMax = 19 },
		},
		{
			"in-flight-limit", limited(onURL(t)), "Raise max_in_flight of load from 20, to 200 for example, unless real " +
				"clients have such a limit: the wait likely comes from it, and not from the target.",
			"brunt run http://127.0.0.1:8080 --set most=200",
			"no request waited", func(r *result.Result) { r.Generator.Queue.P99 = .003 },
		},
		{
			"busy-machine", func() *result.Result {
				r := onURL(t)
				r.Generator.Healthy, r.Generator.Pressure = false, .97
				return r
			}(), "Run it again on a quiet machine: tasks waited for a processor 97% of the time.", "",
			"brunt was not late", func(r *result.Result) { r.Generator.Healthy = true },
		},
		{
			"client-timeout", func() *result.Result {
				r := onURL(t)
				r.Errors[0].Kind = "timeout"
				return r
			}(), "Let the target give up before its client does: 300 requests of load had no answer within the client's 30s, " +
				"so likely its own timeouts are as long or longer.", "",
			"the machine may be why", func(r *result.Result) {
				r.Generator.Healthy, r.Generator.Pressure = false, .97
			},
		},
		{
			"capacity", growingRate(onURL(t)), "Give the target more capacity, or shed what is beyond it: it likely keeps " +
				"up with about 100/s, and 155/s were asked for.", "",
			"a fault was in", func(r *result.Result) {
				r.Faults = []result.FaultRecord{{Name: "slow", Injected: 15, Cleared: 25, RecoveredAt: 26}}
			},
		},
		{
			"slowdown", func() *result.Result {
				r := slowed(onURL(t))
				r.Objectives = []result.ObjectiveResult{judged(t, "p95 < 200ms", .486, scenarios.Fail)}
				return r
			}(), "Look at the logs and metrics of the target from 16:45:10 to 16:45:14 UTC, for what made it slow: no fault " +
				"was in.", "",
			"no objective on response times failed", func(r *result.Result) {
				r.Objectives = []result.ObjectiveResult{judged(t, "errors < 1%", .486, scenarios.Fail)}
			},
		},
		{
			"slowdown", func() *result.Result {
				r := slowed(onURL(t))
				r.Generator.Healthy, r.Generator.Pressure = false, .97
				r.Objectives = []result.ObjectiveResult{judged(t, "p95 < 200ms", .486, scenarios.Fail)}
				return r
			}(), "Look at the logs and metrics of the target from 16:45:10 to 16:45:14 UTC, for what made it slow: no fault " +
				"was in. Tasks of this machine waited for a processor 97% of the time, which is a likely reason if the target " +
				"runs here.", "",
			"there was none", func(r *result.Result) { r.Slowdowns = nil },
		},
		{
			"no-traffic", func() *result.Result {
				r := onNginx(t)
				r.Verdict, r.Incidents = scenarios.Inconclusive, nil
				r.Faults[0].Impact, r.Faults[0].OnsetAt, r.Faults[0].TrafficUnit = result.UnknownYet, result.NaN, "requests"
				return r
			}(), "Give the load a step that uses the only replica of redis while kill-cache is in, or let the fault hit what the load uses: no " +
				"traffic met it.", "",
			"some met it", func(r *result.Result) { r.Faults[0].Traffic = 3 },
		},
		{
			"own-core", busy(onURL(t)), "Give brunt a processor that no other program uses, and run it again.", "",
			"no verdict hangs on it", func(r *result.Result) { r.Objectives[0].Why = "" },
		},
		{
			"more-requests", func() *result.Result {
				r := onURL(t)
				r.Verdict, r.Objectives[0].Verdict = scenarios.Inconclusive, scenarios.Inconclusive
				r.Objectives[0].Because = result.Notes{{Kind: result.FewRequests, Count: 120, Need: 300}}
				return r
			}(), "Run for longer, or at a higher rate: errors < 1% takes 300 requests, and 120 came, so 2.5 times as many " +
				"decide it.", "",
			"enough came", func(r *result.Result) { r.Objectives[0].Because = nil },
		},
		{
			"more-requests", func() *result.Result {
				r := onNginx(t)
				r.Verdict, r.Objectives[0].Verdict = scenarios.Inconclusive, scenarios.Inconclusive
				r.Objectives[0].Because = result.Notes{{Kind: result.NotShown, Count: 2400, Need: 9718}}
				return r
			}(), "Run for longer, or at a higher rate: errors < 1% takes 9718 requests, and 2400 came, so 4.1 times as many " +
				"decide it.", "",
			"no number shows it", func(r *result.Result) { r.Objectives[0].Because[0].Need = 0 },
		},
		{
			"own-end", brokenLater(t), "Look at the output of front[0] around 22.31s, for why it ended by itself (exit status " +
				"3): no fault was on it.", "",
			"no unit ended", func(r *result.Result) { r.Events = nil },
		},
		{
			"own-end", diedAlone(t), "Look at the output of api[0] around 19.99s, in logs/api-0.log, for why it ended by itself " +
				"(exit status 3): no fault was on it.", "",
			"a fault was on it", func(r *result.Result) {
				r.Faults = []result.FaultRecord{aFault("kill", "process.crash", "api[0]")}
				r.Faults[0].Injected, r.Faults[0].Until = 19.9, 25
			},
		},
		{
			"changed", changed(t), "Look first at what changed since the last run, which passed: parameter cfg is haproxy.cfg, and was " +
				"haproxy-good.cfg.", "",
			"the last run failed too", func(r *result.Result) { r.Earlier[1].Verdict = scenarios.Fail },
		},
		{
			"changed", func() *result.Result {
				r := changed(t)
				r.Earlier[1].Changed = append(r.Earlier[1].Changed,
					result.SettingChange{Path: "load.shoppers.rate", Now: "90/s"}, result.SettingChange{Path: "seed", Now: "2"})
				return r
			}(), "Look first at what changed since the last run, which passed: parameter cfg is haproxy.cfg, and was " +
				"haproxy-good.cfg; load.shoppers.rate is new: 90/s; and more differs.", "",
			"nothing changed", func(r *result.Result) { r.Earlier[1].Changed = nil },
		},
	} {
		shown = append(shown, tt.rule)
		t.Run(tt.rule+"/"+tt.silent, func(t *testing.T) {
			advice := func() *Advice {
				for _, a := range answerOf(tt.r).Change {
					if a.Rule == tt.rule {
						return &a
					}
				}
				return nil
			}
			a := advice()
			if a == nil || a.Text.String() != tt.want || a.Command != tt.command {
				t.Fatalf("got %+v, want %q and the command %q", a, tt.want, tt.command)
			}
			if slices.Contains(ofInjection, tt.rule) {
				in, kept, over := &tt.r.Incidents[0], tt.r.Incidents[0], tt.r.Faults[0].Cleared
				in.Evidence = result.ByRevert
				if a := advice(); a != nil {
					t.Errorf("the end of the fault did it, and the rule says %q", a.Text)
				}
				in.Begin, in.End, in.Evidence = over+10, over+14, result.ByRelapse
				if a := advice(); a != nil {
					t.Errorf("it is a relapse, and the rule says %q", a.Text)
				}
				in.Begin, in.Evidence = over+.5, result.ByUnit
				if a := advice(); a != nil && !tt.r.Faults[0].StaysDown {
					t.Errorf("it began after the fault, and the rule says %q", a.Text)
				}
				*in = kept
			}
			tt.without(tt.r)
			if a := advice(); a != nil {
				t.Errorf("%s, and the rule says %q", tt.silent, a.Text)
			}
		})
	}
	for _, rule := range changeRules() {
		if !slices.Contains(shown, rule.name) {
			t.Errorf("no run here shows when the rule %s speaks, and when it does not", rule.name)
		}
	}
}

// TestChange_TookOver: where another member took over while the fault was in, the advice does not say that none did,
// although the end of the fault began an outage, or a later outage lasted until that end.
func TestChange_TookOver(t *testing.T) {
	const six = "Shorten the failover: without the leader patroni[1] it took 6s. Likely the time after which the others " +
		"give up a leader decides it."
	const both = "Shorten the failover: without the leader patroni[1] it took 10s in all. Likely the time after which " +
		"the others give up a leader decides it."
	const none = "Shorten the failover: no other member took over in the 30s without the leader patroni[1]. Likely the " +
		"time after which the others give up a leader is longer."
	outage := func(begin, end result.Num, by result.Evidence) result.Incident {
		in := outageBy("lose-the-leader")
		in.Begin, in.End, in.EndLow, in.Evidence = begin, end, end, by
		return in
	}
	for _, tt := range []struct {
		name      string
		failover  result.Num
		incidents []result.Incident
		want      string // of a frozen leader
		handOver  bool   // of one without disk space
	}{
		{
			"the end of the fault did harm", 6,
			[]result.Incident{outage(10, 16, result.ByInjection), outage(40, 42, result.ByRevert)},
			six, false,
		},
		{
			"in a result without a failover", result.NaN,
			[]result.Incident{outage(10, 16, result.ByInjection), outage(40, 42, result.ByRevert)},
			six, false,
		},
		{
			"the one that took over failed", 6,
			[]result.Incident{outage(10, 16, result.ByInjection), outage(37, 41, result.ByUnit)},
			both, false,
		},
		{
			"none took over, and the end did harm", result.NaN,
			[]result.Incident{outage(10, 41, result.ByInjection), outage(42, 44, result.ByRevert)},
			none, true,
		},
	} {
		r := onPatroni(t)
		f := &r.Faults[0]
		f.Kind, f.Cleared, f.Within, f.Failover, r.Incidents = "process.freeze", 40, result.NaN, tt.failover, tt.incidents
		if got := changeOf(r); !slices.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		got := strings.Join(changeOf(fullDisk(r)), " ")
		if strings.Contains(got, "no other member took over in the 30s in which patroni[1] ran") != tt.handOver {
			t.Errorf("%s: of a full disk: %q", tt.name, got)
		}
	}
}

// TestChange_MoreRequests: the advice makes the phase longer that has too few requests, where that is possible.
func TestChange_MoreRequests(t *testing.T) {
	for _, tt := range []struct{ phase, want string }{
		{"run", "Run for longer, or at a higher rate: "},
		{"baseline", "Let the first fault come later, or run at a higher rate: "},
		{"cut", "Let cut stay in for longer, or run at a higher rate: "},
		{"cut#2", "Let cut stay in for longer, or run at a higher rate: "},
		{"kill", "Run at a higher rate: "},
		{"kill#1", "Run at a higher rate: "},
		{"recovery/cut", "Raise judge.hold, or run at a higher rate: "},
		{"rest/cut", "Leave more time after cut, or run at a higher rate: "},
	} {
		r := onNginx(t)
		r.Faults = []result.FaultRecord{aFault("cut", "network.partition"), aFault("kill#1", "process.crash", "redis[0]")}
		r.Faults[0].Within = result.NaN
		r.Verdict, r.Incidents = scenarios.Inconclusive, nil
		o := judged(t, "errors < 5%", .03, scenarios.Inconclusive)
		o.Phase = slo.ParsePhase(tt.phase)
		o.Because = result.Notes{{Kind: result.FewRequests, Count: 200, Need: 290}}
		r.Objectives = []result.ObjectiveResult{o}
		want := tt.want + ObjectiveTitle(&o) + " takes 290 requests, and 200 came, so 1.5 times as many decide it."
		if got := changeOf(r); !slices.Contains(got, want) {
			t.Errorf("in %s: got %q, want %q", tt.phase, got, want)
		}
		if r.Faults = nil; tt.phase != "baseline" { // without faults it is the whole load
			continue
		}
		if got := strings.Join(changeOf(r), " "); !strings.Contains(got, "Run for longer, or at a higher rate: ") {
			t.Errorf("in %s without faults: %q", tt.phase, got)
		}
	}
}

// TestChange_InjectCommand: the command takes the file from anywhere in the command of the run, with its parameters,
// and names the fault as the scenario does.
func TestChange_InjectCommand(t *testing.T) {
	for command, want := range map[string]string{
		"run shop.yaml -o out":                       "brunt inject shop.yaml kill-cache",
		"run examples/shop":                          "brunt inject examples/shop kill-cache",
		"run --set rate=50/s shop.yaml":              "brunt inject shop.yaml kill-cache --set rate=50/s",
		"run -o out --set=a=1 a/shop.yaml --set b=2": "brunt inject a/shop.yaml kill-cache --set=a=1 --set b=2",
		"run -v --policy p.yaml shop.yaml":           "brunt inject shop.yaml kill-cache --policy p.yaml",
		"run --plan plan.json":                       "",
		"ab shop.yaml":                               "",
	} {
		r := unverified(onNginx(t), "exec")
		r.Faults[0].Name, r.Reasons[0].Fault = "kill-cache#3", "kill-cache#3"
		r.Environment.Command = strings.Fields("/usr/bin/brunt " + command)
		a := tryAlone(find(r))
		if a == nil || a.Command != want {
			t.Errorf("%s: got %+v, want %q", command, a, want)
		}
	}
}

// TestFellBehind: the second from which on a target falls behind is told of a load that grows, and of no other.
func TestFellBehind(t *testing.T) {
	from, last := fellBehind(growingRate(onURL(t)))
	if from == nil || from.T != 18 || last.T != 29 {
		t.Fatalf("from %+v to %+v", from, last)
	}
	f := find(growingRate(onURL(t)))
	if want := "18s: the target fell behind at about 100/s: in flight grew from 1 to 331 by the end of the load."; f.whatGrew().
		String() != want {
		t.Errorf("got  %s\nwant %s", f.whatGrew(), want)
	}
	for name, r := range map[string]*result.Result{
		"a constant rate": steadyRate(onURL(t), func(s int) int64 { return int64(1 + 10*s) }),
		"in flight as before": func() *result.Result {
			r := growingRate(onURL(t))
			r.Windows[29].InFlight = 2
			return r
		}(),
		"a closed load": func() *result.Result {
			r := growingRate(onURL(t))
			r.Loads[0].Closed = true
			return r
		}(),
	} {
		if from, _ := fellBehind(r); from != nil {
			t.Errorf("%s: it fell behind at %v", name, from.T)
		}
	}
}

// TestAnswer_Passed: a run that passed has nothing to change.
func TestAnswer_Passed(t *testing.T) {
	for _, r := range []*result.Result{onNginx(t), onPatroni(t), onURL(t)} {
		r.Verdict = scenarios.Pass
		if a := answerOf(r); len(a.Why)+len(a.Change)+len(a.Keep) > 0 {
			t.Errorf("%q passed, and is to be changed: %v %v %v", r.Name, a.Why, a.Change, a.Keep)
		}
	}
}

// TestAnswer_Why reads the points of why a run failed, on systems whose units have other names, and without units.
func TestAnswer_Why(t *testing.T) {
	breaker := onNginx(t)
	breaker.Errors[0].Sample.Status, breaker.Errors[0].Sample.Headers = 503, map[string]string{"Retry-After": "1"}
	breaker.Cells = []result.Cell{{
		Phase: slo.Phase{Kind: slo.RunPhase}, Load: "shoppers", Step: "pay", Outcome: "skipped", Count: 399,
	}}
	lossy := onNginx(t)
	lossy.Objectives = []result.ObjectiveResult{judged(t, "lost = 0", 57, scenarios.Fail)}
	lossy.Incidents[0].End = 12 // no longer than its fault
	lossy.Ledger = &result.LedgerRecord{Write: "place", Lost: 57, LostSpans: []result.LostSpan{
		{Lost: 3, First: 20, Last: 21}, {Fault: "kill-cache", Lost: 57, First: 9.5, Last: 10},
	}}
	stale := onNginx(t) // the outage held its objectives
	stale.Objectives = []result.ObjectiveResult{judged(t, "anomalies = 0", 218, scenarios.Fail)}
	stale.Consistency = []*result.ConsistencyRecord{{Name: "price", Staleness: 1.5, Kinds: []result.AnomalyKind{
		{Kind: "non_monotonic_read", Count: 214, First: 10.4, Last: 12.5},
		{Kind: "stale_read", Count: 4, First: 10.2, Last: 11},
	}}}
	rare := onNginx(t)
	rare.Errors = append(rare.Errors, result.ErrorGroup{Kind: "reset", Step: "pay", Count: 1, First: 9.9, Last: 9.9})
	frequent := onNginx(t)
	frequent.Errors[0].Count = 40
	other := frequent.Errors[0]
	other.Kind, other.Count, other.First, other.Sample = "status 503", 360, other.First+.1, nil
	frequent.Errors = append(frequent.Errors, other)
	few := onNginx(t) // a breaker opens
	few.Errors = slices.Clone(frequent.Errors)
	few.Errors[0].Count, few.Errors[1].Count = 8, 392
	fewElsewhere := onNginx(t)
	fewElsewhere.Errors = slices.Clone(few.Errors)
	fewElsewhere.Errors[1].Step = "GET /"
	crossed := onNginx(t) // in flight at the crash were requests of the second step, and then the first one failed
	crossed.Errors[0].Count = 7
	crossed.Errors = append(crossed.Errors, result.ErrorGroup{
		Kind: "status 503", Load: crossed.Errors[0].Load, Step: "GET /", Count: 106, First: crossed.Errors[0].First + .1,
		Last: crossed.Errors[0].Last,
	})
	crossed.Cells = []result.Cell{{
		Phase: slo.Phase{Kind: slo.RunPhase}, Load: crossed.Errors[0].Load, Step: crossed.Errors[0].Step,
		Outcome: scenarios.Skipped.String(), Count: 106,
	}}
	refused := onURL(t) // no user could log in
	refused.Errors[0].Kind, refused.Errors[0].Step, refused.Errors[0].Init = "status 401", "init login", true
	refused.Errors[0].Sample = nil
	refused.Cells = []result.Cell{{
		Phase: slo.Phase{Kind: slo.RunPhase}, Load: "load", Step: "GET /", Outcome: scenarios.Skipped.String(), Count: 300,
	}}
	better := onURL(t) // good for the last seconds, or not known to be bad
	better.Incidents[0].EndLow, better.Incidents[0].Bad = 24, 129
	better.Objectives = append([]result.ObjectiveResult{
		judged(t, "p95 < 200ms", result.Num(math.Inf(1)), scenarios.Fail),
	}, better.Objectives...)
	before := onURL(t) // a smoke run
	before.Incidents[0].Requests, before.Incidents[0].Bad = 9, 8
	before.Reasons = []result.Reason{
		{Kind: result.NotHeld}, {Kind: result.BaselineFailed, Text: "8 of 12 requests before the first fault were bad"},
	}
	slow := onURL(t)
	slow.Errors, slow.Incidents = nil, nil
	slow.Objectives = []result.ObjectiveResult{judged(t, "p95 < 200ms", .4, scenarios.Fail)}
	slow.Cells = []result.Cell{{
		Phase: slo.Phase{Kind: slo.RunPhase}, Load: "load", Step: "GET /", Outcome: "*", Count: 3000,
		Timings: &result.Timings{Connect: &result.Timing{Total: 90}, FirstByte: &result.Timing{Total: 10}},
	}}
	as := func(change func(f *result.FaultRecord, in *result.Incident)) *result.Result {
		r := onPatroni(t)
		r.Errors = nil
		change(&r.Faults[0], &r.Incidents[0])
		return r
	}
	rejoined := as(func(f *result.FaultRecord, in *result.Incident) {
		f.Name, f.Kind, in.By, in.Evidence = "cut", "network.disconnect", "cut", result.ByRevert
		in.Begin, in.End = 12, 18
	})
	someSpace := as(func(f *result.FaultRecord, _ *result.Incident) { f.Kind, f.Part = "disk.fill", true })
	idle := as(func(f *result.FaultRecord, _ *result.Incident) { f.Kind, f.NotShown = "cpu.throttle", "that it waits" })
	for _, tt := range []struct {
		name     string
		r        *result.Result
		sentence string
		want     []string
	}{
		{"the end of the fault did the harm", rejoined, "When cut ended, every request failed for 6s. 13% of requests failed, " +
			"and less than 1% may.", []string{
			"10s: the leader patroni[1] was cut off from a network, 1 of 3 replicas; back at 12s, which began the outage.",
		}},
		{"only some space was taken", someSpace, "When lose-the-leader was in, every request failed for 4s. 13% of requests " +
			"failed, and less than 1% may.", []string{
			"10s: lose-the-leader was in; over at 12s.",
			"2s of the 4s came after it was over.",
		}},
		{"the effect was not shown", idle, "When lose-the-leader was in, every request failed for 4s. 13% of requests " +
			"failed, and less than 1% may.", []string{
			"10s: lose-the-leader was in; over at 12s.",
			"2s of the 4s came after it was over.",
		}},
		{"nginx", onNginx(t), "When the only replica of redis died, every request failed for 4s. 13% of requests failed, and " +
			"less than 1% may.", []string{
			"10s: the only replica of redis died; back at 12s.",
			"GET /basket failed first: 400 × status 502 “502 Bad Gateway”.",
			"2s of the 4s came after redis was back.",
		}},
		{"another error is more frequent", frequent, "", []string{
			"10s: the only replica of redis died; back at 12s.",
			"GET /basket failed first: 40 × status 502 “502 Bad Gateway”, then 360 × status 503.",
			"2s of the 4s came after redis was back.",
		}},
		{"few errors came first", few, "", []string{
			"10s: the only replica of redis died; back at 12s.",
			"GET /basket failed first: 8 × status 502 “502 Bad Gateway”, then 392 × status 503.",
			"2s of the 4s came after redis was back.",
		}},
		{"few errors of another step came first", fewElsewhere, "", []string{
			"10s: the only replica of redis died; back at 12s.",
			"GET /basket failed first: 8 × status 502 “502 Bad Gateway”. Then GET / failed: 392 × status 503.",
			"2s of the 4s came after redis was back.",
		}},
		{"a rare error before", rare, "", []string{
			"10s: the only replica of redis died; back at 12s.",
			"GET /basket failed first: 400 × status 502 “502 Bad Gateway”.",
			"2s of the 4s came after redis was back.",
		}},
		{"a step that is skipped for another one", crossed, "", []string{
			"10s: the only replica of redis died; back at 12s.",
			"GET /basket failed first: 7 × status 502 “502 Bad Gateway”. Then GET / failed: 106 × status 503. " +
				"106 of GET /basket were skipped as a result.",
			"2s of the 4s came after redis was back.",
		}},
		{"breaker", breaker, "", []string{
			"10s: the only replica of redis died; back at 12s.",
			"GET /basket failed first: 400 × status 502 “502 Bad Gateway”. 399 of pay were skipped as a result.",
			"2s of the 4s came after redis was back, likely with a circuit breaker still open (Retry-After: 1).",
		}},
		{"Patroni", onPatroni(t), "When the leader patroni[1] died, every request failed for 4s. 13% of requests failed, and " +
			"less than 1% may.", []string{
			"10s: the leader patroni[1] died, 1 of 3 replicas; back at 12s.",
			"insert failed first: 400 × closed.",
			"2s of the 4s came after patroni[1] was back.",
		}},
		{"lost writes", lossy, "Of the writes that were acknowledged, 57 are lost, and none may be.", []string{
			"10s: the only replica of redis died; back at 12s.",
			"57 writes of place, acknowledged from 9.5s to 10s, are gone, lost to kill-cache.",
		}},
		{"stale reads", stale, "", []string{
			"10.2s to 12.5s: reads and writes of price show 214 non-monotonic reads, 4 stale reads, stale by at least 1.5s; " +
				"kill-cache was in at 10.2s.",
		}},
		{"a URL", onURL(t), "13% of requests failed, and less than 1% may.", []string{
			"20s: 30% of requests failed for over 10s; no fault was in.",
			"GET / failed first: 300 × status 500 “too many open files”.",
		}},
		{"a login that is refused", refused, "13% of requests failed, and less than 1% may.", []string{
			"20s: 30% of requests failed for over 10s; no fault was in.",
			"init login failed first: 300 × status 401. 300 of GET / were skipped as a result.",
		}},
		{"good at the end", better, "13% of requests failed, and less than 1% may; 2 of 2 objectives failed.", []string{
			"20s: 129 requests failed for over 4s; no fault was in.",
			"GET / failed first: 300 × status 500 “too many open files”.",
		}},
		{"an objective in a failed baseline", before, "", []string{
			"20s: 8 of 9 requests failed for over 10s; no fault was in.",
			"GET / failed first: 300 × status 500 “too many open files”.",
			"The baseline failed, so that no fault was injected: 8 of 12 requests before the first fault were bad.",
		}},
		{"a slow URL", slow, "", []string{"90% of the time of GET / went into connecting."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := answerOf(tt.r)
			if tt.sentence != "" && a.Sentence.String() != tt.sentence {
				t.Errorf("got  %s\nwant %s", a.Sentence, tt.sentence)
			}
			var got []string
			for _, p := range a.Why {
				got = append(got, p.String())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
	want := []string{"Let patroni[1] catch up before it serves, and without holding up the others: the outage of 6s " +
		"began when cut ended, so likely with its return. Look at its output from 12s to 18s."}
	if got := changeOf(rejoined); !slices.Equal(got, want) {
		t.Errorf("after the return: %q", got)
	}
}

func changeOf(r *result.Result) (lines []string) {
	a := answerOf(r)
	for i := range a.Change {
		lines = append(lines, a.Change[i].Line())
	}
	return lines
}

// TestChange_Causes: each outage that is named as a cause has its advice, with the name of its fault. Advice that is
// the same for several is there once, and the most points are the same as for one cause.
func TestChange_Causes(t *testing.T) {
	two := func(kind string, units ...string) *result.Result {
		r := onNginx(t)
		second := aFault("second", kind, units...)
		second.Injected, second.Cleared, second.Until = 20, 22, 25
		r.Faults, r.Incidents = append(r.Faults, second), append(r.Incidents, outageBy("second"))
		r.Incidents[1].Begin, r.Incidents[1].End, r.Incidents[1].Bad = 20, 24, 300
		r.Params = nil
		return r
	}
	const leave = "take a dead replica out of rotation, and retry on another one: 1 of 2 replicas of nginx were well, " +
		"and their callers likely went on asking the dead one."
	itself := two("process.crash", "nginx[1]")
	itself.Faults, itself.Incidents[1].By, itself.Incidents[1].Faults = itself.Faults[:1], "", nil
	itself.Events = []result.Event{{T: 20, Event: "unit.exit", Unit: "nginx[1]", Text: "exit status 3"}}
	again := two("process.crash", "redis[0]")
	again.Incidents = append(again.Incidents, outageBy("third"))
	again.Faults = append(again.Faults, aFault("third", "process.crash", "nginx[1]"))
	returns := two("disk.fill", "nginx[1]")
	returns.Incidents[1].Evidence, returns.Incidents[1].Begin = result.ByRevert, 22
	silent := two("process.freeze", "nginx[1]")
	silent.Errors = append(silent.Errors, result.ErrorGroup{
		Kind: "timeout", Load: "shoppers", Step: "GET /basket", Count: 300, First: 20, Last: 24,
	})
	ownLater := two("process.crash", "nginx[1]") // and a unit ended by itself long after the first fault
	ownLater.Incidents = append(ownLater.Incidents, outageBy("kill-cache"))
	ownLater.Incidents[2].Begin, ownLater.Incidents[2].End, ownLater.Incidents[2].Bad = 26, 28, 200
	ownLater.Incidents[2].Evidence = result.ByRelapse
	ownLater.Events = []result.Event{{T: 26, Event: "unit.exit", Unit: "nginx[0]", Text: "exit status 3"}}
	many := two("process.crash", "nginx[1]")
	many.Usage = []result.UnitUsage{{Unit: "nginx[0]", OOMs: 2, AcceptOverflows: 7}}
	used(many, "app[0]", func(int) result.Num { return 1 })
	for _, tt := range []struct {
		name string
		r    *result.Result
		want []string
	}{
		{"two faults", two("process.crash", "nginx[1]"), []string{
			"For kill-cache: run a second replica of redis.", "For second: " + leave,
		}},
		{"twice the same", two("process.crash", "redis[0]"), []string{"Run a second replica of redis."}},
		{"a third one", again, []string{
			"For kill-cache and second: run a second replica of redis.", "For third: " + leave,
		}},
		{"a unit ended by itself", itself, []string{
			"Look at the output of nginx[1] around 20s, for why it ended by itself (exit status 3): no fault was on it.",
			"For kill-cache: run a second replica of redis.",
		}},
		{"the second one was silent", silent, []string{
			"For kill-cache: run a second replica of redis.",
			"For second: let callers leave a replica that hangs, by a timeout with a retry on another replica, or health " +
				"checks that eject it: 1 of 2 replicas of nginx were well, and callers likely went on waiting for the hung one.",
			"For second: give up connections to a dead peer sooner, by keep-alives or a limit on unanswered data: requests " +
				"failed for 2s after nginx was back, likely on connections from before.",
			"Let the target give up before its client does: 300 requests of shoppers had no answer within the client's 3s, " +
				"so likely its own timeouts are as long or longer.",
		}},
		{"a unit ended by itself later", ownLater, []string{
			"Look at the output of nginx[0] around 26s, for why it ended by itself (exit status 3): no fault was on it.",
			"For kill-cache: run a second replica of redis.", "For second: " + leave,
		}},
		{"the advice names its fault", returns, []string{
			"For kill-cache: run a second replica of redis.",
			"Look at the logs and metrics of the target from 22s to 24s: the outage of 2s began when second ended.",
		}},
		{"many", many, []string{
			"For kill-cache: run a second replica of redis.", "For second: " + leave,
			"Give nginx[0] more memory, or let it use less: the kernel killed 2 processes of it, at 0 B.",
			"Lengthen the accept queue of nginx[0], or accept faster: the kernel dropped 7 connections because it was full.",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := changeOf(tt.r); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// brokenLater returns a run whose target broke 10.3 s after a stall was over, as a unit ended by itself.
func brokenLater(t *testing.T) *result.Result {
	r := onNginx(t)
	r.Faults = []result.FaultRecord{aFault("hang", "network.stall")}
	r.Faults[0].Links = []string{"front->store"}
	own, later := outageBy("hang"), outageBy("hang")
	own.End, own.Bad, own.Requests = 13.73, 80, 100
	later.Begin, later.BeginLow, later.End, later.Evidence = 22.3, 22.3, 23.32, result.ByRelapse
	r.Incidents = []result.Incident{own, later}
	r.Errors = []result.ErrorGroup{
		{Kind: "closed", Load: "shoppers", Step: "remote", Count: 400, First: 22.3, Last: 23.3},
		{Kind: "timeout", Load: "shoppers", Step: "remote", Count: 80, First: 11, Last: 13.9},
	}
	r.Events = []result.Event{
		{T: 3, Event: "unit.exit", Unit: "store[0]"},
		{T: 22.31, Event: "unit.exit", Unit: "front[0]", Text: "exit status 3"},
	}
	return r
}

// TestAnswer_EndedUnder: the end of a unit that a fault was on, or a link of it, is told with the fault. A unit that
// nothing started again is not back. A fault that ends its units itself has no other end to tell.
func TestAnswer_EndedUnder(t *testing.T) {
	run := func(kind string, events ...result.Event) *result.Result {
		r := onNginx(t)
		r.Faults = []result.FaultRecord{aFault("slow", kind, "redis[0]")}
		if strings.HasPrefix(kind, "network.") {
			r.Faults[0].Units, r.Faults[0].Links = nil, []string{"nginx[0]->redis[0]"}
		}
		r.Incidents = []result.Incident{outageBy("slow")}
		r.Logs = []result.UnitLog{{Unit: "redis[0]", File: "logs/redis-0.log"}}
		r.Phases = []result.Phase{{Name: slo.Phase{Kind: slo.RunPhase}, End: 30}}
		r.Events = append(events, result.Event{T: 30.1, Event: "unit.exit", Unit: "redis[0]", Text: "signal: terminated"})
		return r
	}
	exit := func(at result.Num) result.Event {
		return result.Event{T: at, Event: "unit.exit", Unit: "redis[0]", Text: "exit status 3"}
	}
	started := result.Event{T: 10.8, Event: "unit.start", Unit: "redis[0]"}
	const look = "Look at the output of redis[0] around 10.7s, in logs/redis-0.log, for why it ended (exit status 3)."
	for _, c := range []struct {
		name                  string
		r                     *result.Result
		sentence, why, change string
	}{
		{
			"for good, with a fault on its link", run("network.latency", exit(10.7)),
			"request failed for 4s; redis[0] ended (exit status 3) at 10.7s",
			"was slow; redis[0] ended (exit status 3) at 10.7s; over at 12s.", look,
		},
		{
			"for good", run("fd.exhaust", exit(10.7)), "4s; redis[0] ended (exit status 3) at 10.7s",
			"out of file descriptors; redis[0] ended (exit status 3) at 10.7s; not back by the end.", look,
		},
		{
			"and was started again", run("fd.exhaust", exit(10.7), started, exit(10.9), started, exit(11), result.Event{
				T: 11.2, Event: "unit.ready", Unit: "redis[0]",
			}),
			"4s; redis[0] ended (exit status 3) at 10.7s, and 2 more times.",
			"redis[0] ended (exit status 3) at 10.7s, and 2 more times; back at 12s.", "",
		},
		{"by a fault that ends units", run("process.crash", exit(10.7)), "died, ", "died; back at 12s.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, change := answerOf(c.r), changeOf(c.r)
			if !strings.Contains(a.Sentence.String(), c.sentence) || !strings.HasSuffix(a.Why[0].String(), c.why) ||
				slices.Contains(change, look) != (c.change != "") {
				t.Errorf("%s\n%v\n%q", a.Sentence, a.Why, change)
			}
			ended := strings.Contains(c.why, "ended")
			if got := a.Faults[0].Text; strings.Contains(got, "; redis[0] ended (exit status 3) at 10.7s") != ended {
				t.Errorf("its row: %s", got)
			}
		})
	}
}

// TestAnswer_EndedUnder_NotBy: an outage that nothing shows to be a fault's is told with the end of the unit that the
// fault was on. On a pass, the answer does not say that the target recovered from the fault.
func TestAnswer_EndedUnder_NotBy(t *testing.T) {
	r := onNginx(t)
	r.Faults = []result.FaultRecord{aFault("slow", "cpu.throttle", "redis[0]")}
	r.Incidents[0].By, r.Incidents[0].Evidence, r.Incidents[0].Faults = "", "", []string{"slow"}
	r.Events = []result.Event{{T: 10.1, Event: "unit.exit", Unit: "redis[0]", Text: "signal: killed"}}
	const ended = "; slow was in, and what did it is not known; redis[0] ended (signal: killed) at 10.1s."
	if got := answerOf(r).Why[0].String(); got != "10s: every request failed for 4s"+ended {
		t.Error(got)
	}
	if got := changeOf(r)[0]; got != "Look at the output of redis[0] around 10.1s, for why it ended (signal: killed)." {
		t.Error(got)
	}
	r.Verdict, r.Objectives[0].Verdict = scenarios.Pass, scenarios.Pass
	if got := answerOf(r).Sentence.String(); got != "The objective held; at 10s every request failed for 4s"+ended {
		t.Error(got)
	}
}

// TestAnswer_BrokenLater: an outage that begins well after a fault was over is told as that, with the unit that ended
// by itself. The fault's own outage has its line, and the errors that came first are the fault's.
func TestAnswer_BrokenLater(t *testing.T) {
	r := brokenLater(t)
	a := answerOf(r)
	if want := "10.3s after hang was over, every request failed for 1.02s; it began when front[0] ended by itself (exit " +
		"status 3); 80 more failed in 1 other outage. 13% of requests failed, and less than 1% may."; want !=
		a.Sentence.String() {
		t.Errorf("got  %s\nwant %s", a.Sentence, want)
	}
	var why []string
	for _, p := range a.Why {
		why = append(why, p.String())
	}
	want := []string{
		"10s: the link from front to store was stalled; 80% of requests failed for 3.73s; over at 12s.",
		"22.3s: every request failed for 1.02s, 10.3s after hang was over; it began when front[0] ended by itself (exit " +
			"status 3).",
		"remote failed first: 80 × timeout, then 400 × closed.",
	}
	if !slices.Equal(why, want) {
		t.Errorf("got  %q\nwant %q", why, want)
	}
	r.Incidents[1].Evidence = result.ByRecovery // the judge took both outages for one recovery
	if got := answerOf(r).Why[1].String(); got != want[1] {
		t.Errorf("in the recovery: %s", got)
	}
	r.Incidents[1].Evidence = result.ByRelapse
	r.Incidents[0].Bad, r.Incidents[0].Requests = 480, 500 // the fault's own outage is the worst
	if worst := answerOf(r); !strings.HasPrefix(worst.Sentence.String(), "When the link from front to store was ") ||
		worst.Why[1].String() != want[1] {
		t.Errorf("%s %v", worst.Sentence, worst.Why)
	}
	other := brokenLater(t) // another fault is the worst cause
	other.Faults = append(other.Faults, aFault("cut", "network.partition", "nginx[0]"))
	other.Incidents = append(other.Incidents, outageBy("cut"))
	other.Incidents[2].Bad, other.Incidents[2].Requests = 900, 900
	if got := answerOf(other).Why[1].String(); got != want[1] {
		t.Errorf("of another fault: %s", got)
	}
	r.Incidents[0].Bad, r.Incidents[0].Requests = 80, 100
	if got := a.Faults[0].Outcome; got != "outage of 3.73s" {
		t.Errorf("the fault: %s", got)
	}
	if got := a.Change[0].Rule; got != "own-end" {
		t.Errorf("the first advice is %s", got)
	}
	cause := "after hang, as front[0] ended by itself (exit status 3)"
	if got := incidentCause(r, &r.Incidents[1]); got != cause {
		t.Errorf("the incident is %q", got)
	}
	r.Verdict, r.Objectives[0].Verdict = scenarios.Pass, scenarios.Pass
	r.Faults[0].RelapsedAt, r.Faults[0].Recover = 22.3, 13.32
	if got, want := answerOf(r).Sentence.String(), "The objective held, and the target recovered from the fault in 3.73s; "+
		"10.3s after hang was over, every request failed for 1.02s; it began when front[0] ended by itself (exit status "+
		"3)."; got != want {
		t.Errorf("on a pass\ngot  %s\nwant %s", got, want)
	}
	r.Faults[0].Links, r.Faults[0].Units, r.Faults[0].Until = nil, []string{"front[0]"}, 23
	if got := incidentCause(r, &r.Incidents[1]); got != "by hang, a relapse" {
		t.Errorf("with the fault on the unit, the incident is %q", got)
	}
}

// TestAnswer_BrokenLater_StaysDown: the time to an outage well after a fault that nothing takes back counts from its
// injection.
func TestAnswer_BrokenLater_StaysDown(t *testing.T) {
	r := brokenLater(t)
	r.Faults[0].StaysDown, r.Events = true, nil
	const after = "12.3s after hang was injected"
	a := answerOf(r)
	if !strings.HasPrefix(a.Sentence.String(), after+", ") || !strings.Contains(a.Why[1].String(), ", "+after) ||
		!strings.Contains(strings.Join(changeOf(r), " "), " then, "+after+".") {
		t.Errorf("%s %v %q", a.Sentence, a.Why, changeOf(r))
	}
	r.Verdict, r.Objectives[0].Verdict = scenarios.Pass, scenarios.Pass
	if got := answerOf(r).Sentence.String(); !strings.Contains(got, "; "+after+", ") {
		t.Errorf("on a pass: %s", got)
	}
}

// TestChange_BusyInvalid: a run that is invalid on a busy machine gets the advice to run it again, and an invalid run
// on a quiet one does not.
func TestChange_BusyInvalid(t *testing.T) {
	for _, busy := range []bool{true, false} {
		r := onURL(t)
		r.Verdict, r.ExitCode = scenarios.Invalid, scenarios.ExitInvalid
		r.Generator.Healthy, r.Generator.Pressure = !busy, .97
		a := answerOf(r)
		says := slices.ContainsFunc(a.Change, func(c Advice) bool { return c.Rule == "busy-machine" })
		if says != busy || busy && a.ChangeTitle != "What to do next" {
			t.Errorf("busy %v: %q %+v", busy, a.ChangeTitle, a.Change)
		}
	}
}

// TestChange_BusyStatuses: where most errors are statuses that no wait explains, the advice on the machine does not
// come first.
func TestChange_BusyStatuses(t *testing.T) {
	for kind, first := range map[string]bool{"status 500": false, scenarios.Timeout.String(): true} {
		r := onURL(t)
		r.Errors[0].Kind, r.Errors[0].Sample = kind, nil
		r.Generator.Healthy, r.Generator.Pressure = false, .97
		at := slices.IndexFunc(answerOf(r).Change, func(c Advice) bool { return c.Rule == "busy-machine" })
		if (at == 0) != first || at < 0 {
			t.Errorf("%s: the advice on the machine is number %d", kind, at+1)
		}
	}
}

// TestChange_NoBaseline: where no request ended before the first fault while others held the processors, the advice is
// a quiet machine, and objectives without a request are no reason.
func TestChange_NoBaseline(t *testing.T) {
	for _, held := range []bool{true, false} {
		r := onURL(t)
		r.Verdict, r.ExitCode, r.Errors, r.Incidents = scenarios.Invalid, scenarios.ExitInvalid, nil, nil
		r.Reasons = []result.Reason{{Kind: result.BaselineFailed, Verdict: scenarios.Invalid}}
		r.Objectives[0].Verdict = scenarios.Invalid
		r.Objectives[0].Because = result.Notes{{Kind: result.RequestsNone}}
		r.Objectives[0].Say()
		r.Generator.Healthy = true
		if held {
			r.Generator.Seconds = []result.GeneratorTick{{T: 1, Others: .9, Pressure: .97}}
		}
		a := answerOf(r)
		says := slices.ContainsFunc(a.Change, func(c Advice) bool { return c.Rule == "busy-machine" })
		if says != held || len(a.Why) > 0 {
			t.Errorf("held %v: %+v, why %v", held, a.Change, a.Why)
		}
	}
}

// TestWhy_Refused: where no fault was injected, as the reason of the run says, that is no reason of an objective.
func TestWhy_Refused(t *testing.T) {
	for _, kind := range []result.ReasonKind{result.SteadyLost, result.BaselineFailed, result.NotHeld} {
		for _, note := range []result.NoteKind{result.PhaseAbsent, result.FaultAbsent, result.MachineFails} {
			r := onURL(t)
			r.Verdict, r.Errors, r.Incidents = scenarios.Inconclusive, nil, nil
			r.Reasons = []result.Reason{{Kind: kind, Verdict: scenarios.Inconclusive}}
			r.Objectives[0].Verdict, r.Objectives[0].Because = scenarios.Inconclusive, result.Notes{{Kind: note}}
			r.Objectives[0].Say()
			want := kind == result.NotHeld || note == result.MachineFails
			if why := answerOf(r).Why; (len(why) > 0) != want {
				t.Errorf("%s, %s: why %v", kind, note, why)
			}
		}
	}
}

// TestChange_BusyTimes: where answers before the faults were too slow, a busy machine may be why; where they were in a
// fault, or writes were lost, it is not.
func TestChange_BusyTimes(t *testing.T) {
	for text, want := range map[string]bool{
		"p95 < 60ms": true, "p95 < 60ms in baseline": true, "p95 < 60ms in lose": false, "lost = 0": false,
	} {
		r := onURL(t)
		r.Incidents, r.Errors = nil, nil
		r.Objectives = []result.ObjectiveResult{judged(t, text, 7, scenarios.Fail)}
		r.Generator.Healthy, r.Generator.Pressure = false, .97
		if text == "p95 < 60ms in lose" {
			r.Faults = []result.FaultRecord{{Name: "lose"}}
		}
		says := slices.ContainsFunc(answerOf(r).Change, func(c Advice) bool { return c.Rule == "busy-machine" })
		if says != want {
			t.Errorf("%s: %v, want %v", text, says, want)
		}
	}
}

// TestWhy_FewFailed: a run that failed for slow answers names the requests that failed only where they are enough to
// have moved the percentile. They move none of good answers alone.
func TestWhy_FewFailed(t *testing.T) {
	for _, tt := range []struct {
		metric string
		failed int64
		want   bool
	}{
		{"p95", 5, false},
		{"p95", 24, false},
		{"p95", 26, true},
		{"p95", 300, true},
		{"ok.p95", 300, false},
		{"service.p95", 300, false},
	} {
		r := onURL(t)
		r.Incidents, r.Errors[0].Count = nil, tt.failed
		o := judged(t, tt.metric+" < 60ms", 7, scenarios.Fail)
		o.Count = 1000
		r.Objectives = []result.ObjectiveResult{o}
		a := answerOf(r)
		says := slices.ContainsFunc(a.Why, func(p Text) bool { return strings.Contains(p.String(), "failed first") }) ||
			slices.ContainsFunc(a.Change, func(c Advice) bool { return c.Rule == "first-step" })
		if says != tt.want {
			t.Errorf("%s, and %d of 1000 failed: %v, want %v: %v %v", tt.metric, tt.failed, says, tt.want, a.Why, a.Change)
		}
	}
}
