// Package http compiles and makes the requests of HTTP/1.1 and HTTP/2.
//
//	step --compile--> Call                                     once
//	Call --render--> request --pool--> connection --> answer   for each request
//	answer --Judge--> outcome, samples, variables
//
//	step.go       the YAML of a step; body.go, multipart.go, graphql.go, sse.go its kinds of bodies
//	schema.go     JSON Schemas of the settings of a step
//	check.go      checks and extractions; extraction.go parses the place of a value
//	session.go    one virtual user: a request from its slot to its outcome
//	request.go    renders a request; proof.go adds the headers of package auth, cookie.go the cookies
//	redirect.go   the request after a redirect; trace.go the ids of traceparent headers
//	sample.go     a request and its answer as reports show them
//	pool.go       origins and their connections; exchange_h2.go sends by HTTP/2
//	detached.go   requests for another client, such as vegeta's; recorded.go requests of a file
//
// Packages h1 and h2 implement the wires. A request is rendered once, in the form of HTTP/1.1; h2 encodes that form
// again.
package http
