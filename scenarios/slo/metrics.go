package slo

// Metrics lists the metrics of objectives, with one row for each metric or family of metrics. The
// caller must not change it.
func Metrics() Table { return metrics }

var span = []Arg{argSpan}

// ledgers are the arguments of metrics of writes: the name of the ledger, if the scenario has several.
var ledgers = []Arg{argLedger}

// registers are the arguments of metrics of registers: their name, if the scenario has several.
var registers = []Arg{argRegister}

var metrics = Table{
	{
		Name: "p", Unit: Seconds, Args: []Arg{argPercentile},
		Written: []string{"p50", "p90", "p95", "p99", "p99.9", "p99.99", "ok.p95", "service.p95"},
		Aliases: map[string]string{
			"med": "p50", "median": "p50", "min": "p50", "latency": "p95", "duration": "p95",
			"http_req_duration": "p95",
		},
		Times:  func(m Metric, t Times) float64 { return t.At(m.Quantile) },
		Budget: func(o Objective) float64 { return 1 - o.Metric.Quantile }, CountsBad: true,
		Missed: missedPercentile,
		Meaning: "A percentile of the response time, in seconds or milliseconds. A failed request counts as slower than " +
			"any answer.",
	},
	{
		Name: "max", Unit: Seconds, Bare: true, Written: []string{"max"}, Times: slowest,
		Missed: missedTime("the slowest"),
		Meaning: "The longest response time. A failed request counts as slower than any answer, so it is infinite with " +
			"one of them; ok.max is of good answers.",
	},
	{
		Name: "mean", Unit: Seconds, Bare: true, Written: []string{"mean"},
		Aliases: map[string]string{"avg": "mean", "average": "mean"},
		Times:   mean,
		Missed:  missedTime("the mean"),
		Meaning: "The mean response time. A failed request counts as slower than any answer, so it is infinite with one " +
			"of them; ok.mean is of good answers.",
	},
	{
		Name: "errors", Unit: ShareOf, Bare: true, Written: []string{"errors"},
		Aliases: map[string]string{"http_req_failed": "errors", "error_rate": "errors", "failures": "errors"},
		Count:   func(c Counts) (bad, n int64) { return c.Bad(), c.Offered() }, CountsBad: true, Fails: true,
		Allows: allowedErrors, Missed: missedErrors,
		Meaning: "The share of errors and skipped steps among the offered requests.",
	},
	{
		Name: "availability", Unit: ShareOf, Better: HigherIsBetter, Bare: true, Written: []string{"availability"},
		Aliases: map[string]string{"success": "availability", "uptime": "availability"},
		ByTime:  true,
		Count:   func(c Counts) (bad, n int64) { return c.Bad() + c.Shed, c.Offered() }, CountsBad: true, CountsShed: true,
		Allows: allowedUnavailable, Missed: answered(" were answered rightly"),
		Meaning: "The share of ok requests among the offered ones. A shed request is not available.",
	},
	{
		Name: "availability.admitted", Unit: ShareOf, Better: HigherIsBetter, Bare: true,
		Written: []string{"availability.admitted"},
		ByTime:  true,
		Count:   func(c Counts) (bad, n int64) { return c.Bad(), c.Offered() - c.Shed }, CountsBad: true,
		Allows: allowedUnavailable, Missed: answered(" that were not shed were answered rightly"),
		Meaning: "The share of ok requests among those that the target did not shed.",
	},
	{
		Name: "shed", Unit: ShareOf, Bare: true, Written: []string{"shed"},
		Count: func(c Counts) (bad, n int64) { return c.Shed, c.Offered() }, CountsShed: true,
		Meaning: "The share of requests that the target refused on purpose.",
	},
	{
		Name: "rate", Unit: PerSecond, Better: HigherIsBetter, Bare: true, Written: []string{"rate"},
		Aliases: map[string]string{"throughput": "rate", "rps": "rate"},
		Rate:    func(c Counts) (float64, int64) { return float64(c.Iterations) / c.Span.Seconds(), c.Iterations },
		Missed:  missedRate,
		Meaning: "Iterations a second; of a step, its requests a second.",
	},
	{
		Name: "goodput", Unit: PerSecond, Better: HigherIsBetter, Bare: true, Written: []string{"goodput"},
		CountsBad: true, CountsShed: true,
		Rate:   func(c Counts) (float64, int64) { return float64(c.OK) / c.Span.Seconds(), c.Offered() },
		Missed: missedGoodput,
		Meaning: "Good answers a second: of requests and not of iterations, without those that failed or were shed. Under " +
			"too much load it tells " +
			"a target that sheds the rest from one that collapses.",
	},
	{
		Name: "timeouts", Unit: Count, Bare: true, Written: []string{"timeouts"},
		Count: func(c Counts) (bad, n int64) { return c.Timeouts, c.Offered() }, TimesOut: true,
		Meaning: "How many requests timed out.",
	},
	{
		Name: "attempts", Unit: Plain, Bare: true, Written: []string{"attempts"},
		Count: func(c Counts) (attempts, n int64) { return c.Attempts, c.Sent },
		Meaning: "How often a request was sent, on average: again by `retry` of its load, behind a redirect, or where a " +
			"server did not " +
			"take it.",
	},
	{
		Name: "checks", Unit: ShareOf, Better: HigherIsBetter, Bare: true, Written: []string{"checks"},
		Count: func(c Counts) (bad, n int64) { return c.Failed, c.Checks }, CountsBad: true, Fails: true,
		Missed:  answered(" held their checks"),
		Meaning: "The share of checks that held.",
	},
	{
		Name: "whole", Unit: ShareOf, Better: HigherIsBetter, Bare: true, Written: []string{"whole"}, NeedsWant: true,
		Count:  func(c Counts) (partial, n int64) { return c.Partial, c.Wants },
		Missed: answered(" had all that their steps want"),
		Meaning: "The share of good answers that have all that their step's `want` names: a degraded answer is good and " +
			"not whole. Steps " +
			"without `want` do not count.",
	},
	{
		Name: "within", Unit: ShareOf, Better: HigherIsBetter, Args: span, Written: []string{"within(200ms)"},
		Count: func(c Counts) (bad, n int64) { return c.Over + c.Bad(), c.Offered() - c.Shed }, CountsBad: true,
		Missed:  missedWithin,
		Meaning: "The share of requests with a correct answer within the time in parentheses.",
	},
	{
		Name: "burn", Unit: Plain, Args: []Arg{argShare, argSpan}, Late: true, Written: []string{"burn(99.9%, 1m)"},
		Spans: burn, Budget: burnBudget,
		Allows: func(o Objective) float64 { return 1 - o.Metric.Share },
		Meaning: "The highest burn rate of the error budget: of the objective in parentheses, over any span as long as " +
			"the time beside it.",
	},
	{
		Name: "slices", Unit: ShareOf, Better: HigherIsBetter, Args: []Arg{argSpan, argShare}, Late: true,
		Written: []string{"slices(1s, 99%)"},
		Spans:   timeslices,
		Meaning: "The share of time slices, each as long as the time in parentheses, that reached the availability beside " +
			"it.",
	},
	{
		Name: "onset", Unit: Seconds, Needs: NeedsFault, Args: span, Bare: true, Late: true, Written: []string{"onset"},
		Effect: onset, Rank: 4,
		From: Injection, To: FirstHarm,
		Meaning: "The time from the injection of a fault to its first visible effect.",
	},
	{
		Name: "failover", Unit: Seconds, Needs: NeedsFault, Args: span, Bare: true, Late: true, Written: []string{"failover"},
		Effect: failover, UntilGood: true, Rank: 5,
		From: Injection, To: GoodAgain, Missed: missedEnd("to work again while ", " was in"),
		Meaning: "The time from the injection until the target was good again while the fault was still in.",
	},
	{
		Name: "recover", Unit: Seconds, Needs: NeedsFault, Args: span, Bare: true, Late: true,
		Written: []string{"recover", "recover.p95"},
		Aliases: map[string]string{"mttr": "recover", "rto": "recover"},
		Effect:  recoverTime, Recovers: true, UntilGood: true, Rank: 7,
		From: Injection, To: Recovery, Missed: missedEnd("to recover from ", ""),
		Meaning: "The time from the injection until the target had recovered. recover.p95 is a percentile over all " +
			"occurrences.",
	},
	{
		Name: "heal", Unit: Seconds, Needs: NeedsFault, Args: span, Bare: true, Late: true, Written: []string{"heal"},
		Effect: heal, Recovers: true, UntilGood: true, Healing: true, Rank: 6,
		From: Clearing, To: Recovery, Missed: missedEnd("to heal once ", " was over"),
		Meaning: "The time from the instant at which the fault was cleared until the target had recovered.",
	},
	{
		Name: "detect", Unit: Seconds, Needs: NeedsDetect, Bare: true, Late: true, Written: []string{"detect"},
		Aliases: map[string]string{"mttd": "detect"},
		From:    Injection, To: Noticing, Missed: missedDetection,
		Meaning: "The time from the injection until the team's own monitoring noticed.",
	},
	{
		Name: "seen", Unit: Seconds, Needs: NeedsMark, Bare: true, Late: true, UpperOnly: true, Written: []string{"seen"},
		Aliases: map[string]string{"mtta": "seen", "ack": "seen"},
		From:    Injection, To: Seeing, Missed: missedMark,
		Meaning: "The time from the injection until a person at the run marked the fault as seen, by the button of the live " +
			"page or by `brunt note`. It is not decided if no person marked it.",
	},
	{
		Name: "understood", Unit: Seconds, Needs: NeedsMark, Bare: true, Late: true, UpperOnly: true,
		Written: []string{"understood"},
		From:    Injection, To: Understanding, Missed: missedMark,
		Meaning: "As seen, of the mark understood: the person knew the cause.",
	},
	{
		Name: "acted", Unit: Seconds, Needs: NeedsMark, Bare: true, Late: true, UpperOnly: true, Written: []string{"acted"},
		From: Injection, To: Acting, Missed: missedMark,
		Meaning: "As seen, of the mark acted: the person had done what was to be done.",
	},
	{
		Name: "degraded", Unit: Seconds, Needs: NeedsFault, Args: span, Bare: true, Late: true, Lasts: true,
		Written: []string{"degraded"},
		Effect:  degraded, Rank: 3,
		Sums:    "the sum of bad time",
		Meaning: "Seconds of bad requests because of a fault: the sum of all spans of them.",
	},
	{
		Name: "failed", Unit: Count, Needs: NeedsFault, Args: span, Bare: true, Late: true, Lasts: true,
		Written: []string{"failed"},
		Effect:  failed, Rank: 2,
		Sums:    "bad requests beyond the baseline's share",
		Meaning: "How many requests were bad because of a fault, beyond the share of the baseline.",
	},
	{
		Name: "area", Unit: Seconds, Needs: NeedsFault, Args: span, Bare: true, Late: true, Lasts: true,
		Written: []string{"area"},
		Effect:  area, Rank: 1,
		Sums:    "what was lost of full service",
		Meaning: "The service lost because of a fault, in seconds of full outage.",
	},
	{
		Name: "lost", Unit: Count, Needs: NeedsLedger, Args: ledgers, Bare: true, Late: true, OfLosses: true,
		Written: []string{"lost"},
		Writes:  func(w Writes) (low, high float64) { return float64(w.Lost), float64(w.Lost + w.MayBeLost) },
		Deliveries: func(d Deliveries) (low, high float64) {
			return float64(max(0, d.Lost-d.MayBeSeen)), float64(d.Lost + d.MayBeLost)
		},
		Missed: missedLost,
		Meaning: "How many acknowledged writes were not found after the run, although brunt asked for them again until " +
			"the ledger's `within`. `of` and a delivery: how many requests were acknowledged and not seen.",
	},
	{
		Name: "duplicated", Unit: Count, Needs: NeedsLedger, Args: ledgers, Bare: true, Late: true,
		Written:    []string{"duplicated"},
		Writes:     func(w Writes) (low, high float64) { return float64(w.Duplicated), float64(w.Duplicated + w.MayBeWrong) },
		NeedsCount: true,
		Deliveries: func(d Deliveries) (low, high float64) {
			return float64(d.Duplicated), float64(d.Duplicated + d.MayBeAgain + d.MayBeLost)
		},
		Missed: missedDuplicated,
		Meaning: "How many acknowledged writes were found more than once. `of` and a delivery: how many requests were seen " +
			"more than once.",
	},
	{
		Name: "reordered", Unit: Count, Needs: NeedsLedger, Bare: true, Late: true, Written: []string{"reordered"},
		NeedsKey: true,
		Deliveries: func(d Deliveries) (low, high float64) {
			return float64(d.Reordered), float64(d.Reordered + d.MayBeBefore + d.MayBeLost)
		},
		Missed: missedReordered,
		Meaning: "How many requests of a delivery, which `of` names, were seen after one with the same `key` that was sent " +
			"only when they had been acknowledged.",
	},
	{
		Name: "stale", Unit: ShareOf, Needs: NeedsLedger, Args: ledgers, Bare: true, Late: true, Written: []string{"stale"},
		Writes: func(w Writes) (low, high float64) {
			n := float64(w.Acknowledged)
			return float64(w.Stale) / n, float64(w.Stale+w.MayBeWrong) / n
		},
		Meaning: "The share of acknowledged writes that some unit did not have, while another did.",
	},
	{
		Name: "stale.reads", Unit: Count, Needs: NeedsLedger, Args: ledgers, Bare: true, Late: true, OfReads: true,
		Written: []string{"stale.reads"},
		Writes:  func(w Writes) (low, high float64) { return float64(w.StaleReads), float64(w.StaleReads) },
		Meaning: "How many reads during the load did not find a write that was acknowledged before they were sent; the " +
			"ledger's `probe` " +
			"makes them.",
	},
	{
		Name: "rpo", Unit: Seconds, Needs: NeedsLedger, Args: ledgers, Bare: true, Late: true, OfLosses: true,
		Written: []string{"rpo"},
		Writes:  func(w Writes) (low, high float64) { return w.RPOLow, w.orLost(w.RPOHigh) },
		Missed:  missedRPO, UpperOnly: true,
		Meaning: "The span of time in which the target acknowledged the writes that a fault lost, of the worst fault: at " +
			"least from the first lost write to the last, at most from the kept write before them to the first attempt after " +
			"them that was not acknowledged, or to the next kept write.",
	},
	{
		Name: "late", Unit: Seconds, Needs: NeedsLedger, Args: ledgers, Bare: true, Late: true, Written: []string{"late"},
		Writes: func(w Writes) (low, high float64) { return w.LateLow, w.orLost(w.LateHigh) },
		Missed: missedLate, UpperOnly: true,
		Meaning: "The longest time from the acknowledgement of a write until it could be read, of the writes that were " +
			"not there at " +
			"first; writes that are never found are lost, not late.",
	},
	{
		Name: "traces", Unit: ShareOf, Better: HigherIsBetter, Needs: NeedsTraces, Bare: true, Late: true,
		Written: []string{"traces"},
		Missed:  missedTraces,
		Meaning: "The share of answered requests whose trace is whole: a span came, the parent of each span is there, and " +
			"if the answer is right, each service that `trace: {services: ...}` names has a span. brunt receives the spans by " +
			"`trace: {listen: ...}`.",
	},
	{
		Name: "anomalies", Unit: Count, Needs: NeedsRegister, Args: registers, Bare: true, Late: true,
		Written:   []string{"anomalies"},
		Registers: func(r Registers) float64 { return float64(r.Anomalies) },
		Missed:    missedAnomalies,
		Meaning: "How many operations on registers show that they are not linearizable: stale reads, reads of older " +
			"values than the same client had read, dirty reads, reads of the future, divergent reads, lost writes, " +
			"and reads that no order of the operations explains; needs `consistency`.",
	},
	{
		Name: "staleness", Unit: Seconds, Needs: NeedsRegister, Args: registers, Bare: true, Late: true,
		Written: []string{"staleness"}, UpperOnly: true,
		Registers: func(r Registers) float64 { return r.Staleness },
		Missed:    missedStaleness,
		Meaning: "How stale reads of registers were at least: the time by which they would have to begin earlier for the " +
			"registers to be linearizable; 0 if they are.",
	},
	{
		Name: "alert", Unit: Seconds, Needs: NeedsAlert, Args: []Arg{argAlert}, Late: true, Written: []string{"alert(name)"},
		Meaning: "The time from the injection until the alert in parentheses fired.",
	},
	{
		Name: "resolved", Unit: Seconds, Needs: NeedsAlert, Args: []Arg{argAlert}, Late: true,
		Written: []string{"resolved(name)"},
		Healing: true,
		Meaning: "The time from the instant at which the fault was cleared until the alert in parentheses was resolved.",
	},
	{
		Name: reachName, Unit: Seconds, Needs: NeedsReach, Late: true, UpperOnly: true,
		Written: []string{"reach(metric(name) >= 4)"},
		From:    Injection, Missed: missedReach,
		Meaning: "The time from the injection of a fault, or from the begin of a stage of a load (after main.hold), until " +
			"a series holds a condition, " +
			"such as reach(metric(replicas) >= 4), reach(posts.units >= 4) or reach(posts.memory < 256MiB): all its series, " +
			"or all replicas. " +
			"One that holds it already takes no time; of " +
			"posts.units and web.ready, which a fault takes away, it counts when they are back.",
	},
	{
		Name: scaledName, Unit: Seconds, Needs: NeedsReach, Late: true, UpperOnly: true,
		Written: []string{"scaled(service, 6)"},
		From:    Injection, Missed: missedReach,
		Meaning: "The time from the injection of a fault, or from the begin of a stage of a load (after main.hold), until " +
			"a service on Kubernetes has so many " +
			"ready pods, as a watch of the cluster saw it. Pods that are lost again count. It is not decided where they were " +
			"ready before.",
	},
	{
		Name: seriesName, Unit: Open, Better: NeitherIsBetter, Needs: NeedsSeries, Written: []string{
			"unit.memory", "metric(name)", "slope(unit.fds)", "increase(name)", "ratio(name, name)", "per_request(name)",
			"amplification(service -> service)",
		},
		Meaning: "What a unit or a service uses, such as posts.memory or posts[1].fds, or a series that `metrics:` names, " +
			"or `watch:` " +
			"where its answers are numbers, such as metric(queue-depth): its highest value, or with mean(…), min(…), last(…) " +
			"or slope(…) " +
			"what the fold makes of it. Of a service as a whole there is posts.units, how many of its processes or " +
			"containers run, " +
			"seen once a second; on Kubernetes there are web.ready, web.replicas " +
			"(asked for) and web.pending. The lowest value counts where the bound is a lower one.",
	},
}

// burnBudget returns the share of bad requests at which the error budget burns as fast as an objective allows; 1 for
// a lower bound.
func burnBudget(o Objective) float64 {
	if !o.Upper() {
		return 1
	}
	return min(1, o.Value*(1-o.Metric.Share))
}

// allowedErrors returns the error budget of an upper bound of the share of errors; 0 for other objectives.
func allowedErrors(o Objective) float64 {
	if !o.Upper() {
		return 0
	}
	return o.Value
}

// allowedUnavailable returns the error budget of a lower bound of the availability; 0 for other objectives.
func allowedUnavailable(o Objective) float64 {
	if o.Op != ">" && o.Op != ">=" {
		return 0
	}
	return 1 - o.Value
}
