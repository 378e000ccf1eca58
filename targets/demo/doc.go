// Package demo is SocialConnect, the built-in system under test: five small
// services, each of which runs as a separate process on loopback.
//
//	           +--------+
//	           | users  |  names of authors, asked on every read
//	           +--------+
//	               ^
//	 client   +---------+     +----------+     +-------+
//	--------> | gateway | --> | posts[0] | --> | store |  bbolt
//	          +---------+  \  +----------+  /  +-------+
//	                        > | posts[1] | <
//	                          +----------+  \  +---------------+
//	                                         > | notifications |
//	                                           +---------------+
//
// [Config] holds the settings under `target: {stack: demo, with: …}` of a scenario.
// [Config.Services] lists the services to start, and [Serve] runs one of them. A
// service reads all its settings from its environment:
//
//	BRUNT_ADDR      host:port to listen on
//	BRUNT_UNIT      its name in logs, such as posts[1]
//	LINK_<SERVICE>  host:port of each replica of a service that it calls, with
//	                commas, in order of index
//	DEMO_<SWITCH>   on or off, for each switch it has; DEMO_BALANCE names a policy
//	DEMO_TOKEN_KEY  key that signs tokens; optional
//	OTEL_EXPORTER_OTLP_TRACES_ENDPOINT    URL to which it sends spans, by OTLP over
//	                HTTP; none is sent without it
//
// # Defences
//
// The gateway has a balancer with health ejection, retries, circuit breakers, a
// limiter and timeouts. Each can be switched off, because a drill is only useful if
// it can fail. A defence that is off is absent: no breaker is a nil *breaker, no
// timeout is a context without a deadline. To add one, add a field to Config and its
// variable to Config.Services, and let nil mean "off" where it is used.
//
//	breaker ejection retries timeouts limiter graceful     on unless switched off
//	balance        round_robin, least_connections or ip_hash, over the replicas of posts
//	affinity       a cookie binds a client to a replica while that is fit
//	retry_after    a rejection by the limiter says when to retry; on unless switched off
//	negative_cache the gateway remembers for 2 s that a post does not exist
//	single_flight  identical concurrent requests are merged
//	idempotency    the store deduplicates posts by their Idempotency-Key
//	identity       a service issues the tokens; with ask_issuer the gateway asks it about each
//	cache          a service keeps pages of posts; without cache_fallback reads fail with it
//	monitor        a service watches the gateway, and serves an alert in the format of Prometheus
//	pages          grouped: alerts of the monitor that fire together are one page
//	crash_reports  posts keeps a report of its own crash in a folder, until an orderly stop
//	restart        a service that crashed is started again; on unless switched off
//	propagate      the calls of posts carry the trace of their request; on unless switched off
//
// With capacity, the gateway works on a fixed number of requests at once, and others wait. Its
// throughput then depends on waits and not on processors: with capacity: 8 and work: 50ms it
// serves 160 reads a second on each machine, and in the virtual time of the tests.
//
//	shedding       a bounded queue, and status 503 beyond it; on unless switched off
//	degrade        requests of low urgency (header Priority, RFC 9218) give way first
//	bulkhead       posts and users have half of the capacity each
//	hash_pool      logins have a quarter of it; on unless switched off
//	pool           bounds the connections from posts to the store, with pool_wait
//	retry_budget   retries are at most a share of the requests; on unless switched off
//	index          the store finds a page without a look at every post; on unless switched off
//	drain          a replica of posts that stops fails its health checks first
//	posts.queue    with posts.rate: a bounded line of requests, and status 503 beyond it; no bound unless set
//	bounds validation      of what clients send and ask for; on unless switched off
//	limit_by       address: the limiter counts requests without a token too
//	passwords      a login needs one; login_limit bounds the wrong ones of a user
//	token_life     tokens have times; leeway allows for clocks that differ
//	nonce          a write that comes again is refused
//	outbox         the store keeps the notice of each post with the post, and posts sends it
//	               until it has arrived; dedup ignores a second one, and max_tries puts one
//	               aside that is refused again and again
//	mailers        with outbox: a group of consumers sends the notices in place of posts; commit:
//	               after, a notice leaves the outbox once it has been sent, and not before
//	sessions       shared: drafts outlive the replica that took them
//	lock_order     two users are locked in one order; on unless switched off
//	replicate_hot  with shards: each post is on every shard
//	reader         tolerant: pages of a newer version of posts can be read (versions: mixed)
//	threads        shared: calls that wait for the store need no thread of their own
//	batch          throttled: an export lets reads in between its parts
//	expiry_jitter  pages of the cache, written at once, do not end at once
//	eviction       a full cache takes new pages; on unless switched off
//	telemetry      async or sync: a service takes the spans of the gateway
//	wait_for       a replica of posts may start before the services that it calls; on unless
//	               switched off
//	idle_limit     with forgets: no call uses a connection that the network may have forgotten
//	idle           with connections: the gateway closes unused ones; on unless switched off
//	deadlines      the gateway does not wait for clients that send slowly
//	registry       a service says which replicas of posts there are; with keep_last the gateway
//	               goes on without it
//	dns_cache      a call needs no answer to a question for a name, once it has had one; on unless
//	               switched off
//	standby        hot or cold: a second store, which takes the place of the first
//	replication    sync: the store acknowledges a write once the standby has it
//	ready          with warm_up: the health check of a replica of posts is good once it is warm, and
//	               not at once
//	read_your_writes  with replica_reads: who wrote does not read from the standby
//
// # Weaknesses
//
// Some switches introduce defects that a ledger can find. With ack_early, posts
// acknowledges writes half a second before the store has them, so that a crash loses the
// waiting ones. With retry_writes, the gateway retries failed writes, so that without
// idempotency some are stored twice. With log_writes, posts logs every early
// acknowledgement and refusal, and the store logs every commit, as a reference. With
// broken: names, posts come without the names of their authors. With unchecked, the gateway
// leaves out a check of tokens. With leak, it never frees memory or files of requests. With
// pool_leak, slow calls take connections out of the pool for ever.
//
// # Files
//
//	serve.go          runs a service; environment.go reads its settings, config.go defines the
//	                  settings of a scenario
//	gateway.go        the entry for clients; session.go has sessions, tokens and identity
//	balancer.go       chooses a replica; health.go tracks whether it is fit
//	upstream.go       a replica from its caller's view; breaker.go is its circuit breaker, retry.go
//	                  its retries
//	admission.go      which requests the gateway works on; pool.go bounds work, input.go checks
//	                  what clients send, leak.go keeps memory or files of requests for ever
//	limiter.go        the request limit of a token; flights.go merges and remembers requests, with the
//	                  cache
//	posts.go          the posts service, with early.go and notifier.go
//	store.go users.go notifications.go     the other services; post.go is a post, file_linux.go and
//	                  file_other.go make the file of the store
//	registry.go       the replicas that there are; standby.go is a second store, and hub.go has streams of events
//	outbox.go         notices that are kept with their posts; mailer.go sends them as a group
//	friends.go        locks users, drafts.go keeps what they write, export.go reads all posts as a batch does,
//	                  shards.go spreads them, line.go gives a replica of posts its rate
//	version.go        the two versions of posts
//	monitor.go        watches the gateway, if a switch adds it
//	client.go answer.go    requests and responses between services
//	telemetry.go trace.go spans.go    metrics, logs and traces
//
// # Persistence
//
// No data is kept over a restart. The store's database is in a file without a name, so that
// a killed process leaves none, and a restarted store has its initial posts again. It keeps
// the newest 20 000 posts: a ledger over more writes reports the older ones as lost.
package demo
