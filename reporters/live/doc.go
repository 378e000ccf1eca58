// Package live serves a run while it goes on: its page, its events and its metrics.
//
//	run --Observe, once a second--> Server <--GET /events--- page
//	run <--sample, on request----- Server <--GET /metrics-- Prometheus
//
// The page at / is the page of the report (package html). Server-sent events keep it up to date (stream.go,
// html/assets/live.js). POST /stop ends the run, and POST /mark takes what a person says about a fault; both require
// the token that the terminal shows.
//
// A client cannot delay the run. Observe stores the last interval and returns. The server samples the run only on
// request, at most once a second, and draws pages so rarely that they cost little. It disconnects a client that does
// not read.
//
// To add a resource, add a handler to New. A handler reads the last sample and never the run itself.
package live
