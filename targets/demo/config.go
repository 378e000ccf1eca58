package demo

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"brunt/scenarios/quantity"
)

// The names of the services.
const (
	storeName         = "store"
	notificationsName = "notifications"
	usersName         = "users"
	postsName         = "posts"
	gatewayName       = "gateway"
	identityName      = "identity"
	cacheName         = "cache"
	monitorName       = "monitor"
	collectorName     = "collector"
	registryName      = "registry"
	standbyName       = "standby"
	mailerName        = "mailer"
)

// Config holds the settings of SocialConnect: the number of replicas, and the switches of its defences and defects.
// The zero value has two replicas of posts, chosen in turn, with each switch at its default. A nil switch has its
// default.
type Config struct {
	Posts Scale `yaml:"posts"` // the service with replicas
	// the service that clients connect to; with several replicas, `connections: {entries: all}` of a load uses each
	Gateway Entries `yaml:"gateway"`
	// with zones of posts and gateway: the zone of the store, and the zone of its standby; zero is none
	StoreZones []string `yaml:"store_zones"`
	// how the gateway picks a replica; zero is round_robin
	Balance string `yaml:"balance,oneof=round_robin|least_connections|ip_hash"`
	// a client stays with its replica, by a cookie; off by default
	Affinity *bool `yaml:"affinity"`

	Breaker  *bool `yaml:"breaker"`  // circuit breakers at the gateway, one for each replica that it calls; on by default
	Limiter  *bool `yaml:"limiter"`  // 100 requests a minute for each token; on by default
	Retries  *bool `yaml:"retries"`  // reads that fail are tried on another replica; on by default
	Ejection *bool `yaml:"ejection"` // replicas that fail or hang are left out of the balancer's rotation; on by default
	Timeouts *bool `yaml:"timeouts"` // of the calls that gateway and posts make; on by default
	Graceful *bool `yaml:"graceful"` // a stop on request lets requests finish first; on by default
	// a response of the limiter that rejects a request has a Retry-After header with the time until the token may be
	// used again; on by default
	RetryAfter *bool `yaml:"retry_after"`

	NegativeCache *bool `yaml:"negative_cache"` // the gateway remembers for 2 s that a post does not exist; off by default
	// the gateway merges identical concurrent reads into one request to posts and users; off by default
	SingleFlight *bool `yaml:"single_flight"`
	// the store keeps the Idempotency-Key of each post, and returns the same post for the same key again; off by
	// default
	Idempotency *bool `yaml:"idempotency"`
	// writes that fail are retried like reads, which stores them twice without idempotency; off by default
	RetryWrites *bool `yaml:"retry_writes"`
	// posts acknowledges a write half a second before the store has it, so that a crash loses it; off by default
	AckEarly  *bool `yaml:"ack_early"`
	LogWrites *bool `yaml:"log_writes"` // posts and store log every write, to compare a ledger with; off by default
	// the folder in which posts keeps a report of its own crash, until an orderly stop; zero keeps none
	CrashReports string `yaml:"crash_reports"`
	Restart      *bool  `yaml:"restart"` // a service that crashed is started again; on by default
	// the part that answers lack: nothing, or the names of authors, which the gateway then does not request; zero is
	// nothing
	Broken string `yaml:"broken,oneof=nothing|names"`

	Identity *bool `yaml:"identity"` // a service that issues tokens, instead of the gateway; off by default
	// the gateway asks identity to check the token of each request, instead of checking its signature itself; off by
	// default
	AskIssuer *bool `yaml:"ask_issuer"`
	// a service that keeps pages of posts for 2 s; the gateway asks it first; off by default
	Cache    *bool `yaml:"cache"`
	Fallback *bool `yaml:"cache_fallback"` // reads continue when the cache fails; on by default
	// a service that watches the gateway and serves an alert ErrorsHigh in the format of Prometheus: prompt fires
	// after a second, late after a minute, and mislabelled lacks the label severity: page; zero is off
	Monitor string `yaml:"monitor,oneof=off|prompt|late|mislabelled"`
	// with monitor: it has ten rules, one for each 5 % of errors, and counts pages for alerts that are labelled severity:
	// page, as alertmanager_notifications_total: grouped, one page for all that fire at a time, or single, one for each;
	// zero is none
	Pages string `yaml:"pages,oneof=none|grouped|single"`
	// the calls that posts makes belong to the trace of their request; on by default
	Propagate *bool `yaml:"propagate"`

	// requests that the gateway works on at once; others wait for their turn; zero is no bound
	Capacity int `yaml:"capacity,min=1,max=1000"`
	// with capacity: once as many requests wait as the gateway works on, it refuses further ones with status 503 and
	// Retry-After; on by default
	Shedding *bool `yaml:"shedding"`
	// with shedding: requests with the header Priority: u=4 to u=7 are refused once a quarter as many wait; off by
	// default
	Degrade *bool `yaml:"degrade"`
	// with capacity: posts and users have half of it each, so that one can't take all; off by default
	Bulkhead *bool `yaml:"bulkhead"`
	// with capacity: logins have a quarter of it, and can't take more; on by default
	HashPool *bool `yaml:"hash_pool"`
	// how long the store works on each read, in addition; zero is no addition
	Work quantity.Duration `yaml:"work"`
	// the store finds a page by an index; without, it looks at every post, one page at a time; on by default
	Index *bool `yaml:"index"`
	// connections that each replica of posts may use to the store at once; zero is no bound
	Pool int `yaml:"pool,min=1,max=1000"`
	// with pool: a request waits 100 ms at most for a connection, and then fails with status 503; on by default
	PoolWait *bool `yaml:"pool_wait"`
	// with pool: a connection that was in use for over a second is lost to the pool; off by default
	PoolLeak *bool `yaml:"pool_leak"`
	// with retries: they are at most a tenth of the requests, and a few more; on by default
	RetryBudget *bool `yaml:"retry_budget"`
	// bodies, texts and pages that clients send or ask for are limited in size; on by default
	Bounds *bool `yaml:"bounds"`
	// ids and texts that clients send are checked; on by default
	Validation *bool `yaml:"validation"`
	// a login needs the user's password, which is the user's id and -secret, and takes 100 ms; off by default
	Passwords *bool `yaml:"passwords"`
	// with passwords: after 10 wrong ones of a user in a minute, all logins of the user are refused with status 429; on
	// by default
	LoginLimit *bool `yaml:"login_limit"`
	// what the limiter counts: requests with a token, by token, or also those without one, by their address; zero is
	// token
	LimitBy string `yaml:"limit_by,oneof=token|address"`
	// how long a token is valid; zero is for ever
	TokenLife quantity.Duration `yaml:"token_life"`
	// with token_life: the clock of the service that issues tokens may be wrong by 5 minutes; on by default
	Leeway *bool `yaml:"leeway"`
	// the check of tokens that the gateway leaves out: nothing, the signature, the expiry, or the role that /admin
	// needs; zero is nothing
	Unchecked string `yaml:"unchecked,oneof=nothing|signature|expiry|role"`
	// a write needs a header Nonce, whose value is refused with status 409 for a minute after; off by default
	Nonce *bool `yaml:"nonce"`
	// what the gateway keeps of requests for ever: nothing, 64 KiB of memory of each, or a file of each fourth; zero is
	// nothing
	Leak string `yaml:"leak,oneof=nothing|memory|handles"`
	// a replica of posts that is stopped fails its health checks first, and refuses connections 600 ms later; off by
	// default
	Drain *bool `yaml:"drain"`
	// how long the cache keeps a page; zero is 2s
	CacheLife quantity.Duration `yaml:"cache_life"`
	// the cache keeps each page between a quarter of that time and all of it, at random; off by default
	ExpiryJitter *bool `yaml:"expiry_jitter"`
	// how many pages the cache keeps; zero is 4096
	CacheSize int `yaml:"cache_size,min=1,max=100000"`
	// a full cache drops its pages for a new one, which is refused otherwise; on by default
	Eviction *bool `yaml:"eviction"`
	// the store keeps the notice of each post with the post, and posts sends it until it has arrived; off by default
	Outbox *bool `yaml:"outbox"`
	// with outbox: a notice that arrives twice counts once; on by default
	Dedup *bool `yaml:"dedup"`
	// with outbox: a notice that is refused three times is put aside, so that others pass; on by default
	MaxTries *bool `yaml:"max_tries"`
	// with outbox: mailers, which send the notices in place of posts, as a group of consumers: each sends those of its
	// share, one after the other, in 35 ms; no mailers by default
	Mailers int `yaml:"mailers,min=1,max=9"`
	// with mailers: when a mailer takes notices off the outbox: after it has sent each, or before it sends them; zero is
	// after
	Commit string `yaml:"commit,oneof=after|before"`
	// where drafts of users are kept: shared, by the store, or local, by one replica of posts; zero is shared
	Sessions string `yaml:"sessions,oneof=shared|local"`
	// a friendship locks its two users in the order of their ids, and otherwise in that of the request; on by default
	LockOrder *bool `yaml:"lock_order"`
	// shards of the store, each of which reads one post at a time, in 8 ms; zero is no such shards
	Shards int `yaml:"shards,min=1,max=100"`
	// with shards: a post is read from the shard with the fewest readers, and not always from its own; off by default
	ReplicateHot *bool `yaml:"replicate_hot"`
	// versions of posts: same, or mixed, where every second replica adds a field to its pages, and pages have a header
	// X-Version with v1 or v2; zero is same
	Versions string `yaml:"versions,oneof=same|mixed"`
	// with versions: mixed: each of so many requests goes to a replica of the newer version, such as each tenth; zero is
	// the same for all replicas
	Canary int `yaml:"canary,min=2,max=1000"`
	// with versions: mixed: pages of the newer version are good, slow, which takes 200 ms more, or broken, without posts;
	// zero is good
	Newer string `yaml:"newer,oneof=good|slow|broken"`
	// how the gateway reads pages with fields that it does not know: tolerant, it ignores the fields, or strict, it
	// fails; zero is tolerant
	Reader string `yaml:"reader,oneof=tolerant|strict"`
	// the threads by which posts waits for the store: shared by all its calls, or own, one for each; zero is shared
	Threads string `yaml:"threads,oneof=shared|own"`
	// the disk of the store reads one page at a time, and an export for 600 ms: in short parts if throttled, in one if
	// free; zero is none, without such a disk
	Batch string `yaml:"batch,oneof=none|throttled|free"`
	// a service that takes the spans of the gateway, which sends them in the background, async, or within each request,
	// sync; zero is none, without such a service. Has no effect if a scenario receives spans itself
	Telemetry string `yaml:"telemetry,oneof=none|async|sync"`
	// a replica of posts that starts while the store or notifications is away works once it is back; otherwise it asks
	// for them once, at its start, and without an answer refuses all requests; on by default
	WaitFor *bool `yaml:"wait_for"`
	// how long a replica of posts is cold after its start: each request takes 400 ms more; zero is never
	WarmUp quantity.Duration `yaml:"warm_up"`
	// with warm_up: when the health check of a replica says that it is ready: warm, or at_once, at its start; zero is
	// warm
	Ready string `yaml:"ready,oneof=warm|at_once"`
	// how long the network between services keeps a connection that is not used, as a firewall does: later bytes on it
	// are lost without a word; zero is for ever
	Forgets quantity.Duration `yaml:"forgets"`
	// with forgets: services use no connection that was unused for half of that time; on by default
	IdleLimit *bool `yaml:"idle_limit"`
	// connections that the gateway has open at once; others wait until it closes one; zero is no bound
	Connections int `yaml:"connections,min=1,max=10000"`
	// with connections: the gateway closes a connection that was unused for a second; on by default
	Idle *bool `yaml:"idle"`
	// the gateway closes a connection whose client takes longer than half a second to send a request; off by default
	Deadlines *bool `yaml:"deadlines"`
	// a service in which the replicas of posts register, and from which the gateway learns which there are; off by
	// default
	Registry *bool `yaml:"registry"`
	// with registry: while it does not answer, or knows of none, the gateway uses the replicas that it knew of before;
	// on by default
	KeepLast *bool `yaml:"keep_last"`
	// in containers and pods: a service asks for the names of those that it calls every second, in the background, and
	// keeps an address as long as it answers; otherwise each call asks and waits for the answer; on by default
	DNSCache *bool `yaml:"dns_cache"`
	// a second store that follows the first one: hot takes its place at once when it is lost, and cold has to start
	// first, for 2 s; zero is none
	Standby string `yaml:"standby,oneof=none|hot|cold"`
	// with standby: whether the store acknowledges a write once the standby has it, sync, or at once, async; zero is
	// async
	Replication string `yaml:"replication,oneof=async|sync"`
	// with standby: posts reads from it; off by default
	ReplicaReads *bool `yaml:"replica_reads"`
	// with replica_reads: for a minute after a write, its user reads from the store; on by default
	ReadYourWrites *bool `yaml:"read_your_writes"`
	// with capacity: work of the gateway for each new stream of events (WebSocket, /events); zero is none
	JoinWork quantity.Duration `yaml:"join_work"`
}

// own lists the settings that a service has beyond those that every scenario gives it: only those that differ from
// the default are there.
func (c Config) own(service string) map[string]string {
	out := map[string]string{}
	toggle := func(key string, s *bool) {
		if s != nil {
			out["DEMO_"+key] = onOff(s)
		}
	}
	text := func(key, value string) {
		if value != "" && value != "0" {
			out["DEMO_"+key] = value
		}
	}
	number := func(key string, n int) { text(key, strconv.Itoa(n)) }
	length := func(key string, d quantity.Duration) {
		if d > 0 {
			text(key, d.D().String())
		}
	}
	switch service {
	case gatewayName:
		number("CAPACITY", c.Capacity)
		toggle("SHEDDING", c.Shedding)
		toggle("DEGRADE", c.Degrade)
		toggle("BULKHEAD", c.Bulkhead)
		toggle("HASH_POOL", c.HashPool)
		toggle("RETRY_BUDGET", c.RetryBudget)
		toggle("PASSWORDS", c.Passwords)
		toggle("LOGIN_LIMIT", c.LoginLimit)
		text("LIMIT_BY", c.LimitBy)
		toggle("LEEWAY", c.Leeway)
		text("UNCHECKED", c.Unchecked)
		toggle("NONCE", c.Nonce)
		text("LEAK", c.Leak)
		text("READER", c.Reader)
		number("CANARY", c.Canary)
		text("TELEMETRY", c.Telemetry)
		number("CONNECTIONS", c.Connections)
		toggle("IDLE", c.Idle)
		toggle("DEADLINES", c.Deadlines)
		length("JOIN_WORK", c.JoinWork)
		toggle("REGISTRY", c.Registry)
		toggle("KEEP_LAST", c.KeepLast)
		if onlyOn(c.ReplicaReads) == "on" {
			text("READ_YOUR_WRITES", onOff(c.ReadYourWrites))
		}
	case postsName:
		text("RATE", strconv.FormatFloat(float64(c.Posts.Rate), 'g', -1, 64))
		number("QUEUE", c.Posts.Queue)
		number("POOL", c.Pool)
		toggle("POOL_WAIT", c.PoolWait)
		toggle("POOL_LEAK", c.PoolLeak)
		toggle("DRAIN", c.Drain)
		toggle("OUTBOX", c.Outbox)
		toggle("MAX_TRIES", c.MaxTries)
		number("MAILERS", c.Mailers)
		text("SESSIONS", c.Sessions)
		text("VERSIONS", c.Versions)
		text("NEWER", c.Newer)
		toggle("WAIT_FOR", c.WaitFor)
		length("WARM_UP", c.WarmUp)
		text("READY", c.Ready)
		toggle("REGISTRY", c.Registry)
		text("STANDBY", c.Standby)
		toggle("REPLICA_READS", c.ReplicaReads)
		text("THREADS", c.Threads)
	case storeName:
		length("WORK", c.Work)
		toggle("INDEX", c.Index)
		toggle("OUTBOX", c.Outbox)
		text("BATCH", c.Batch)
		number("SHARDS", c.Shards)
		toggle("REPLICATE_HOT", c.ReplicateHot)
		text("REPLICATION", c.Replication)
	case cacheName:
		length("CACHE_LIFE", c.CacheLife)
		toggle("EXPIRY_JITTER", c.ExpiryJitter)
		number("CACHE_SIZE", c.CacheSize)
		toggle("EVICTION", c.Eviction)
	case usersName:
		toggle("LOCK_ORDER", c.LockOrder)
	case monitorName:
		text("PAGES", c.Pages)
	case standbyName:
		text("STANDBY", c.Standby)
	case mailerName:
		toggle("MAX_TRIES", c.MaxTries)
		text("COMMIT", c.Commit)
	case notificationsName:
		if onlyOn(c.Outbox) == "on" {
			text("DEDUP", onOff(c.Dedup))
		}
	}
	if service == gatewayName || service == identityName {
		length("TOKEN_LIFE", c.TokenLife)
	}
	if service == gatewayName || service == postsName {
		length("FORGETS", c.Forgets)
		toggle("IDLE_LIMIT", c.IdleLimit)
	}
	toggle("DNS_CACHE", c.DNSCache)
	toggle("BOUNDS", c.Bounds)
	toggle("VALIDATION", c.Validation)
	return out
}

// The values of the switch broken.
const (
	wholeAnswers = "nothing"
	noNames      = "names"
)

// The values of the switch unchecked, beside nothing.
const (
	uncheckedSignature = "signature"
	uncheckedExpiry    = "expiry"
	uncheckedRole      = "role"
)

// The values of the switches versions, newer and reader.
const (
	sameVersions   = "same"
	mixedVersions  = "mixed"
	goodNewer      = "good"
	slowNewer      = "slow"
	brokenNewer    = "broken"
	tolerantReader = "tolerant"
	strictReader   = "strict"
)

// The values of the switch ready.
const (
	readyWarm   = "warm"
	readyAtOnce = "at_once"
)

// The values of the switch threads.
const (
	sharedThreads = "shared"
	ownThreads    = "own"
)

// The values of the switch limit_by.
const (
	limitByToken   = "token"
	limitByAddress = "address"
)

// Scale is the size of a service.
type Scale struct {
	Replicas int `yaml:"replicas,min=1,max=9"` // processes; 0: 2
	// zones of the replicas, in turn, for faults on a whole zone; zero is none
	Zones []string `yaml:"zones"`
	// requests a second that each replica can serve, one after the other in equal time; further ones wait in line. If
	// 0, as many as the machine allows
	Rate quantity.Rate `yaml:"rate"`
	// with rate: how many requests may wait in the line of a replica; further ones are refused with status 503. If 0,
	// there is no bound
	Queue int `yaml:"queue,min=1,max=100000"`
}

// Entries is the size of the service that clients connect to.
type Entries struct {
	Replicas int      `yaml:"replicas,min=1,max=9"` // processes; 0: 1
	Zones    []string `yaml:"zones"`                // zones of the replicas, in turn; zero is none
}

// A Service is one part of the system, in the form that the stack needs to start it.
type Service struct {
	Name     string
	Replicas int               // how many processes
	Zones    []string          // zones of the replicas, in turn
	Links    []string          // services that it calls
	Env      map[string]string // its switches
	Ready    string            // a path that returns 200 once the service is ready
	Entry    bool              // clients connect to it
}

// Services lists the services in the order in which to start them: each after those that it calls.
func (c Config) Services() []Service {
	posts := map[string]string{
		"DEMO_TIMEOUTS":      onOff(c.Timeouts),
		"DEMO_PROPAGATE":     onOff(c.Propagate),
		"DEMO_ACK_EARLY":     onlyOn(c.AckEarly),
		"DEMO_LOG_WRITES":    onlyOn(c.LogWrites),
		"DEMO_CRASH_REPORTS": c.CrashReports,
	}
	store := map[string]string{
		"DEMO_IDEMPOTENCY": onlyOn(c.Idempotency),
		"DEMO_LOG_WRITES":  onlyOn(c.LogWrites),
	}
	gateway := map[string]string{
		"DEMO_BALANCE":        cmp.Or(c.Balance, roundRobin),
		"DEMO_AFFINITY":       onlyOn(c.Affinity),
		"DEMO_BREAKER":        onOff(c.Breaker),
		"DEMO_LIMITER":        onOff(c.Limiter),
		"DEMO_RETRY_AFTER":    onOff(c.RetryAfter),
		"DEMO_RETRIES":        onOff(c.Retries),
		"DEMO_EJECTION":       onOff(c.Ejection),
		"DEMO_TIMEOUTS":       onOff(c.Timeouts),
		"DEMO_NEGATIVE_CACHE": onlyOn(c.NegativeCache),
		"DEMO_SINGLE_FLIGHT":  onlyOn(c.SingleFlight),
		"DEMO_RETRY_WRITES":   onlyOn(c.RetryWrites),
		"DEMO_BROKEN":         cmp.Or(c.Broken, wholeAnswers),
	}
	replicas := c.Posts.Replicas
	if replicas == 0 {
		replicas = 2
	}
	services := []Service{
		{Name: storeName, Env: store, Zones: c.StoreZones[:min(1, len(c.StoreZones))]},
		{Name: notificationsName},
		{Name: usersName},
		{
			Name: postsName, Replicas: replicas, Zones: c.Posts.Zones, Links: []string{storeName, notificationsName},
			Env: posts,
		},
		{
			Name: gatewayName, Replicas: c.Gateway.Replicas, Zones: c.Gateway.Zones,
			Links: []string{postsName, usersName}, Env: gateway, Entry: true,
		},
	}
	services = c.optional(services)
	for i := range services {
		services[i].Ready = "/healthz"
		if services[i].Env == nil {
			services[i].Env = map[string]string{}
		}
		maps.Copy(services[i].Env, c.own(services[i].Name))
		services[i].Env["DEMO_GRACEFUL"] = onOff(c.Graceful)
		services[i].Replicas = max(services[i].Replicas, 1)
	}
	return services
}

// optional adds the services that are off by default. The gateway calls some of them, so that they are started before
// it.
func (c Config) optional(services []Service) []Service {
	last := len(services) - 1
	gateway := services[last]
	services = services[:last]
	add := func(name string) {
		gateway.Links = append(gateway.Links, name)
		services = append(services, Service{Name: name})
	}
	if onlyOn(c.Identity) == "on" {
		gateway.Env["DEMO_IDENTITY"], gateway.Env["DEMO_ASK_ISSUER"] = "on", onlyOn(c.AskIssuer)
		add(identityName)
	}
	if onlyOn(c.Cache) == "on" {
		gateway.Env["DEMO_CACHE"], gateway.Env["DEMO_CACHE_FALLBACK"] = "on", onOff(c.Fallback)
		add(cacheName)
	}
	// beforePosts adds a service that posts may call.
	beforePosts := func(s Service, called bool) {
		at := slices.IndexFunc(services, func(s Service) bool { return s.Name == postsName })
		if called {
			services[at].Links = append(services[at].Links, s.Name)
		}
		services = slices.Insert(services, at, s)
	}
	if cmp.Or(c.Telemetry, noTelemetry) != noTelemetry {
		gateway.Links = append(gateway.Links, collectorName)
		beforePosts(Service{Name: collectorName}, false)
	}
	if onlyOn(c.Registry) == "on" {
		gateway.Links = append(gateway.Links, registryName)
		beforePosts(Service{Name: registryName}, true)
	}
	if cmp.Or(c.Standby, noStandby) != noStandby {
		beforePosts(Service{
			Name: standbyName, Links: []string{storeName}, Zones: c.StoreZones[min(1, len(c.StoreZones)):],
			Env: map[string]string{"DEMO_IDEMPOTENCY": onlyOn(c.Idempotency)},
		}, true)
	}
	services = append(services, gateway)
	if c.Mailers > 0 && onlyOn(c.Outbox) == "on" {
		services = append(services, Service{
			Name: mailerName, Replicas: c.Mailers, Links: []string{storeName, notificationsName},
		})
	}
	if rule := cmp.Or(c.Monitor, noMonitor); rule != noMonitor {
		services = append(services, Service{
			Name: monitorName, Links: []string{gatewayName}, Env: map[string]string{"DEMO_MONITOR": rule},
		})
	}
	return services
}

// Supervised reports whether a service that crashed is started again.
func (c Config) Supervised() bool { return onOff(c.Restart) == "on" }

// onOff returns the value of a switch that is on by default, onlyOn of one that is off by default.
func onOff(s *bool) string {
	if s == nil || *s {
		return "on"
	}
	return "off"
}

func onlyOn(s *bool) string {
	if s == nil {
		return "off"
	}
	return onOff(s)
}
