// Package targets speaks the protocols of what is loaded.
//
// A step of a scenario is compiled once, by the [Protocol] whose kind it names. A
// [Client] is one load's way to the target: it owns connections. A [Session] is
// one virtual user's state over that client: cookies, buffers.
//
//	step --Compile--> Call                      (once, before anything starts)
//	Client --Open--> Session --Do(Call)--> Outcome   (for every request)
//
// To add a protocol: a file with a type that implements [Protocol], and a line in
// [Kinds]. The suite in targets/targetstest holds every protocol to the same
// promises.
//
// # Steps
//
//	target.go       what a protocol, a client and a session are
//	http.go         steps of HTTP, compiled; schema.go and source.go are for the JSON Schema
//	http_check.go   checks and extractions of an answer; find.go reads where a value stands
//	http_body.go    bodies; http_multipart.go those of parts
//	graphql.go      GraphQL over HTTP
//	sse.go          streams of server-sent events
//	auth.go         who sends a request: oauth2.go, jwt.go, basic
//	sign.go         that it is as it was sent: sign_hmac.go, sign_aws.go; key.go reads keys
//	recorded.go     requests that were written down elsewhere: vegeta_targets.go reads
//	                vegeta's files of them
//
// # A request under way
//
//	http_session.go   one virtual user: a request from its slot to its outcome
//	http_request.go   fills a request in
//	http_read.go      reads an answer; http_answer.go is one
//	http_redirect.go  goes where an answer sends
//	http_cookie.go    cookies
//	cause.go          why there was no answer; cause_*.go by what each platform says
//	vegeta.go         the other engine: vegeta's Attacker and Go's client, over the same
//	                  dialer
//
// # Ways to the target
//
//	url.go          the URL of a target
//	http_pool.go    origins and their connections; connections.go what a load says of them
//	conn*.go        a connection of HTTP/1.1, by each platform's means (sys_*.go)
//	h2_mux.go       a connection of HTTP/2: h2_read.go and h2_write.go are its two ends,
//	                h2_request.go is what goes out
//	h2_stream.go    a request on it; h2_exchange.go sends one, h2_line.go waits for a place
//	watched_*.go    whether an idle connection of HTTP/2 is still open
//	dial.go         opens connections; bind_*.go from which address
//	resolve.go      finds addresses of names; name_server.go asks a server of the load's own
//	proxy.go        goes by a proxy
//	tls.go          TLS
//
// Systems that brunt starts itself are in stack, the built-in one is demo.
package targets
