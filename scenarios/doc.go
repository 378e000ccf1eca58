// Package scenarios is the hub of brunt: the language that a scenario is written
// in, and the words for how a run went. It starts nothing, and it knows no
// executor, no protocol and no fault.
//
//	scenario.yaml -Parse-> Scenario ----------------> run.Compile -> run
//	                |         its executors, steps      resolves them with
//	                |         and faults are Blocks     Resolve and its kinds
//	                |
//	   text -> Node (a tree with places) -> extends -> params, env, files -> Decode
//
// [Parse] finds every mistake of a file in one go, each a [Mistake] with its place;
// only an error of YAML's own grammar stands alone, as what follows it can't be
// trusted. Later stages add to the collector that [Scenario.Mistakes] gives.
//
// # Settings
//
// A struct is read from the file by [Decode]: its fields' `yaml` tags name the keys
// and their bounds. So the settings of an executor, a step or a fault are the
// fields of its type, and [Resolve] makes the type that a [Block] names. A type
// that has a form of its own in the file, such as [Duration] or [Objective],
// implements [NodeDecoder].
//
// To add a setting is to add a field. To add a form of value is to add a type with
// DecodeNode, and a Parse function with its fuzz target.
//
// # Objectives
//
// The short form, in the notation of the Go specification:
//
//	objective = metric op value { clause } .
//	metric    = [ "ok." | "service." ] ( "p" number | "p(" number ")" | "max" | "mean" )
//	          | "errors" | "availability" | "shed" | "rate" | "timeouts" | "checks"
//	          | "within(" duration ")"
//	          | "burn(" share "," duration ")" | "slices(" duration "," share ")"
//	          | ( "onset" | "failover" | "recover" | "heal" | "detect" | "degraded" | "failed" | "area" ) [ "(" duration ")" ] [ ".p" number ]
//	          | ( "alert" | "resolved" ) "(" alert ")" [ ".p" number ]
//	          | figure | "metric" "(" name ")" | fold "(" ( figure | name ) ")"
//	          | "lost" | "duplicated" | "stale" | "rpo" .
//	figure    = service [ "[" number "]" ] "." ( "cpu" | "memory" | "fds" | "threads" | "restarts" | "ooms" ) .
//	fold      = "max" | "mean" | "min" | "last" | "slope" .
//	op        = "<" | "<=" | ">" | ">=" | "=" | "==" .
//	value     = duration | share | rate | count | number | size | growth .
//	growth    = ( number | size | duration | share ) "/" ( "s" | "m" | "h" ) .
//	clause    = "of" step | [ "of" ] "load" name
//	          | "in" phase
//	          | "after" fault
//	          | "for" duration .
//	step      = word | quote text quote .
//	phase     = "run" | "baseline" | fault | "recovery/" fault .
//	fault     = name [ "#" number ] .
//
// A clause stands once, in any order. The value's unit follows from the metric:
//
//	duration (200ms)  percentiles, max, mean; onset, failover, recover, heal, detect,
//	                  degraded, area, alert, resolved; rpo
//	share (1%)        errors, availability, shed, checks, within, slices; stale
//	rate (200/s)      rate
//	count             timeouts; failed; lost, duplicated; fds, threads, restarts, ooms
//	size (256MiB)     memory
//	growth (1MiB/m)   slope
//	number            burn; cpu, in cores
//
// `=` is for counts, `for` for stop conditions. In the form of
// k6, `p(95)<200`, a bare number is in milliseconds. recover(200ms) counts answers
// slower than 200ms as bad too.
//
// A figure of a unit, or a metric that the scenario names under `metrics`, is judged by
// its greatest value in the phase, or by what a fold makes of it, in the worst replica and
// the worst of its series. restarts and ooms are counted over the phase. The value of a
// named metric may have any unit, and is compared in the base units of Prometheus: bytes,
// seconds, shares of 1, events per second. A metric stands in brackets so that no name
// which a later version gives to a metric of its own can mean another thing in an old file.
//
// slope is the median of the slopes between any two values (Theil, 1950; Sen, 1968), each
// life of a process by itself. It is inconclusive where its 95 % interval straddles the
// target. alert is from the injection of a fault to the first answer that says that the
// alert fires; resolved from the clearing to the first that says that it does not. Slopes,
// alert and resolved are known only after the run; other figures may stand in steady and
// stop.
//
// # Ledger
//
// lost, duplicated, stale and rpo are of the writes of the whole run, warm-up included,
// as a [Ledger] finds them after it, and take no clause. A write is
//
//	lost        acknowledged, and at no unit; or its id, which the target gave, was
//	            given to a later write as well
//	duplicated  more than once at a unit, acknowledged or not
//	stale       acknowledged, and at some units and not at others; or there in another
//	            form: a check of `read` fails, or what it extracts differs between units
//	unknown     not found, and a unit gave no answer
//	present     found though it was not acknowledged: no promise was broken
//
// lost and duplicated are counts, stale is a share of the acknowledged writes. rpo is
// the age of the oldest lost write: from its acknowledgement to the injection of the
// next fault. One acknowledged while a fault was in counts to the clearing of that
// fault, and as 0 for a fault that is over once it is done; without any fault after it,
// to the end of the load. What is unknown lets no objective pass that it could break.
//
// # Traces
//
// Every request of brunt's own engine and of vegeta's carries a traceparent of the W3C, but
// one whose author wrote such a header. `trace: {send: off}` sends none, `sampled: false`
// does not ask for the traces to be recorded, and `link` says where a trace is seen, with
// ${trace.id} for its id. The ids are unique to the run. Failed requests that are kept as
// samples, and the slowest of each step, are shown with theirs.
//
// # Placeholders
//
// A [Template] is filled in for each request, its values escaped for the place
// that they stand in: no value can end a header's line, leave its place in a URL
// or break a JSON document. [Ref] lists the placeholders. What came from the
// environment or from a file is one of [Secrets], and is shown nowhere.
package scenarios
