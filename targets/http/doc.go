// Package http compiles and makes the requests of HTTP/1.1 and HTTP/2.
//
//	step --compile--> Call                                     once
//	Call --render--> request --pool--> connection --> answer   for each request
//	answer --Judge--> outcome, samples, variables
//
//	step.go       the YAML of a step; body.go, multipart.go, graphql.go, sse.go its kinds of bodies
//	schema.go     JSON Schemas of what a step holds; source.go the comments that describe its keys
//	check.go      checks and extractions; extraction.go reads where a value stands
//	session.go    one virtual user: a request from its slot to its outcome
//	request.go    renders a request; proof.go adds what package auth makes, cookie.go the cookies
//	redirect.go   the request that a redirect leads to; trace.go the ids of traceparent headers
//	sample.go     a request and its answer as reports show them
//	pool.go       origins and their connections; exchange_h2.go sends by HTTP/2
//	detached.go   requests for another client, such as vegeta's; recorded.go requests of a file
//
// The wires are packages h1 and h2. A request is written down once, in the form of
// HTTP/1.1; h2 encodes that form again.
package http
