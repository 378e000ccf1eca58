// Package reporters writes what a run came to, in one file a format:
//
//	result.json   everything, for tools              json.go
//	latency.hlog  every histogram, HdrHistogram V2   hlog.go
//	events.jsonl  what happened, a line each         events.go, chain.go
//	ledger.jsonl  writes that were not simply held, a line each; the run writes it
//	scenario.yaml the scenario as it was run         scenario.go
//	junit.xml     a test case for each objective     junit.go
//	report.html   the page that people read          page.go and html/
//	github        Markdown for a step of GitHub Actions  github.go
//	gitlab        metrics.txt of GitLab's metrics report gitlab.go
//	csv           windows.csv, a row for each second     csv.go
//	terminal      the final table                    terminal.go
//	SHA256SUMS    over all of it, and its signature  seal.go, sign.go
//
// and shows a run that goes on: a [Terminal] is also [Live], and [Metrics] (collector.go) is
// the same for Prometheus and its like. [Outs] (out.go) tell other places of it, each in
// the background, by a queue of its own (out_queue.go):
//
//	prometheus    remote write                       remote_write.go
//	otlp          OpenTelemetry's metrics            otlp.go
//	grafana       an annotation for each fault       grafana.go
//
// Every format is made from a [scenarios.Result] and from nothing else. [Write]
// writes the files of a run; [Redraw] those that can be drawn again; [Read] gives the result back from result.json,
// latency.hlog and events.jsonl, so that any of them can be drawn again later. [Seal]
// closes the folder when nothing is written there any more, and [Verify] tells whether
// it still is as it was then.
//
// Whatever an author, a target or a fault named can stand in a result. Each format
// escapes it in its own way; text for a line of a terminal or a page also has its
// control characters made visible first, see clean in words.go.
//
// To add a format, write a type with a Report method in a file of its own and name
// it in [Kinds], and in files if [Write] should write it.
package reporters
