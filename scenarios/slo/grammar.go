// Package slo reads objectives, such as `p95 < 200ms in baseline`, and lists the metrics that an
// objective can measure.
//
//	text -ParseObjective-> Objective{Metric, Op, Value, clauses} -> the judge measures and compares
//	                          |
//	                       Metrics: one row for each metric
//
// To add a metric, add a row to [Metrics].
//
// # Grammar
//
// The short form, in the notation of the Go specification:
//
//	objective = metric op value { clause } .
//	metric    = [ "ok." | "service." ] ( "p" number | "p(" number ")" | "max" | "mean" )
//	          | "errors" | "availability" | "availability.admitted" | "shed" | "rate" | "goodput"
//	          | "timeouts" | "attempts" | "checks" | "whole"
//	          | "within(" duration ")"
//	          | "burn(" share "," duration ")" | "slices(" duration "," share ")"
//	          | ( "onset" | "failover" | "recover" | "heal" | "detect" | "degraded" | "failed" | "area" )
//	            [ "(" duration ")" ] [ ".p" number ]
//	          | "seen" | "understood" | "acted"
//	          | ( "alert" | "resolved" ) "(" alert ")" [ ".p" number ]
//	          | "reach" "(" ( figure | "metric" "(" name ")" ) op value ")"
//	          | "scaled" "(" service "," number ")"
//	          | figure | "metric" "(" name ")" | fold "(" ( figure | name ) ")"
//	          | ( "increase" | "per_request" ) "(" name ")" | "ratio" "(" name "," name ")"
//	          | "amplification" "(" unit "->" unit ")"
//	          | ( "lost" | "late" | "duplicated" | "stale" | "stale.reads" | "rpo" ) [ "(" ledger ")" ]
//	          | ( "lost" | "duplicated" | "reordered" )  // with "of" and a delivery
//	          | ( "anomalies" | "staleness" ) [ "(" name ")" ] .
//	figure    = service [ "[" number "]" ] "." ( "cpu" | "memory" | "fds" | "threads" | "restarts" | "ooms" )
//	          | service "." ( "units" | "ready" | "replicas" | "pending" ) .
//	unit      = service [ "[" number "]" ] .
//	fold      = "max" | "mean" | "min" | "last" | "slope" .
//	op        = "<" | "<=" | ">" | ">=" | "=" | "==" .
//	value     = duration | share | rate | count | number | size | growth | multiple .
//	multiple  = ( share | number "x" ) "of" ( phase | "load" name | "step" step ) .
//	growth    = ( number | size | duration | share ) "/" ( "s" | "m" | "h" ) .
//	clause    = "of" step | [ "of" ] "load" name
//	          | "in" phase
//	          | "after" ( fault | stage )
//	          | "for" ( duration | share ) .
//	step      = word | quote text quote .
//	phase     = "run" | "baseline" | fault | "recovery/" fault .
//	fault     = name [ "#" number ] .
//	stage     = load "." name .  // reach and scaled alone: from its begin
//	ledger    = name .  // where the scenario has several
//
// Each clause may occur once, in any order. The metric determines the unit of the value:
//
//	duration (200ms)  percentiles, max, mean; onset, failover, recover, heal, detect,
//	                  seen, understood, acted, degraded, area, alert, resolved, reach; rpo, late; staleness
//	share (1%)        errors, availability, shed, checks, whole, within, slices; stale
//	rate (200/s)      rate
//	count             timeouts; failed; lost, duplicated, reordered; anomalies; fds, threads, restarts, ooms, units
//	size (256MiB)     memory
//	growth (1MiB/m)   slope
//	number            burn; attempts; amplification; cpu, in cores
//
// A multiple refers to the same metric in another phase, or of another load or step, of the same run: `p95 < 110%
// of baseline in crash`, `mean(store-asks) < 3x of baseline`, `p95 < 150% of load stable of load canary`,
// `p50 < 150% of step "list v1" of "list v2"`. A metric that is a
// share itself needs the form with an x, because `errors < 1% of list` is about the step list.
//
// `=` is for counts, `for` with a duration for stop conditions. `for` with a share is for metrics of faults:
// `recover < 5s for 90% after crash` asks that at least 90 % of the occurrences recover in time. It holds if
// the exact
// 95 % lower bound of that share (Clopper and Pearson, 1934) is at least 90 %, and fails if the upper bound is less;
// 29 occurrences in a row show it. In the k6 form, `p(95)<200`, a bare number is in
// milliseconds. recover(200ms) counts answers slower than 200ms as bad too.
//
// A figure of a unit, or a metric that the scenario names under `metrics`, is judged by its greatest value in the
// phase, or by its fold, for the worst replica and the worst of its series. restarts and ooms are counted over the
// phase. units, ready, replicas and pending belong to a service as a whole: units is the number of its running units,
// the others are numbers of its pods. For these, the lowest value of the phase counts against a lower bound. The
// value of a named metric may have any unit, and is compared in the base units of Prometheus: bytes, seconds, shares
// of 1, events per second. The name of a metric is in parentheses so that a later built-in metric of the same name
// does not change the meaning of an old file.
//
// increase, ratio and per_request are for counters, which grow from the start of a process on. increase is the growth
// of all series of the name in the phase. ratio divides it by the growth of the series of another name, per_request
// by the number of requests of the load. A counter whose value decreases was reset, and its new value counts as
// growth. Between two readings a counter is assumed to grow evenly.
//
// amplification is the number of calls on a link between two services, or two units, for each request that the load
// sent in the phase: of all loads, because a call does not tell the load that caused it. brunt counts the
// calls at its
// proxy of the link. The calls that the link has without load are taken off, at their rate before the load. It is
// inconclusive if the target lies within the bounds that the readings and this rate leave.
//
// slope is the median of the slopes between any two values (Theil, 1950; Sen, 1968), computed separately for each
// lifetime of a process. It is inconclusive if its 95 % interval contains the target. alert is the time from the
// injection of a fault to the first answer that reports the alert firing; resolved is the time from the clearing to
// the first answer that reports it not firing. Slopes, growth of counters, alert and resolved are known only after
// the run; other figures are allowed in steady and stop.
package slo
