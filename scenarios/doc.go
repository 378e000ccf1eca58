// Package scenarios is the hub of brunt: what a scenario is, how a scenario file is parsed, and what
// a run can come to. It starts nothing, and it knows no executor, no protocol and no fault.
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
//	scenarios the scenario file, policies, outcomes of requests, verdicts and exit codes
//	result    what result.json holds
//
// [Parse] finds all mistakes of a file in one pass, each a [syntax.Mistake] with its position. Only
// an error of YAML's own grammar is reported alone, because what follows it cannot be trusted.
// Later stages add to the collector that [Scenario.Mistakes] gives.
//
// # Settings
//
// [syntax.Decode] reads a struct from the file: the `yaml` tags of its fields name the keys and their
// bounds. The settings of an executor, a step or a fault are the fields of its type, and
// [syntax.Resolve] makes the type that a [syntax.Block] names. A type that has a form of its own in
// the file, such as [quantity.Duration] or [slo.Objective], implements [syntax.NodeDecoder].
//
// To add a setting, add a field. To add a form of value, add a type with DecodeNode and Schema, and a
// Parse function with its fuzz target.
//
// # Ledger
//
// The metrics lost, duplicated, stale and rpo cover the writes of the whole run, warm-up included, as
// a [Ledger] finds them after the run. They take no clause. A write is
//
//	lost        acknowledged, and found at no unit; or its id, which the target gave, was
//	            given to a later write as well
//	duplicated  found more than once at a unit, acknowledged or not
//	stale       acknowledged, and found at some units and not at others; or found in another
//	            form: a check of `read` fails, or what it extracts differs between units
//	unknown     not found, while a unit gave no answer
//	present     found although it was not acknowledged: no promise was broken
//
// lost and duplicated are counts; stale is a share of the acknowledged writes. rpo is the age of the
// oldest lost write: from its acknowledgement to the injection of the next fault. A write that was
// acknowledged while a fault was in counts to the clearing of that fault, and as 0 for a fault that
// ends as soon as it is done; without any fault after it, it counts to the end of the load. An unknown
// write lets no objective pass that it could break.
//
// # Traces
//
// Every request of brunt's own engine and of vegeta's carries a traceparent of the W3C, unless the
// author wrote such a header. `trace: {send: off}` sends none, `sampled: false` does not ask for the
// traces to be recorded, and `link` says where a trace can be seen, with ${trace.id} for its id. The
// ids are unique to the run. Failed requests that are kept as samples, and the slowest requests of
// each step, are shown with theirs.
package scenarios
