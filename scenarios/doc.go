// Package scenarios is the hub of brunt. It defines what a scenario is, parses scenario files, and defines the
// verdicts of a run. It starts nothing, and it does not depend on executors, protocols or faults.
//
//	scenario.yaml -Parse-> Scenario ----------------> run -> result.Result -> reporters
//	                |         its executors, steps      resolves them with
//	                |         and faults are Blocks     syntax.Resolve and its kinds
//	                |
//	   text -> Node (a tree with positions) -> extends -> params, env, files -> Decode
//
// The hub has a package for each part of the language:
//
//	syntax    nodes, positions, decoding into structs, mistakes with excerpts and hints, schemas
//	quantity  durations, rates, shares, sizes, bandwidths and ranges
//	template  placeholders, data tables, escaping, secrets
//	slo       objectives and the table of metrics
//	check     conditions on a response
//	prose     text for people: amounts, lists, escaping
//	scenarios the scenario file, policies, outcomes of requests, verdicts and exit codes
//	result    what result.json holds
//
// [Parse] finds all mistakes of a file in one pass, each a [syntax.Mistake] with its position. A
// YAML syntax error is reported alone, because the text after it can't be trusted. Later stages
// add to the collector that [Scenario.Mistakes] returns.
//
// # Settings
//
// [syntax.Decode] reads a struct from the file: the `yaml` tags of its fields name the keys and
// their bounds. The settings of an executor, a step or a fault are the fields of its type, and
// [syntax.Resolve] makes the type that a [syntax.Block] names. A type with its own form in the
// file, such as [quantity.Duration] or [slo.Objective], implements [syntax.NodeDecoder].
//
// To add a setting, add a field. To add a form of value, add a type with DecodeNode and Schema,
// and a Parse function with its fuzz target.
//
// # Ledger
//
// The metrics lost, duplicated, stale and rpo cover the writes of the whole run, including the warm-up, as a [Ledger]
// finds them after the run. They take no clause. Where a scenario has several ledgers, a metric names one:
// lost(events). A write is
//
//	lost        acknowledged, and found at no unit; or the target gave its id to a later
//	            write as well
//	elsewhere   acknowledged, and found only at another unit of the service than those that are
//	            read; whether it is lost is unknown, and it is stale
//	duplicated  found more than once at a unit, acknowledged or not
//	stale       acknowledged, and found at some units and not at others; or found in another
//	            form: a check of `read` fails, or what it extracts differs between units
//	unknown     not found, while a unit gave no answer
//	present     found although it was not acknowledged: no promise was broken
//
// lost and duplicated are counts; stale is a share of the acknowledged writes. rpo is the span of time in which the
// target acknowledged the writes that a fault lost: at least from the first lost write to the last, at most from the
// kept write before them to the first attempt after them that was not acknowledged, or to the next kept write. While
// there are unknown writes, an objective that they could break does not pass.
//
// # Traces
//
// Every request of brunt's own engine and of vegeta carries a W3C traceparent, unless the author sets that header.
// `trace: {send: off}` sends no traceparent, `sampled: false` does not ask for the trace to be recorded, and `link`
// is the URL of a trace, with ${trace.id} for its id. Ids are unique to the run. Reports show the trace ids of failed
// requests kept as samples, and of the slowest requests of each step.
//
// A request is the root of its trace. `brunt run --out otlp-traces=URL` exports the roots of requests that failed, were
// slow, or are one in `every`. With `listen` brunt receives the spans of the services during the run: the result has
// the self time of each service, before and in each fault, and the metric `traces` the share of traces that are whole.
package scenarios
