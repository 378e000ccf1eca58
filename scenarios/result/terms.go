package result

// all are the terms. Pages sort them.
var all = []Term{
	{
		"t0",
		[]string{"clock", "offset"},
		"The start of the judged load, after the warm-up. Every time of a run is an offset from t0 on " +
			"one monotonic clock; the warm-up lies before 0.",
	},
	{
		"intended",
		[]string{"intended-time", "arrival"},
		"The instant at which the schedule asks for a request. The first step of an " +
			"iteration is intended at the arrival; each further step at the end of the step before it, plus think time.",
	},
	{
		"response-time",
		[]string{"response", "coordinated-omission", "response-times-of-good-answers", "slowest-requests"},
		"The time from the intended instant of a request to the last byte of " +
			"its answer. Objectives judge it, so a stalled target cannot hide the requests that it delayed (coordinated " +
			"omission). A closed " +
			"load has no arrivals: there the response time is the service time, and the report says that such a load hides " +
			"stalls.",
	},
	{
		"service-time", nil,
		"The time from the instant at which a request gets its connection to the last byte of its answer. DNS, TCP and " +
			"TLS of a new connection are part of it. `service.p95` is a percentile of it.",
	},
	{
		"lag",
		[]string{"lateness", "late"},
		"The time from the intended instant of a request until the generator was ready to send it: how " +
			"late brunt itself was. The report says so where its 99th percentile exceeds a tenth of the tightest latency " +
			"objective, or 10 ms. brunt judges each " +
			"objective as measured and with brunt's own time taken off each request. The same answer stands; another is " +
			"invalid for that objective alone.",
	},
	{
		"queue",
		[]string{"queue-time", "waits"},
		"The time that a request waits for a slot: at max_in_flight, at the pool of connections, " +
			"or at HTTP/2's limit of streams. It is part of the response time, and not caused by the generator.",
	},
	{
		"timings",
		[]string{"request-phase", "request-phases", "where-the-time-went"},
		"The phases in the life of a request. They add up to its " +
			"response time without lag: queue, dns, connect, tls, login, send, first_byte, receive. A request on an open " +
			"connection has no dns, " +
			"connect, tls and login. Failed requests count: one that timed out while it connected spent its time there. " +
			"result.json has them for " +
			"each step in each phase of the run, and for the slowest requests; `brunt run -v` and the page show them. Loads " +
			"by vegeta have all of them. For " +
			"k6 scripts, queue includes the name look-up, because k6 measures both together, and first_byte is the whole of a " +
			"gRPC or WebSocket request.",
	},
	{
		"dns",
		[]string{"name-lookup"},
		"The phase of a request in which the client looks up the name of the target. An answer is reused for " +
			"its time to live, so most requests need no look-up.",
	},
	{
		"connect",
		[]string{"tcp-connect"},
		"The phase of a request in which its TCP connection is opened, up to the target's SYN-ACK. About 1 s, 3 s " +
			"or 7 s points at SYN retransmission.",
	},
	{
		"syn-retransmission",
		[]string{"syn_resent", "syn", "retransmission"},
		"The kernel sends the first packet of a connection again after 1 s, then 3 s " +
			"and 7 s, when it gets no answer: packets are lost, or the target's accept queue is full. The report names the " +
			"requests that waited for it.",
	},
	{
		"accept-queue",
		[]string{"backlog", "accept_overflows"},
		"Connections that the target's kernel has opened and its program has not " +
			"accepted yet. While the queue is full, the kernel drops attempts to connect. The report says how many, for units " +
			"of which brunt can " +
			"read the counter ListenOverflows.",
	},
	{"tls", []string{"handshake"}, "The phase of a request in which the TLS handshake is made."},
	{"login", nil, "The phase of a request in which its protocol prepares a new connection: a tunnel through a proxy, " +
		"the settings of " +
		"HTTP/2, a login."},
	{"send", nil, "The phase of a request in which it is written. A large body on a slow link takes its time here."},
	{
		"first-byte",
		[]string{"first_byte", "ttfb", "waiting"},
		"The phase of a request from its last byte sent to the first byte of its " +
			"answer: the time that the target took, plus the network round trip. In a chain of redirects all requests after " +
			"the first count here.",
	},
	{"received", nil, "The bytes of all answers together, as the client of the protocol counts them; engines that do " +
		"not count them show none."},
	{
		"receive",
		[]string{"receiving"},
		"The phase of a request in which its answer is read, from the first byte to the last.",
	},
	{"worker", nil, "A process of this machine, or a pod of a cluster, that makes a part of a load, as --workers and " +
		"`workers` say. Owed is what the schedule " +
		"gives it; what the run has not received of that is lost."},
	{"iteration", nil, "One pass through a load's flow. `rate` counts iterations a second. As a step's name in an " +
		"objective, `iteration` " +
		"is the time from the arrival to the end of the flow, without think time."},
	{
		"open",
		[]string{"open-load", "open-model"},
		"A load whose arrivals come whatever the target does: constant-arrival-rate, " +
			"ramping-arrival-rate, spike, replay.",
	},
	{
		"closed",
		[]string{"closed-load", "vus", "virtual-user"},
		"A load of virtual users, each of which waits for an answer before it " +
			"goes on: constant-vus, ramping-vus, per-vu-iterations, shared-iterations. It asks for less while the target is " +
			"slow, " +
			"so few requests meet a stall, and counts hide it. brunt therefore judges an objective on such loads that passes " +
			"by count a second time. For a " +
			"percentile and `within` it adds the requests that users would have sent while they waited for answers of a " +
			"second and more, at their " +
			"usual interval (the correction of HdrHistogram). For availability it counts time: the target is not available in " +
			"a stretch of windows " +
			"in which requests wait and none ends, if five usually would, and 14 of so many that wait, and the stretch is " +
			"longer than their good " +
			"answers usually take. One of several users who waits alone is no stall. " +
			"`errors` and `checks` must fail in both ways, because a wait that ends well is no error, and a single request " +
			"without an answer is no " +
			"stall of the target. Of open and closed loads together, brunt corrects the closed ones alone. " +
			"If the second test fails, the objective is inconclusive, because it is unknown how many requests of an open load " +
			"would have met the stall.",
	},
	{"offered", nil, "All requests that the schedule asked for: ok, shed, error and skipped. Nothing is dropped from " +
		"this count."},
	{
		"ok",
		[]string{"good"},
		"A request that was answered and whose every check held. Without a check of the status, a status under 400 of " +
			"HTTP and the " +
			"status OK of gRPC are ok, and an answer of Redis or a database that is no error.",
	},
	{
		"unfinished",
		[]string{"cut-off"},
		"A request that brunt cut off: `grace` after the end of its load, or a second after Ctrl-C or a stop condition. It " +
			"lasted at least as long as it did by then, so it counts against a shorter limit of time. Whether it would have " +
			"been answered is unknown: an objective whose verdict depends on that is invalid after the grace, which is " +
			"brunt's setting, and inconclusive if the run was ended before its time. A `grace` as long as the `timeout` lets " +
			"each request end.",
	},
	{"shed", nil, "A request that the target refused on purpose, as its step allows (`shed: [429, 503]`). It is " +
		"neither good nor an error."},
	{
		"error",
		[]string{"failed", "failed-request"},
		"A request without an answer, or with one that failed a check. A request whose " +
			"timeout passes before it is sent is also an error.",
	},
	{"skipped", nil, "A step that was not reached, because a step before it failed. It counts as offered and as bad."},
	{"bad", []string{"bad-requests"}, "A request that is an error or was skipped. " +
		"An answer that takes longer than `judge: {slow: 500ms}`, or than a limit computed from the baseline (`brunt " +
		"explain " +
		"judge.slow`), is bad too, so that a fault that only slows the target down has an impact, a recovery time and an " +
		"incident. An objective with a time of " +
		"its own, such as `recover(500ms) < 10s after cut`, takes that in place of it. Slow answers do not change " +
		"objectives on errors or availability."},
	{
		"percentile",
		[]string{"p50", "p90", "p95", "p99", "p99.9", "quantile"},
		"The response time that so many percent of the requests did not exceed. In " +
			"objectives it is over all offered requests without those that were shed, and a failed request counts as slower " +
			"than any " +
			"answer. It is decided by exact counts.",
	},
	{
		"availability", nil,
		"The share of ok requests among the offered ones. A shed request is not available; availability.admitted leaves " +
			"the shed ones out.",
	},
	{
		"burn",
		[]string{"burn-rate", "error-budget", "budget", "used"},
		"The error rate divided by the error rate that the objective allows. At a " +
			"burn of 1 the error budget lasts exactly for its period.",
	},
	{
		"slowdown",
		nil,
		"A span of two seconds or more in which the target was slow although no fault was in, other than a crash whose " +
			"unit stays down, and no incident was under way. In each of its seconds half of the requests took longer than " +
			"95 % of those of a usual second, and over " +
			"twice and 20 ms longer than the usual median; ten times the p99 of brunt's own lag is taken off first. Seconds " +
			"are compared with at least 8 others in which the same loads ran at about the same rate. Seconds in which brunt " +
			"stood still do not count, nor do those in which half of the time tasks of its machine waited for a processor.",
	},
	{
		"slices",
		[]string{"timeslice"},
		"The share of slices of time in which the target reached a given availability: `slices(5s, 99%)` of those of 5 s. " +
			"A closed load is judged by it, as it offers nothing while it is blocked.",
	},
	{"window", nil, "One second of intended time, split at the instants at which faults are injected and cleared. " +
		"Series in a report " +
		"have a point for each window; detection joins windows until they hold enough requests."},
	{
		"phase",
		[]string{"phases-and-steps"},
		"A part of a run that objectives can name: `warmup`, `run`, `baseline`, the name of a fault, `recovery/FAULT`, " +
			"`rest/FAULT`. Phases may overlap, so only `run` counts each request once.",
	},
	{"warmup", []string{"warm-up"}, "The load before t0. It is recorded apart and never judged."},
	{
		"baseline",
		[]string{"steady-state", "against-the-baseline"},
		"The phase before the first fault: requests that ended before it was injected. A fault's " +
			"effect is measured against it. If it fails, brunt injects nothing: a declared `steady` that does not hold, or an " +
			"objective `in baseline` that failed, is a failure (exit 3); without one the verdict is BASELINE FAILED (exit 5) " +
			"if the 95 % lower bound of the share of bad requests is above `judge.limit`, and above what every objective on " +
			"the run or the baseline allows.",
	},
	{
		"recovery",
		[]string{"recovery-phase"},
		"The phase `recovery/FAULT`: requests due after the fault was cleared, until a hold after " +
			"the last bad request, or until a hold after the clearing if the target was good by then. It ends at the next " +
			"injection, " +
			"because later requests belong to another fault.",
	},
	{
		"rest",
		[]string{"rest-phase"},
		"The phase `rest/FAULT`: requests due after the fault was cleared, up to the next injection or the " +
			"end of the load. brunt computes it if an objective names it.",
	},
	{"limit", nil, "The share of bad requests above which the load is impacted: `judge.limit`, 1 % by default. " +
		"Objectives do not change " +
		"it, because a wide error budget would otherwise hide an outage, and a tight one would turn chance into an impact."},
	{"injected", []string{"faults-in"}, "The instant just before the call that injects the fault."},
	{"planned", nil, "The time at which a fault was due, an offset from t0; `injected` is the time at which it came. " +
		"An incident is planned if a fault was in."},
	{"outcome", nil, "What became of a request: ok, shed, error or skipped. For a fault, its result: recovered, not " +
		"recovered, outage of a step whose requests are too few to be an impact on all, slower, slower but not certain, " +
		"slower meanwhile, " +
		"writes lost, within the limit, none seen, objective failed, too few requests to tell, or not injected."},
	{
		"verified",
		[]string{"evidence", "proof", "seen-in-effect", "took-effect", "removed"},
		"brunt observed the fault's effect at its target, by a reading that is independent of the " +
			"injection. The report shows the evidence. A run with a fault that was not verified is invalid.",
	},
	{
		"cleared",
		[]string{"taken-off"},
		"The instant at which brunt took the fault off: its phase ends here, to the millisecond, and the proof " +
			"that it is gone comes after it. For a fault that happens once, such as a crash, it is the instant at " +
			"which the unit was healthy again, or at which its `within` was over.",
	},
	{"gone", nil, "brunt verified the fault's removal: what the fault changed is as it was. `gone` is also a unit that " +
		"was removed or replaced " +
		"while the fault was in; brunt does not touch its replacement."},
	{"one-shot", nil, "A fault that happens once and is not held, such as a crash, a restart or a reset. It is cleared " +
		"when the " +
		"unit is healthy again. Its phase, which `in FAULT` judges, lasts at least 5 s, because fewer requests show " +
		"little; " +
		"the result says so."},
	{
		"impact",
		[]string{"impacted", "no-impact", "not-recovered"},
		"What a fault did to the load: none seen, within the limit, impacted, " +
			"not recovered, or confounded, which means that two faults were in at once and the effect can't be assigned to " +
			"one of them. A surge of shed " +
			"requests is an impact, because a shed request is not served, unless an objective bounds `shed` of that step over " +
			"the run " +
			"or in that fault. Acknowledged " +
			"writes that the fault lost are an impact. So are slower answers: the median or the 95th percentile rises by a " +
			"tenth, by a t test on blocks of " +
			"time against the baseline. Under 1 % of faults without an effect fail this test; it uses blocks because " +
			"neighbouring answers depend on " +
			"each other. Seconds as slow must be rarer without a fault, too, also from a hold after the last fault on, " +
			"because a target may pause by itself. And they must be slower soon after the injection, up to the end of the " +
			"fault, or as a unit that it hit falls ill: else they were slower during the fault, and it is not certain that " +
			"it made them so. How long it was slower is known if a limit says which answers are slow " +
			"(`brunt explain judge.slow`); " +
			"without one no objective on " +
			"recovery passes for a fault that made answers slower. They are slower only if they are so without brunt's own " +
			"time. They are not slower if 95 % bounds exclude that they took over twice as long as before and over 20 ms " +
			"longer, " +
			"at the median or at the 95th percentile, which needs 59 good answers. Else the outcome is \"slower, not " +
			"certain\", or \"slower meanwhile\" if they were slower and nothing shows that the fault made them so: " +
			"what the fault did is not known, and no objective on its recovery passes. The report shows each part beside the " +
			"baseline, and response times without brunt's own time.",
	},
	{
		"incident",
		[]string{"lasted", "what-failed"},
		"A span of the load whose share of bad requests exceeds the limit, whatever caused it: from its first bad " +
			"request to the first good one after its last, with less than a hold of good requests in between. The time of a " +
			"request is the " +
			"one at which it was due; if brunt itself was late, it is the time at which brunt was ready to send it, because " +
			"the target " +
			"received it then. The requests of a second stay in that second. A run lists its incidents. The list divides an " +
			"outage where the load was good for a hold, where another fault was injected after the first part began, and " +
			"where a part begins with the end of a fault. " +
			"An incident belongs to the faults that were in, or were being recovered from, when it began, and never to one " +
			"that was injected later; a relapse belongs to its fault if it begins within a hold of the recovery, or " +
			"sooner after it than the recovery took, or while a unit that the fault hit is not well since. The report " +
			"says `by` a fault if no other could be it and evidence shows it: the incident began within a hold of the " +
			"injection or within a second of the end of the fault, before the load had recovered from it or as a " +
			"relapse; a unit that the fault hit fell ill with it, or was not well after the fault; or it lasted until " +
			"the end of the fault, and at most a hold longer. Else it says `during`, and an objective after the fault is " +
			"inconclusive if that decides. The incident names the step with the most requests that were made and failed, " +
			"and counts those that were skipped as a result. " +
			"`recover < 10s after incident` judges the longest incident that overlaps a fault, so that an outage that several " +
			"faults caused " +
			"together has one recovery time: from the first begin to the last end of what belongs to one fault. Without an " +
			"incident it is 0, and passes if the " +
			"requests show for each fault that there was none. An incident that belongs to no fault, and begins within a hold " +
			"of the end of one or may be a relapse, may be its or not: the objective is inconclusive if that decides. So it " +
			"is for an incident that only began while a fault was in, without evidence that the fault did it. " +
			"A fault that happens once ends with the return of its unit. If all bad " +
			"requests before an injection were in " +
			"flight at that instant, the incident begins with the " +
			"injection. A stall, in which no request ends although usually 14 would, begins with the first request that it " +
			"delayed, even if all of its requests " +
			"are good in the end. A surge of shed requests is an incident, unless an objective bounds `shed` of that step " +
			"over the run.",
	},
	{
		"group",
		[]string{"compound-fault", "steps", "disaster"},
		"Several faults that count as one, such as a cut, a crash and a promotion. Each is a " +
			"step with its offset from the start of the group. brunt injects the steps in turn, and takes them back in " +
			"reverse when the group's `for` has " +
			"passed; the group is cleared when all of them are. If brunt can't inject a step, it takes the others back at " +
			"once; the run is " +
			"invalid (exit 5) and names the step, and what the earlier steps did to the load counts as the group's effect. A " +
			"group has one phase, from " +
			"its first injection until all of its steps are cleared: `errors in GROUP` counts all requests of that time, also " +
			"those " +
			"before the impact began. It has one incident and one recovery time; `recover` and `failover` count from the " +
			"start of its incident, " +
			"because the first step need not be the one with the impact. Objectives name the group, and never a step.",
	},
	{
		"freeze",
		[]string{"stood-still", "frozen", "brunt-itself-was-late"},
		"A time in which brunt itself did not run: it was stopped, or got no " +
			"processor, for 70 ms or more; with a CPU quota, for 5 ms or more if the quota stopped it. brunt subtracts what a " +
			"freeze adds to a request. A " +
			"timeout is brunt's own if brunt used up a tenth of it, unless the target had far longer than it ever took to " +
			"answer: a target that hangs while " +
			"brunt is late is down. During a freeze, and while it fails at each request that is due, brunt sees nothing of " +
			"the target. An outage may " +
			"be hidden there, but no longer one, because brunt saw the target before and after it. brunt therefore judges an " +
			"objective on a fault that passes " +
			"a second time, with the requests of that time as bad, if it is as long as all that the objective allows, or if " +
			"it contains the instant by which " +
			"the target had to be good and is a tenth of what is allowed, or if it contains the end of the outage that was " +
			"seen. " +
			"If that changes the pass, the objective is invalid. A shorter freeze elsewhere changes nothing, and a failure " +
			"stands. " +
			"If brunt sends nearly all requests late, without standing still, a time passes only if it holds with that lag " +
			"added, unless " +
			"the lag is under a tenth of what the objective allows. Requests that brunt sent only after a fault was over did " +
			"not meet it: an objective " +
			"in that fault that does not hold with them as bad is invalid. " +
			"If brunt stood still for half of a fault or more, and saw no impact, the impact is unknown.",
	},
	{
		"onset",
		[]string{"first-harm", "first-harm-after", "onset-of-the-impact"},
		"The time from the injection to the first bad request of the impact, by the " +
			"time at which the request was due. A statistical " +
			"test on windows decides whether there was an impact: two of three windows must exceed the limit, or one beyond " +
			"any doubt, by its share or " +
			"because ten or more requests in a row were bad and would exceed the limit alone. Windows do not " +
			"decide when the impact began, because a window is a second or more and an outage begins between two requests.",
	},
	{
		"failover",
		[]string{"good-again-while-in-after"},
		"The time from the injection until the target was good again while the fault was still in: the first good " +
			"request after the last bad one. The requests from there to the clearing must show by themselves that the " +
			"target was good, as those of a hold do: 300 good ones at a limit of 1 %. For a group it counts from the " +
			"start of its incident.",
	},
	{
		"recover",
		[]string{"rto", "recovered", "good-again", "good-again-after-injection"},
		"The time from the injection until the target had recovered: the recovery time objective " +
			"as it was achieved. The target recovers with the first good request after the last bad one, if it then stays " +
			"good for a hold, and up to the next fault or the end of the load. If it gets bad again after that, it " +
			"relapsed, and its last recovery counts. If the relapse begins later after the recovery than a hold, and " +
			"than the recovery took, and no unit that the fault hit is unwell since, nothing shows that the fault did " +
			"it: the objective is inconclusive if that decides. A target that never recovers fails the objective; a " +
			"fault without impact has a recovery time of 0. For a group it counts from the start of its incident.",
	},
	{
		"rejoin",
		[]string{"rejoining", "back", "harm-by-removal"},
		"The harm of a fault's end: requests that were bad again when the fault was taken back, such as while a node joins " +
			"its cluster again, after the load had been good for a second or more. It begins within a second of the end and " +
			"lasts until the first good request after it. `recover` includes it, and is judged; the report says both " +
			"times, as in `recovered in 6s; rejoining cost 2s`.",
	},
	{
		"heal",
		[]string{"good-again-after-removal"},
		"The time from the instant at which the fault was cleared until the target had recovered.",
	},
	{"hold", nil, "How long the target must be good after its last bad request to count as recovered (`judge.hold`, 10 " +
		"s by default): " +
		"over a hold the bad share has a 95 % upper bound within the limit, and no request is stuck. If the load is too " +
		"low to show " +
		"that in one hold, brunt lengthens the hold."},
	{
		"game-day",
		[]string{
			"operator", "marks", "split", "minute-by-minute", "who-took-the-time", "seen", "understood", "acted", "decide",
		},
		"A run with people: a fault with `wait: {for: operator, at_most: 10m}` comes when a person continues it, and people " +
			"mark its harm as seen, understood and acted on, at the live page or by `brunt note`. The marks split the time " +
			"from the injection to recovery: detect until seen, decide until understood, act until acted, and recover, the " +
			"machine's part. A part without its marks is unknown. The objective `detect` is about the team's monitoring, not " +
			"about these marks. The report tells such a run, and each of two minutes or more, minute by minute.",
	},
	{
		"detect",
		[]string{"detected", "monitoring", "noticed-after"},
		"The time from the injection until the team's own monitoring noticed the fault. It " +
			"needs a source: an alert, an HTTP check or a command under `detect`.",
	},
	{
		"degraded",
		[]string{"degraded-for", "bad-service-for"},
		"How long requests were bad because of a fault: the sum of all spans of bad requests, each from its first bad " +
			"request to the next good one. Good time between two outages is not degraded. If some requests fail and others do " +
			"not, a span lasts " +
			"as long as their share is above the limit: if every second request fails for 10 s, that is 10 s of degraded " +
			"service, and 5 s of `area`.",
	},
	{
		"area",
		[]string{"area-lost", "as-no-service-for", "as-no-service-at-all-for"},
		"The service that was lost because of a fault, in seconds of full outage: the integral of 1 - " +
			"good/offered over time, less that share before the fault. Ten seconds with half of the requests failing are 5 s.",
	},
	{
		"achieved",
		[]string{"counted-from", "figure", "recovery-asked-and-achieved"},
		"The time that an objective on a fault measured, beside the time that it asks for. The table `Recovery, asked and " +
			"achieved` has a " +
			"row for each such objective. Figure is the measured time (`recover`, `failover`, `detect` and so on), and " +
			"`counted from` and `to` are the instants " +
			"between which it was measured. In a comparison a figure is a metric of both runs.",
	},
	{
		"against-target",
		[]string{"gauge"},
		"The measured value of an objective, drawn beside its target. The line is the target, the dot the " +
			"measured value, and the band its spread. The axis is logarithmic; a value right of the line misses the target.",
	},
	{
		"as-a-command",
		[]string{"curl", "send-it-again"},
		"A slow request as a curl command that sends it once more. Secrets in it are masked.",
	},
	{"shares", nil, "The phases of a step's mean response time as a bar: each colour is the part of one phase."},
	{"this-run", nil, "In a comparison, the run that is judged. Baseline is the run that it is compared with."},
	{
		"what",
		[]string{"what-happened-to-the-units", "happening"},
		"The event of a unit, as the engine or the system reported it: a start, an end " +
			"with its exit code, a kill for lack of memory, a changed state of health.",
	},
	{
		"usage",
		[]string{"cpu-mean", "memory-first", "files-most", "threads-most", "not-running", "cores"},
		"What a unit used, sampled every second while " +
			"the load was judged: processor time (1 is one processor), memory, open files and threads. Mean is the mean of " +
			"all samples, first and last are " +
			"the samples at the ends, most is the largest. Not running is the time in which the unit had no process.",
	},
	{
		"resolution",
		[]string{"±", "exact-to", "times-are-exact-to"},
		"How precisely a time of a fault's effect is known. At a sharp edge, where requests are good and then " +
			"all bad, it is the time between two requests. Where errors become more frequent or rarer, it is the 95 % " +
			"interval of the " +
			"instant at which their share changed. A time passes only if the whole interval does. A reaction such as " +
			"`detect` came between two polls, and is inconclusive where the limit lies between them.",
	},
	{
		"affected",
		[]string{"met", "traffic"},
		"The requests or bytes that a fault acted on: those that passed its link or hook, or, for a " +
			"fault on a unit, the requests of the load during its phase. brunt does not judge a fault that affected none. Nor " +
			"does it judge a fault on units " +
			"that received nothing from the start of the load until its injection: no new TCP connection, and no data on " +
			"existing ones. It can see that on " +
			"Linux, for units with an address whose processes run on this machine; elsewhere the requests of the phase count.",
	},
	{
		"confounded", nil,
		"Two faults were in at once, so a recovery can't be assigned to one of them. An objective on one of them passes " +
			"if it holds " +
			"for what they did together, which is the most that one of them can have done; otherwise it is inconclusive, and " +
			"`after incident` judges them all.",
	},
	{"unit", nil, "One process or container of a service, such as posts[1]."},
	{"service", nil, "A named part of the target that has one or more units. In `service.p95` the word stands for the " +
		"service time."},
	{"replica", nil, "One of several equal units of a service."},
	{
		"link",
		[]string{"edge"},
		"A connection between two services that brunt can break, such as posts -> store. `load -> SERVICE` is the link " +
			"from the load.",
	},
	{
		"calls-per-request",
		[]string{"calls per request"},
		"How many calls one service made to another for each request of the load, in the baseline and in each fault. " +
			"More in a fault than before means that each request costs more, as with retries. The objective is " +
			"amplification(posts -> store) < 1.5 in FAULT.",
	},
	{
		"cost-of-a-good-request",
		[]string{"what a good request costs", "cpu per good request", "memory of all units", "calls per good request"},
		"What the target spent in the baseline and in each fault, for each good request: CPU time of all units together, " +
			"and calls on the links whose protocol brunt read. Work for requests that failed counts too, so that retries and " +
			"requests that are given up late make good ones dear. Memory is the mean of all units together over the phase. A " +
			"figure is unknown where that of a unit is missing for over a fifth of the phase, and where most of the good " +
			"requests were answered after it.",
	},
	{
		"sweep",
		[]string{"matrix of failures", "graph of services", "dependency graph"},
		"The drills of `brunt drill all SCENARIO --sweep`: each service and each link fails, alone and in pairs. Its page " +
			"has what was tried on each part and what never was, the dependencies as a graph with the steps that need each, " +
			"the alerts after each fault, and what a good request cost. `brunt drill matrix` makes it from any runs.",
	},
	{
		"capacity-under-a-fault",
		[]string{"capacity under a fault", "n-1", "capacity without a replica"},
		"The largest rate at which the objectives hold while a fault is in, proved at the begin and the end of each " +
			"probe: `brunt find shop.yaml --without \"posts[1]\" --peak 900/s`. What follows the injection at a low load is no " +
			"part of it, and is shown apart. The answer is an interval, with the share of the capacity without the fault.",
	},
	{
		"matrix-of-alerts",
		[]string{"alerts after each fault", "silent alert", "late alert"},
		"When each alert of the team's own monitoring fired after each fault of a sweep. It is late after the fault was over, " +
			"or after the limit of an objective such as `alert(Errors) < 30s after dead`. It is silent if it did not fire until " +
			"the last poll although the fault was verified and met traffic. It is unknown if it fired before, if polls had no " +
			"answer, or if another fault was in as well.",
	},
	{"zone", nil, "A group of units that fail together. A fault can hit a whole zone."},
	{"leader", nil, "The unit that a service's own election or role has chosen. `pick: leader` asks which it is at the " +
		"instant of the injection; " +
		"`pick: follower` and `except: leader` hit the others."},
	{
		"states of units",
		[]string{"state of a unit"},
		"What each unit answered to a question of `watch`, over time: a bar for each answer, and a gap where " +
			"it gave none. Numbers are a line.",
	},
	{"agent", nil, "A privileged container or process that brunt starts to act where brunt itself can't, such as in " +
		"the network namespace of " +
		"a container. It ends with the run."},
	{"watchdog", nil, "A process that waits for brunt to end and then takes back every fault that is in the journal."},
	{"journal", nil, "The file in which brunt writes down how to undo a fault before it injects it. `brunt revert` " +
		"uses it."},
	{
		"reverted",
		[]string{"revert", "undo", "not_reverted", "taken-back"},
		"The fault was taken back: the undo operation ran, and brunt verified its " +
			"effect. If a fault can't be taken back, the verdict is not_reverted; if only the proof is missing, the removal " +
			"is unverified.",
	},
	{
		"unverified", nil,
		"The kernel, the engine or the proxy reported that the fault was taken back, and no probe was answered within 90 " +
			"s to prove it: the " +
			"machine is too busy, or the target is down for another reason. The verdict is invalid (exit 5), not not_reverted " +
			"(exit 7). If a probe is answered " +
			"and still shows the effect, the verdict is not_reverted.",
	},
	{"guard", nil, "The key `guard:` of a scenario: limits on what it may load and break. It must name each address " +
		"beyond loopback, " +
		"also that of a service to which `--out` sends figures."},
	{"policy", nil, "A file outside the scenario that limits what every scenario may do. A scenario can narrow it and " +
		"never widen it."},
	{
		"protect",
		[]string{"protected", "protection"},
		"What no fault may hit: containers labelled `brunt.protect=true`, and the services, units, processes and " +
			"containers under `protect` of a policy. When brunt plans a fault, also for `--dry-run`, and again just before " +
			"each injection, it looks up which " +
			"process a unit is and which containers that process is in. It refuses a `pid:` in a protected container, a " +
			"process that was " +
			"started there by exec, a process in a namespace of it, a container that shares its network or processes, its " +
			"address as an end of a network " +
			"fault, and `disk.fill` on a filesystem that it writes to. In a cluster it refuses namespaces of kube-* and " +
			"openshift-*, what a policy protects, " +
			"pods of brunt, nodes without the labels of `allow.nodes`, and pods whose own label, or that of their workload, " +
			"node or namespace, is " +
			"brunt.dev/protect=true. It also refuses a process of a container whose labels it can't read. Nothing allows a " +
			"fault on brunt itself, the programs that started it, the watchdogs, agents and proxies of any brunt, the " +
			"container engine, threads of the kernel, or " +
			"system services such as init, systemd, dbus and sshd outside of containers, unless brunt has started them. A " +
			"program counts as a system service by " +
			"its name, if the machine started it: it runs as a user of the system, outside of user sessions, and all its " +
			"ancestors are system services.",
	},
	{
		"blast-radius",
		[]string{"scope"},
		"What a fault may hit: the units, links and addresses that the scenario's guard and all policies allow.",
	},
	{
		"verdict",
		[]string{"verdicts"},
		"The answer of a run: pass, fail, inconclusive, invalid, stopped, interrupted, not_reverted or " +
			"error. NOT STARTED and BASELINE FAILED are `invalid` in result.json, with the same exit code. Each has an exit " +
			"code; if several apply, the first of `brunt explain exit-codes` counts.",
	},
	{
		"inconclusive", nil,
		"There were too few requests to decide. An error rate of 1 % needs 299, a percentile 10 above it. Too little data " +
			"is never a pass. A run whose unique data is used up before its end is inconclusive as well: add rows to `data`, " +
			"or take rows again by `pick: next`.",
	},
	{"invalid", nil, "What was asked can't be answered. An objective is invalid if brunt's own lag decides it, or if " +
		"its fault was not verified. A run is invalid if an objective is and none failed, if a fault was not verified, or " +
		"if its removal is unverified. A fault that no traffic met makes the run inconclusive."},
	{"not-started", nil, "The verdict of a run whose load never began: the target was not ready, or setup failed. " +
		"Nothing was judged, and the exit code is 5. The reason names what to mend."},
	{"baseline-failed", nil, "The verdict of a run in which too many requests failed before the first fault, while no " +
		"`steady` and no objective says how many are normal. brunt injected nothing and judged nothing; the exit code is 5."},
	{
		"distance",
		[]string{"over", "left"},
		"How far a value is from the limit of its objective: `57 % left` is a value at 43 % of the limit, and " +
			"`3.7x the limit` is one at 3.7 times the limit. Of a share that has to be large, such as availability > 99 %, it " +
			"is measured in what is missing to 100 %: `3.7x the 1% allowed` is an availability of 96.3 %.",
	},
	{
		"why-it-failed",
		nil,
		"The causes of a verdict as far as brunt saw them: the fault that did harm and the unit that it hit, the " +
			"first step that failed, and the part of an outage that came after the unit was back. What brunt " +
			"concludes, and did not see, is marked as likely.",
	},
	{
		"what-to-change",
		nil,
		"What would mend the cause, by rules on the result. `--set` is named only where a parameter of the " +
			"scenario feeds the setting. What is not certain is marked as likely.",
	},
	{
		"objective",
		[]string{"slo-objective"},
		"One line of `slo`, `steady` or `stop`: a metric, a comparison, a value, and optionally " +
			"a step (`of STEP`) and a time (`in PHASE`, `after FAULT`).",
	},
	{
		"bound",
		[]string{"upper-bound", "confidence"},
		"What the requests of a phase show of a share, such as that of errors: the one-sided " +
			"95 % bound by the exact binomial distribution (Clopper and Pearson, 1934). 2 bad ones of 60 are 3.33 %, and " +
			"their bound is " +
			"10.1 %. A pass needs it within the objective.",
	},
	{
		"spread",
		[]string{"interval", "confidence-interval", "between"},
		"The 95 % interval of a measured value by a bootstrap over blocks of one " +
			"second: how much a repeat of the run may differ. It decides nothing, but with `judge.strict` a spread that " +
			"contains the target " +
			"is inconclusive.",
	},
	{
		"occurrence",
		[]string{"repeated-faults", "occurrences-with-it"},
		"One injection of a fault that comes several times by `every` or `pulse`. An objective on the fault's name takes " +
			"the worst occurrence; `recover.p95` is a percentile over all of them.",
	},
	{
		"met-how-often",
		[]string{"pool", "until-sure", "jitter"},
		"How often the occurrences of a fault met an objective on a time, such as `recover < 5s for 90% after crash`, " +
			"and what that shows with 95 % confidence. The occurrences of one run show it under the conditions of that run, " +
			"by the exact binomial distribution (Clopper and Pearson, 1934): 29 in a row show 90 %, 59 show 95 %. Over " +
			"several runs each counts once, by the share of its occurrences that met the objective, because they share a " +
			"start of the system; the bound holds whenever the series of runs ends (Waudby-Smith and Ramdas, Estimating means " +
			"of bounded random variables by betting, 2024), so 33 runs in a row show 90 % and 68 show 95 %. Runs on file " +
			"count if scenario, build and machine are the same. `brunt drill run NAME --until-sure 90%` repeats a drill until " +
			"it knows. With `every`, `jitter: 2s` draws the instants, so that they hit different phases of the system's own " +
			"cycles.",
	},
	{
		"stuck",
		[]string{"metastable", "metastable-failure"},
		"A target is stuck if it stays bad after the fault is gone, at a load that it can hold: the load itself keeps it " +
			"down, as with retries or a long queue. To tell it from a target that only needs time, brunt lowers the load until " +
			"requests are good, and raises it again; a target that then holds the load was stuck. `judge: {escape: on}` makes " +
			"a run do so after a fault, and `brunt find --hysteresis` after an overload. The literature calls this a metastable " +
			"failure (Huang et al., Metastable Failures in the Wild, OSDI 2022).",
	},
	{
		"hysteresis",
		nil,
		"A target has a hysteresis if what it serves at a load depends on the load before: after an overload it is bad at " +
			"a rate that it held on the way up. `brunt find shop.yaml --hysteresis` finds the capacity, overloads the target " +
			"without a fault, and goes back to the earlier rate. If requests stay bad there, it lowers the rate until they are " +
			"good, and raises it again; the page draws goodput against load as a loop. In the model of Huang et al. " +
			"(Metastable Failures in the Wild, OSDI 2022) a load within the loop is vulnerable: a trigger is enough to get " +
			"stuck.",
	},
	{
		"dose",
		nil,
		"How much of a fault is injected, as one number of its settings: a delay, a percentage, a rate, a share, a " +
			"duration, or a number of units. `brunt tolerate FILE FAULT SETTING --to 2s` tries several doses of one fault, and " +
			"nothing else differs between the runs. The dose 0 is a run without the fault. For a setting that is no dose, " +
			"brunt names the doses of the kind.",
	},
	{
		"tolerance",
		[]string{"cliff"},
		"The interval of doses of a fault in which the objectives begin to fail: the cliff lies between a dose that the " +
			"target survives and one that it does not. `brunt tolerate shop.yaml slow-store delay --to 2s` finds it by a grid " +
			"of doses and a bisection of the lowest change, and probes both ends again: with 6 probes of each that agree, it " +
			"holds the dose at which half of all runs fail, with 95 % confidence (sign test: a wrong end agrees in at most 1 " +
			"of 64 searches). `gate`, `ab` and `trend` compare it between builds.",
	},
	{
		"programme",
		[]string{"overdue", "last-proved", "never-tried"},
		"All scenarios and drills of a team with what was last proved, on which build, and what is due. `brunt programme " +
			"brunt-results --policy policy.yaml` reads the results on file, and the `cadence` of the policy says how long a " +
			"proof counts. It lists what is overdue, what was never tried, which runs failed, and which later run closed a " +
			"failure by its meta (`--meta closes=OPS-7`). The page of `brunt serve` and of `brunt report --site` shows the " +
			"same. Planned tests that are repeated and followed up are what DORA (EU 2022/2554, articles 24 and 25) and ISO " +
			"22301 (8.5) ask for; brunt makes no statement of compliance.",
	},
	{
		"attestation",
		[]string{"attest", "attestations"},
		"A statement by a person who looked at a finished run, signed with an SSH key. `brunt attest RUN --sign KEY " +
			"\"recovery as expected\"` writes it into the folder of the run with a name, a time and the SHA-256 of the manifest, so " +
			"it covers every file of the run. `brunt verify` finds one that is forged or was changed, one whose run was changed, " +
			"and one that was removed: attestations.sig signs the list of all. No folder shows that all were removed together " +
			"with that file, or that an earlier copy of the folder was put back, so keep a copy elsewhere. The " +
			"format is that of OpenSSH (PROTOCOL.sshsig), so `ssh-keygen -Y verify` checks it without brunt.",
	},
	{
		"ledger",
		[]string{"lost-to"},
		"The list of writes that the target acknowledged. After the run brunt reads each of them back, and " +
			"asks again for missing ones " +
			"until `within`. `lost`, `late`, `duplicated`, `stale` and `rpo` say what became of the writes. " +
			"A write that is missing where it is read is asked for at the other units of that " +
			"service too; one that only they have is elsewhere: stale, and perhaps lost. Between two faults, " +
			"brunt reads writes back while the load runs: a write that was there then and is lost in the end was lost to a " +
			"later fault. If it was not read between them, it is lost to one or the other, and counts for neither. With " +
			"`probe: 20/s` brunt also reads the latest write from each unit while the load runs; `stale.reads` counts the " +
			"reads that did not find it. A topic of Kafka or a queue, which can't be asked for one message, has " +
			"`deliveries` instead.",
	},
	{
		"consistency",
		[]string{"anomalies", "staleness", "register", "linearizable"},
		"Whether reads returned what writes had made of it. A register, such as a row or a key, is linearizable if each " +
			"operation may have taken effect at one instant between its begin and its end. brunt records the reads and " +
			"writes of the steps under `consistency`, and finds the operations for which there is no such order: stale " +
			"reads, reads of older values than the same user had read (non-monotonic), reads of refused writes (dirty) and " +
			"of the future, lost writes, and copies that do not converge after a fault (divergent). `anomalies` counts " +
			"them, `staleness` says by how much reads would have to begin earlier. A history can only convict: operations " +
			"without an anomaly show none.",
	},
	{
		"delivery",
		[]string{"deliveries", "undelivered", "reordered"},
		"A message that a step of the load sends and that must be seen elsewhere, such as a webhook. Its row has its " +
			"times: from the instant at which the request was due until brunt saw the message. One that is not seen `within` " +
			"that time is an error, `undelivered`; if it is seen later, it is late. After the settle time, an acknowledged " +
			"message that was never seen is lost; one seen more than once is duplicated; one seen after another with the same " +
			"`key`, which was sent only when the first had been acknowledged, is reordered. A loss is attributed to a fault " +
			"only if significantly more messages were lost around it than while no fault was in (Fisher's exact test, p <= 0.05).",
	},
	{
		"rpo",
		[]string{"recovery-point"},
		"The recovery point objective as it was achieved: the span of time in which the target acknowledged the writes " +
			"that the fault lost. It is at least the time from the first lost write to the last. It is at most the time from " +
			"the kept write before them to the first attempt after them that was not acknowledged, or to the next kept " +
			"write: an outage is no part of it. Unlike the age of the oldest lost write, it does not grow with the length of the " +
			"run. " +
			"A write that was acknowledged after a fault was over may be lost to it as well: a primary that was cut off " +
			"acknowledges writes until it steps down.",
	},
	{
		"in-flight",
		[]string{"max_in_flight"},
		"Requests or iterations that were sent and have not ended. A load has a limit of them; " +
			"beyond it an arrival waits, and the wait is queue time.",
	},
	{
		"pacing",
		[]string{"precise", "efficient"},
		"How arrivals are timed. `precise` spends processor time to be on time within tens of " +
			"microseconds. `efficient` saves it: the arrivals of a millisecond come together at its beginning, which is their " +
			"intended time. " +
			"`auto` chooses once, by the highest rate of the load: precise up to 5000/s for each processor that brunt may use.",
	},
	{"seed", nil, "The number from which brunt derives every random choice of a run. The same seed makes the same " +
		"choices."},
	{
		"regression", nil,
		"`compare`, `ab` or `gate` found a metric that is worse beyond doubt and by more than its margin.",
	},
	{
		"margin",
		[]string{"worse-by"},
		"By how much a metric may be worse before a comparison fails, such as `--margin p95=5%`.",
	},
	{
		"candidate",
		[]string{"base", "before", "now"},
		"In a comparison, the side that is judged; base is the side with which it is compared. " +
			"The figure of a side is the " +
			"geometric mean of its runs or blocks, and the mean for shares.",
	},
	{
		"sees-from",
		[]string{"detects"},
		"In a comparison, the smallest change that runs or blocks like these report as a failure 4 times in 5.",
	},
	{
		"change",
		[]string{"at-best", "at-worst"},
		"In a comparison, by how much a figure is worse or better than before. It certainly " +
			"lies between at best and at worst.",
	},
	{"disturbed", nil, "A run on a machine that was noisier than during its history, by brunt's lag, stolen CPU time, " +
		"CPU pressure or the " +
		"calibration probe. `gate` makes it again later; it never fails a gate."},
	{
		"prediction-bound",
		[]string{"gate-bound"},
		"The value that a run of an unchanged build exceeds with a small, known probability, computed from " +
			"the gate's history.",
	},
	{"pass", nil, "The verdict of a run whose objectives all held, and whose faults were verified and taken back."},
	{"fail", nil, "The verdict of a run in which an objective did not hold."},
	{"stopped", nil, "A stop condition or a guard ended the run before its end. Faults were taken back first."},
	{"interrupted", nil, "A signal ended the run before its end. Faults were taken back and the report was written."},
	{"none", []string{"no-verdict"}, "The scenario sets no objective, so the run has no verdict."},
	{"exit-code", nil, "The number that brunt ends with; it depends on the verdict. `brunt explain exit-codes` lists " +
		"them."},
	{
		"not-injected",
		[]string{"not_injected"},
		"The run ended before the fault was due, or its injection failed; the report gives the reason.",
	},
	{
		"reinjected", nil,
		"The fault was injected again, because the container that it hits was started again while the fault was in.",
	},
	{
		"resilience",
		[]string{"resilience-curve", "good-of-offered"},
		"The share of offered requests that were good, over time. The area above the " +
			"curve is the service that was lost.",
	},
	{
		"throughput",
		[]string{"requests-per-second"},
		"Requests per second. Offered and good requests count at their intended time, sent and answered ones at " +
			"the time of the event.",
	},
	{
		"distribution",
		[]string{"heatmap"},
		"How response times are spread: for each moment of the run, the share of its requests by response " +
			"time. It shows two groups of requests where a percentile shows one number.",
	},
	{
		"histogram",
		[]string{"hdr"},
		"The counts of response times in the buckets of an HdrHistogram. `latency.hlog` holds one for each window.",
	},
	{
		"smallest-outage",
		[]string{"outage", "detectable"},
		"The shortest full outage that a run at this rate can show. The notes of a run give it, with " +
			"the smallest lasting error rate.",
	},
	{"open-files", []string{"descriptors"}, "The open file descriptors of a unit: files, connections and pipes."},
	{"restarts", nil, "How often a unit was started again while the load was judged."},
	{
		"traceparent",
		[]string{"trace-id"},
		"The header of W3C Trace Context. Its trace ID leads from a slow request of a report to the trace in the " +
			"target's own tracing.",
	},
	{
		"self-time",
		[]string{"self-time-by-service"},
		"The time of a span in which none of its children was under way: the work of a service itself, without the calls " +
			"that it waited for. A report shows its mean for a request by service, in the baseline and in each fault, if the " +
			"services send their spans to `trace: {listen: ...}`. ↑ marks a growth that is beyond chance: the 99.9 % interval " +
			"of the difference of the means is above 0.",
	},
	{
		"script",
		[]string{"k6-script", "what-the-script-measured", "samples"},
		"A script of k6 that a load runs in brunt-k6. " +
			"The section Script of a report has its metrics.",
	},
	{
		"manifest",
		[]string{"sha256sums"},
		"`SHA256SUMS` in the folder of a run: the SHA-256 sums of all files in it. `brunt verify` finds each " +
			"later change.",
	},
	{
		"signature",
		[]string{"signer", "signed"},
		"An SSH signature of the manifest, made by `--sign KEY`. `brunt verify` with `--signer` " +
			"checks whose key made it.",
	},
	{"drift", nil, "A difference between a plan file and what its run would do now. brunt names the differences and " +
		"starts nothing."},
	{
		"false-alarm", nil,
		"A comparison that finds a regression although nothing changed. `gate` and `ab` keep its probability under " +
			"`--alpha`.",
	},
}
