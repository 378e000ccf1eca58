package demo

import (
	"cmp"
	"embed"
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
)

// Config holds the settings of SocialConnect: the number of replicas, and the switches of its defences and defects.
// The zero value has two replicas of posts, chosen in turn, with each switch at its default. A nil switch has its
// default.
type Config struct {
	Posts Scale `yaml:"posts"` // the service with replicas
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
	// the calls that posts makes belong to the trace of their request; on by default
	Propagate *bool `yaml:"propagate"`
}

// The values of the switch broken.
const (
	wholeAnswers = "nothing"
	noNames      = "names"
)

// Scale is the size of a service.
type Scale struct {
	Replicas int `yaml:"replicas,min=1,max=9"` // processes; 0: 2
	// zones of the replicas, in turn, for faults on a whole zone; zero is none
	Zones []string `yaml:"zones"`
	// requests a second that each replica can serve, one after the other in equal time; further ones wait in line. Zero
	// is as many as the machine allows
	Capacity quantity.Rate `yaml:"capacity"`
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
	if c.Posts.Capacity > 0 {
		posts["DEMO_CAPACITY"] = strconv.FormatFloat(float64(c.Posts.Capacity), 'g', -1, 64)
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
		{Name: storeName, Env: store},
		{Name: notificationsName},
		{Name: usersName},
		{
			Name: postsName, Replicas: replicas, Zones: c.Posts.Zones, Links: []string{storeName, notificationsName},
			Env: posts,
		},
		{Name: gatewayName, Links: []string{postsName, usersName}, Env: gateway, Entry: true},
	}
	services = c.optional(services)
	for i := range services {
		services[i].Ready = "/healthz"
		if services[i].Env == nil {
			services[i].Env = map[string]string{}
		}
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
	services = append(services, gateway)
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

// Source holds this file: the comments of its settings become the descriptions in the JSON Schema.
//
//go:embed config.go
var Source embed.FS
