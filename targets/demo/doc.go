// Package demo is SocialConnect, the built-in system under test: five small
// services, each meant to run as a process of its own on loopback.
//
//	           +--------+
//	           | users  |  names of authors, asked on every read
//	           +--------+
//	               ^
//	 client   +---------+     +----------+     +-------+
//	--------> | gateway | --> | posts[0] | --> | store |  SQLite
//	          +---------+  \  +----------+  /  +-------+
//	                        > | posts[1] | <
//	                          +----------+  \  +---------------+
//	                                         > | notifications |
//	                                           +---------------+
//
// [Config] is what a scenario writes under `target: {stack: demo, with: …}`. It
// describes the services for whoever starts them ([Config.Services]), and [Serve]
// is one of them. A service gets all it knows from its environment:
//
//	BRUNT_ADDR      host:port to listen on
//	BRUNT_UNIT      its name in logs, such as posts[1]
//	LINK_<SERVICE>  host:port of each replica of a service that it calls, with
//	                commas, in order of index
//	DEMO_<SWITCH>   on or off, for each switch it has; DEMO_BALANCE names a way
//	DEMO_TOKEN_KEY  what tokens are signed with; not needed
//
// # Defences
//
// The gateway has a balancer with health ejection, retries, circuit breakers, a
// limiter and timeouts. Each is there to be switched off, because a drill is only
// worth something where it can fail. Switched off means absent: no breaker is a
// nil *breaker, no timeout is a context without a deadline. To add one: a field of
// Config, its variable in Config.Services, and a nil that means "without" where it
// is used.
//
//	breaker ejection retries timeouts limiter graceful     on unless switched off
//	balance        round_robin, least_connections or ip_hash, over the replicas of posts
//	affinity       a cookie keeps a client at its replica while that is fit
//	negative_cache the gateway remembers for 2 s that a post is not there
//	single_flight  the same question at the same time is asked once
//	idempotency    the store holds posts against their Idempotency-Key
//
// # Weaknesses
//
// And some switches break a promise, for a ledger to find: ack_early has posts
// acknowledge writes half a second before the store has them, so that a crash loses
// what waits; retry_writes has the gateway try failed writes again, so that without
// idempotency some are there twice. With log_writes posts logs every early
// acknowledgement and refusal, and the store every commit, which is what really happened.
//
// # Files
//
//	serve.go          runs a service; environment.go is what it was told, config.go what a
//	                  scenario may say
//	gateway.go        where clients come in; session.go is who they are to a balancer,
//	                  token.go what they prove it by
//	balancer.go       which replica; health.go whether it is fit
//	upstream.go       a replica as its caller sees it, with breaker.go around it; retry.go
//	                  tries again
//	limiter.go        how many requests a token has; missing.go and flights.go spare some
//	posts.go          the posts service, with early.go, writelog.go and notifier.go
//	store.go users.go notifications.go     the other services; post.go is a post
//	client.go answer.go    how services ask each other, and answer
//	metrics.go log.go trace.go    what can be seen of them
//	source.go         for the JSON Schema
//
// # What is kept
//
// Nothing. The store's database is in memory, so that a killed process leaves no
// file behind, and a store that comes back has its first posts again. It keeps the
// newest 20 000 posts: a ledger over more writes finds the older ones lost.
package demo
