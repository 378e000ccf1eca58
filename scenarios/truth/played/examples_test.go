package played

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/drills/play"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/forecast"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

// A twin is an example whose system is played, as its README describes it. Its objectives, and how they are judged,
// are those of the example's scenario; the twin has one of its loads, and its faults when they come.
type twin struct {
	example string
	drill   string   // of the library, which is laid over it
	set     string   // the parameter that makes it fail
	fails   []string // objectives that fail; all others hold
	rest    bool     // the outcome of the others is not checked
	rate    int
	seconds int
	timeout time.Duration
	load    []string // its name and its steps
	faults  []twinFault
	median  time.Duration // of response times, which have a heavy tail; zero is 2 ms
	lost    int64         // writes that the ledger finds lost, or messages of the delivery
	sends   string        // the name of the delivery, if it has one
	again   int64         // messages that are delivered twice
	fills   float64       // of what the answers want, the share that a cache gets back each second; zero: nothing
	group   bool
}

// A twinFault is what a fault does: to a share of the requests that are due in a part of it, from its injection on.
type twinFault struct {
	name    string
	at      time.Duration
	stays   time.Duration // zero: it happens once, and is over with its outage
	from    time.Duration // until its effect begins
	least   time.Duration // how long its effect lasts at least, and at most
	most    time.Duration
	share   float64       // of the requests; zero is all
	act     truth.Act     // of these requests
	slower  time.Duration // of these requests, besides act
	varies  time.Duration // by up to so much
	waiting bool          // they wait until the effect is over
}

// crash is a fault that makes requests fail for a time, for which its unit is away.
func crash(name string, at, least, most time.Duration) twinFault {
	return twinFault{name: name, at: at, least: least, most: most, act: f503}
}

// unseen is a fault whose unit is away for a time, which no request notices.
func unseen(name string, at, least, most time.Duration) twinFault {
	return twinFault{name: name, at: at, least: least, most: most}
}

// slowing makes all answers slower while a fault is in.
func slowing(name string, at, stays, slower, varies time.Duration) twinFault {
	return twinFault{name: name, at: at, stays: stays, least: stays, most: stays, slower: slower, varies: varies}
}

// slowAtFirst makes all answers slower from the injection on, until a breaker opens.
func slowAtFirst(name string, at, stays, lasts, slower time.Duration) twinFault {
	return twinFault{name: name, at: at, stays: stays, least: lasts, most: lasts * 5 / 4, slower: slower}
}

// failing makes a share of the requests fail while a fault is in.
func failing(name string, at, stays time.Duration, share float64) twinFault {
	return twinFault{name: name, at: at, stays: stays, least: stays, most: stays, act: f503, share: share}
}

// cut makes requests fail from the injection of a fault that stays until others take over.
func cut(name string, at, stays, least, most time.Duration) twinFault {
	return twinFault{name: name, at: at, stays: stays, least: least, most: most, act: f503}
}

// frozen makes requests wait for the end of a fault.
func frozen(name string, at, stays time.Duration) twinFault {
	return twinFault{name: name, at: at, stays: stays, least: stays, most: stays, waiting: true}
}

// browsing is a load of readers.
var browsing = []string{"browse", "list posts", "read post"}

var twins = []twin{
	{
		example: "01-quickstart", rate: 150, seconds: 36, timeout: 2 * sec, load: browsing, median: 3 * ms,
		faults: []twinFault{
			unseen("lose-a-replica", 6*sec, 900*ms, 1100*ms), slowing("slow-store", 14*sec, 4*sec, 60*ms, 20*ms),
			slowAtFirst("split", 22*sec, 6*sec, 220*ms, 250*ms),
		},
	},
	{
		example: "01-quickstart", set: "replicas=1", rate: 150, seconds: 36, timeout: 2 * sec, load: browsing, median: 3 * ms,
		fails: []string{"errors < 1%", "errors < 1% in lose-a-replica", "availability > 99%"},
		faults: []twinFault{
			crash("lose-a-replica", 6*sec, sec, 1300*ms), slowing("slow-store", 14*sec, 4*sec, 60*ms, 20*ms),
			slowAtFirst("split", 22*sec, 6*sec, 220*ms, 250*ms),
		},
	},
	{
		example: "03-your-own-processes", rate: 100, seconds: 49, timeout: 2 * sec, load: []string{"customers", "price"},
		faults: []twinFault{
			unseen("lose-stock", 8*sec, 550*ms, 800*ms), slowing("slow-stock", 21*sec, 4*sec, 100*ms, 2*ms),
			slowing("freeze-stock", 33*sec, 3*sec, 100*ms, 2*ms),
		},
	},
	{
		example: "03-your-own-processes", set: "cache=off", rate: 100, seconds: 49, timeout: 2 * sec,
		load: []string{"customers", "price"}, fails: []string{"errors < 1%"}, rest: true,
		faults: []twinFault{
			crash("lose-stock", 8*sec, 550*ms, 800*ms), failing("slow-stock", 21*sec, 4*sec, 1),
			failing("freeze-stock", 33*sec, 3*sec, 1),
		},
	},
	{
		example: "04-oauth2", rate: 200, seconds: 28, timeout: 2 * sec, load: []string{"customers", "orders"},
		faults: []twinFault{{name: "lose-tokens", at: 13 * sec, stays: 4 * sec}},
	},
	{
		example: "04-oauth2", set: "life=3s", rate: 200, seconds: 28, timeout: 2 * sec, load: []string{"customers", "orders"},
		fails: []string{"errors < 1%", "errors < 1% in lose-tokens"}, faults: []twinFault{{
			name: "lose-tokens", at: 13 * sec, stays: 4 * sec, from: 1500 * ms, least: 1900 * ms, most: 2500 * ms,
			act: truth.Act{Status: 401},
		}},
	},
	{
		example: "05-graphql", rate: 100, seconds: 40, timeout: 2 * sec, load: []string{"readers", "Feed"},
		faults: []twinFault{
			unseen("lose-store", 8*sec, 550*ms, 800*ms), slowing("slow-store", 24*sec, 4*sec, 50*ms, 3*ms),
		},
	},
	{
		example: "05-graphql", set: "cache=off", rate: 100, seconds: 40, timeout: 2 * sec, load: []string{"readers", "Feed"},
		fails: []string{"errors < 1% of Feed"}, faults: []twinFault{
			crash("lose-store", 8*sec, 600*ms, 900*ms), slowing("slow-store", 24*sec, 4*sec, 50*ms, 3*ms),
		},
	},
	{
		example: "07-no-write-lost", rate: 50, seconds: 23, timeout: 4 * sec, load: []string{"write", "write post"},
		faults: []twinFault{
			unseen("lose-a-replica", 5*sec, 900*ms, 1100*ms), slowing("slow-store", 13*sec, 3*sec, 750*ms, 300*ms),
		},
	},
	{
		example: "07-no-write-lost", set: "early=on", rate: 50, seconds: 23, timeout: 4 * sec,
		load: []string{"write", "write post"}, fails: []string{"lost = 0"}, lost: 12,
		faults: []twinFault{
			unseen("lose-a-replica", 5*sec, 900*ms, 1100*ms), slowing("slow-store", 13*sec, 3*sec, 750*ms, 300*ms),
		},
	},
	{
		example: "08-zones-and-leaders", rate: 100, seconds: 40, timeout: 2 * sec, load: []string{"writers", "write"},
		faults: []twinFault{
			crash("behead#1", 6*sec, 800*ms, 1300*ms), crash("behead#2", 14*sec, 800*ms, 1300*ms),
			crash("behead#3", 22*sec, 800*ms, 1300*ms), crash("lose-zone", 30*sec, 800*ms, 1300*ms),
		},
	},
	{
		example: "10-nginx-redis", rate: 100, seconds: 42, timeout: 2 * sec, load: []string{"read", "page"},
		faults: []twinFault{
			unseen("lose-redis", 6*sec, 500*ms, 1500*ms), slowing("hang-redis", 15*sec, 4*sec, 100*ms, 2*ms),
			{name: "lose-an-app", at: 24 * sec, stays: 4 * sec},
			slowing("cut-redis", 33*sec, 4*sec, 20*ms, 10*ms),
		},
	},
	{
		example: "10-nginx-redis", set: "cache=off", rate: 100, seconds: 42, timeout: 2 * sec, load: []string{"read", "page"},
		fails: []string{"errors < 1% in hang-redis", "errors < 1% in cut-redis"}, rest: true,
		faults: []twinFault{
			crash("lose-redis", 6*sec, 500*ms, 1500*ms), failing("hang-redis", 15*sec, 4*sec, 1),
			{name: "lose-an-app", at: 24 * sec, stays: 4 * sec},
			failing("cut-redis", 33*sec, 4*sec, 1),
		},
	},
	{
		example: "12-vegeta", rate: 70, seconds: 18, timeout: 5 * sec, load: []string{"attack", "GET /posts/:id"},
		median: 3 * ms, faults: []twinFault{slowing("slow-store", 5*sec, 3*sec, 120*ms, 10*ms)},
	},
	{
		example: "17-primary-is-lost", rate: 100, seconds: 34, timeout: 2 * sec, load: []string{"writers", "write"},
		group: true,
		faults: []twinFault{{
			name: "primary-is-lost", at: 8 * sec, stays: 12 * sec, from: 2 * sec, least: 3 * sec, most: 3300 * ms, act: f503,
		}},
	},
	{
		example: "17-primary-is-lost", set: "promotion=9s", rate: 100, seconds: 34, timeout: 2 * sec,
		load: []string{"writers", "write"}, group: true, fails: []string{"recover < 5s after primary-is-lost"}, rest: true,
		faults: []twinFault{{
			name: "primary-is-lost", at: 8 * sec, stays: 12 * sec, from: 2 * sec, least: 7 * sec, most: 7300 * ms, act: f503,
		}},
	},
	{
		example: "24-grpc", rate: 200, seconds: 26, timeout: 2 * sec, load: []string{"customers", "place", "read"},
		faults: []twinFault{frozen("freeze", 6*sec, sec), crash("lose", 16*sec, 550*ms, 900*ms)},
	},
	{
		example: "24-grpc", set: "delay=80ms", rate: 200, seconds: 26, timeout: 2 * sec, median: 80 * ms,
		load: []string{"customers", "place", "read"}, fails: []string{"p95 < 50ms in baseline"},
		faults: []twinFault{frozen("freeze", 6*sec, sec), crash("lose", 16*sec, 550*ms, 900*ms)},
	},
	{
		example: "25-redis", rate: 100, seconds: 22, timeout: 2 * sec, load: []string{"shop", "place", "count", "read"},
		faults: []twinFault{frozen("freeze", 5*sec, sec), crash("lose", 12*sec, 550*ms, 900*ms)},
	},
	{
		example: "25-redis", set: "append=no", rate: 100, seconds: 22, timeout: 2 * sec, lost: 1200,
		load: []string{"shop", "place", "count", "read"}, fails: []string{"recover < 3s after lose", "lost = 0"},
		faults: []twinFault{frozen("freeze", 5*sec, sec), crash("lose", 12*sec, 20*sec, 20*sec)},
	},
	{
		example: "26-postgres-failover", rate: 200, seconds: 24, timeout: 2 * sec, load: []string{"shop", "place", "count"},
		group: true, faults: []twinFault{{
			name: "lose", at: 8 * sec, stays: 10 * sec, least: 1200 * ms, most: 2 * sec, act: f503,
		}},
	},
	{
		example: "26-postgres-failover", set: "promotion=7s", rate: 200, seconds: 24, timeout: 2 * sec,
		load: []string{"shop", "place", "count"}, fails: []string{"recover < 5s after lose"},
		group: true, faults: []twinFault{{
			name: "lose", at: 8 * sec, stays: 10 * sec, least: 7200 * ms, most: 8 * sec, act: f503,
		}},
	},
	{
		example: "28-mysql", rate: 100, seconds: 26, timeout: 2 * sec, load: []string{"shop", "place", "count"},
		faults: []twinFault{frozen("freeze", 5*sec, sec), crash("lose", 12*sec, sec, 4*sec)},
	},
	{
		example: "28-mysql", set: "flush=0", rate: 100, seconds: 26, timeout: 2 * sec,
		load:  []string{"shop", "place", "count"},
		fails: []string{"lost = 0"}, lost: 40,
		faults: []twinFault{frozen("freeze", 5*sec, sec), crash("lose", 12*sec, sec, 4*sec)},
	},
	{
		example: "18-compose", rate: 80, seconds: 42, timeout: 2 * sec, load: []string{"read", "items"},
		faults: []twinFault{
			unseen("lose-store", 8*sec, 500*ms, 1500*ms), slowAtFirst("hang-store", 17*sec, 4*sec, 2*sec, 250*ms),
			slowing("slow-store", 27*sec, 4*sec, 100*ms, 2*ms),
		},
	},
	{
		example: "18-compose", set: "cache=off", rate: 80, seconds: 42, timeout: 2 * sec, load: []string{"read", "items"},
		fails: []string{"errors < 1% in lose-store", "errors < 1% in hang-store"}, rest: true,
		faults: []twinFault{
			crash("lose-store", 8*sec, 500*ms, 1500*ms), failing("hang-store", 17*sec, 4*sec, 1),
			slowing("slow-store", 27*sec, 4*sec, 100*ms, 2*ms),
		},
	},
	{
		example: "33-tolerance", rate: 100, seconds: 10, timeout: 2 * sec, load: []string{"browse", "list posts"},
		faults: []twinFault{slowing("slow-store", 3*sec, 4*sec, 60*ms, 2*ms)},
	},
	{
		example: "33-tolerance", set: "delay=600ms", rate: 100, seconds: 10, timeout: 2 * sec,
		load: []string{"browse", "list posts"}, fails: []string{"p95 < 250ms in slow-store"},
		faults: []twinFault{slowing("slow-store", 3*sec, 4*sec, 600*ms, 2*ms)},
	},
	{
		example: "39-real-redis-sentinel", drill: "leader-lost", rate: 100, seconds: 34, timeout: sec,
		load: []string{"shop", "place", "count"}, faults: []twinFault{crash("lose-leader", 6*sec, 1800*ms, 3*sec)},
	},
	{
		example: "39-real-redis-sentinel", drill: "leader-lost", set: "down=20000", rate: 100, seconds: 34, timeout: sec,
		load: []string{"shop", "place", "count"}, fails: []string{"recover < 10s after lose-leader"},
		faults: []twinFault{crash("lose-leader", 6*sec, 20500*ms, 22*sec)},
	},
	{
		example: "40-deliveries", rate: 50, seconds: 24, timeout: 10 * sec, load: []string{"shop", "create order"},
		sends: "order", again: 1,
		group: true, faults: []twinFault{unseen("lose-sender", 6*sec, 4600*ms, 4700*ms)},
	},
	{
		example: "40-deliveries", set: "sender=forget", rate: 50, seconds: 24, timeout: 10 * sec,
		load: []string{"shop", "create order"}, sends: "order", lost: 50, fails: []string{"lost = 0 of order"},
		group: true, faults: []twinFault{unseen("lose-sender", 6*sec, 4600*ms, 4700*ms)},
	},
	{
		example: "40-deliveries", set: "sender=again", rate: 50, seconds: 24, timeout: 10 * sec,
		load: []string{"shop", "create order"}, sends: "order", again: 80, fails: []string{"duplicated <= 2 of order"},
		group: true, faults: []twinFault{unseen("lose-sender", 6*sec, 4600*ms, 4700*ms)},
	},
	{
		example: "41-dns", rate: 500, seconds: 24, timeout: 500 * ms, load: []string{"resolvers", "resolve"},
		faults: []twinFault{slowing("slow", 6*sec, 5*sec, 20*ms, ms), failing("lossy", 15*sec, 5*sec, .01)},
	},
	{
		example: "41-dns", set: "percent=10%", rate: 500, seconds: 24, timeout: 500 * ms,
		load: []string{"resolvers", "resolve"}, fails: []string{"errors < 5% in lossy"},
		faults: []twinFault{slowing("slow", 6*sec, 5*sec, 20*ms, ms), failing("lossy", 15*sec, 5*sec, .1)},
	},
	{
		example: "42-nats", rate: 200, seconds: 22, timeout: 5 * sec, load: []string{"customers", "order"},
		faults: []twinFault{
			frozen("late", 5*sec, 3*sec), {name: "lose", at: 14 * sec, least: 700 * ms, most: sec, waiting: true},
		},
	},
	{
		example: "42-nats", set: "storage=memory", rate: 200, seconds: 22, timeout: 5 * sec,
		load: []string{"customers", "order"}, fails: []string{"recover < 5s after lose", "lost = 0"}, lost: 2800,
		faults: []twinFault{frozen("late", 5*sec, 3*sec), crash("lose", 14*sec, 20*sec, 20*sec)},
	},
	{
		example: "45-http3", rate: 200, seconds: 24, timeout: 2 * sec, load: []string{"readers", "read"},
		faults: []twinFault{
			slowing("slow", 6*sec, 4*sec, 20*ms, ms),
			{name: "lossy", at: 14 * sec, stays: 5 * sec, least: 5 * sec, most: 5 * sec, share: .1, slower: 60 * ms},
		},
	},
	{
		example: "45-http3", set: "percent=90%", rate: 200, seconds: 24, timeout: 2 * sec, load: []string{"readers", "read"},
		fails: []string{"errors < 0.5%"}, rest: true,
		faults: []twinFault{slowing("slow", 6*sec, 4*sec, 20*ms, ms), failing("lossy", 14*sec, 5*sec, .95)},
	},
	{
		example: "46-plugin", rate: 150, seconds: 21, timeout: 2 * sec, load: []string{"shop", "add", "get"},
		faults: []twinFault{frozen("freeze", 5*sec, sec), crash("lose", 12*sec, 350*ms, 700*ms)},
	},
	{
		example: "46-plugin", set: "keep=memory", rate: 150, seconds: 21, timeout: 2 * sec,
		load: []string{"shop", "add", "get"}, fails: []string{"lost = 0"}, lost: 1650,
		faults: []twinFault{frozen("freeze", 5*sec, sec), crash("lose", 12*sec, 350*ms, 700*ms)},
	},
	{
		example: "50-etcd", drill: "leader-lost", rate: 50, seconds: 34, timeout: sec, load: []string{"orders", "place"},
		faults: []twinFault{crash("lose-leader", 6*sec, 1200*ms, 2500*ms)},
	},
	{
		example: "50-etcd", drill: "leader-lost", set: "election=15000", rate: 50, seconds: 34, timeout: sec,
		load: []string{"orders", "place"}, fails: []string{"recover < 10s after lose-leader"},
		faults: []twinFault{crash("lose-leader", 6*sec, 15*sec, 20*sec)},
	},
	{
		example: "51-etcd-in-containers", drill: "leader-cut", rate: 50, seconds: 34, timeout: sec,
		load: []string{"orders", "place"}, faults: []twinFault{cut("cut-leader", 6*sec, 12*sec, 1500*ms, 3*sec)},
	},
	{
		example: "51-etcd-in-containers", drill: "leader-cut", set: "election=15000", rate: 50, seconds: 34, timeout: sec,
		load: []string{"orders", "place"}, fails: []string{"recover < 10s after cut-leader"},
		faults: []twinFault{cut("cut-leader", 6*sec, 12*sec, 12*sec, 14*sec)},
	},
	{
		example: "51-etcd-in-containers", drill: "network-island", rate: 50, seconds: 32, timeout: sec,
		load: []string{"orders", "place"}, faults: []twinFault{cut("island", 6*sec, 10*sec, 1500*ms, 3*sec)},
	},
	{
		example: "52-haproxy-nginx", drill: "balancer-lost", rate: 100, seconds: 20, timeout: 2 * sec,
		load: []string{"customers", "items"}, faults: []twinFault{{name: "lose-entry", at: 6 * sec, stays: 6 * sec}},
	},
	{
		example: "52-haproxy-nginx", drill: "balancer-lost", set: "entries=first", rate: 100, seconds: 20, timeout: 2 * sec,
		load: []string{"customers", "items"}, fails: []string{"errors < 1% in lose-entry"}, rest: true,
		faults: []twinFault{failing("lose-entry", 6*sec, 6*sec, 1)},
	},
	{
		example: "52-haproxy-nginx", drill: "replica-hang", rate: 100, seconds: 18, timeout: 2 * sec,
		load: []string{"customers", "items"}, faults: []twinFault{{
			name: "hang", at: 6 * sec, stays: 6 * sec, least: sec, most: 2 * sec, share: .5, slower: 400 * ms,
		}},
	},
	{
		example: "52-haproxy-nginx", drill: "replica-hang", set: "config=blind.cfg", rate: 100, seconds: 18, timeout: 2 * sec,
		load: []string{"customers", "items"}, fails: []string{"errors < 1% in hang"}, rest: true,
		faults: []twinFault{failing("hang", 6*sec, 6*sec, .5)},
	},
	{
		example: "54-pgbouncer", rate: 100, seconds: 38, timeout: 8 * sec, load: []string{"customers", "place"},
		faults: []twinFault{failing("slow-primary", 7*sec, 6*sec, .95), crash("lose-pooler", 23*sec, 500*ms, 900*ms)},
	},
	{
		example: "54-pgbouncer", set: "away=8s", rate: 100, seconds: 38, timeout: 8 * sec,
		load: []string{"customers", "place"}, fails: []string{"recover < 4s after lose-pooler"},
		faults: []twinFault{failing("slow-primary", 7*sec, 6*sec, .95), crash("lose-pooler", 23*sec, 8*sec, 8500*ms)},
	},
	{
		example: "55-redis-in-containers", drill: "leader-cut", rate: 100, seconds: 34, timeout: sec,
		load: []string{"shop", "place"}, faults: []twinFault{cut("cut-leader", 6*sec, 12*sec, 2*sec, 4*sec)},
	},
	{
		example: "55-redis-in-containers", drill: "leader-cut", set: "down=20000", rate: 100, seconds: 34, timeout: sec,
		load: []string{"shop", "place"}, fails: []string{"recover < 10s after cut-leader"},
		faults: []twinFault{cut("cut-leader", 6*sec, 12*sec, 12*sec, 13*sec)},
	},
	{
		example: "58-galera", drill: "leader-lost", rate: 100, seconds: 34, timeout: sec, load: []string{"orders", "place"},
		faults: []twinFault{crash("lose-leader", 6*sec, 5500*ms, 7*sec)},
	},
	{
		example: "58-galera", drill: "leader-lost", set: "suspect=PT20S", rate: 100, seconds: 34, timeout: sec,
		load: []string{"orders", "place"}, fails: []string{"recover < 10s after lose-leader"},
		faults: []twinFault{crash("lose-leader", 6*sec, 20500*ms, 22*sec)},
	},
	{
		example: "59-memcached", rate: 200, seconds: 22, timeout: 2 * sec, load: []string{"shop", "read"}, fills: 1,
		faults: []twinFault{crash("lose", 8*sec, 520*ms, 900*ms)},
	},
	{
		example: "59-memcached", set: "refresh=2/s", rate: 200, seconds: 22, timeout: 2 * sec, load: []string{"shop", "read"},
		fills: .02, fails: []string{"whole > 80% of read"}, faults: []twinFault{crash("lose", 8*sec, 520*ms, 900*ms)},
	},
	{
		example: "61-smtp", rate: 125, seconds: 25, timeout: 5 * sec, load: []string{"shop", "send"}, sends: "mail",
		faults: []twinFault{slowing("slow", 5*sec, 3*sec, 100*ms, 2*ms), crash("crash", 13*sec, 550*ms, 900*ms)},
	},
	{
		example: "61-smtp", set: "keep=memory", rate: 125, seconds: 25, timeout: 5 * sec, load: []string{"shop", "send"},
		sends: "mail", lost: 3, fails: []string{"lost = 0 of mail"},
		faults: []twinFault{slowing("slow", 5*sec, 3*sec, 100*ms, 2*ms), crash("crash", 13*sec, 550*ms, 900*ms)},
	},
}

// untwinned are the examples without a twin, and why. TestExample, or a test of their own, runs them.
var untwinned = map[string]string{
	"00-tutorial":                   "it is a text of steps, each with a run of its own",
	"02-your-own-url":               "its target is the reader's own",
	"06-managed-database-failover":  "it asks the team's monitoring when it noticed",
	"09-docker-failover":            "the kernel ends processes that lack memory, which no script of answers has",
	"11-k6-under-fire":              "its load is a script of k6, which judges by thresholds of its own",
	"13-replay-a-log":               "its load is a log, whose rate is not constant",
	"14-performance-gate":           "it has no fault; twins of gates are in scenarios/truth/gates",
	"15-watch-in-grafana":           "it is about what a run pushes",
	"16-alert-drill":                "it asks a Prometheus server whether an alert fired",
	"22-scale-out":                  "it is about how many pods a cluster has",
	"23-pods-and-nodes":             "it is about pods that a cluster loses",
	"27-websocket":                  "its requests are sessions of messages",
	"29-tcp":                        "its requests are sessions of messages",
	"30-workers":                    "its load comes from several workers",
	"31-traces":                     "it is about the spans of services",
	"32-capacity-under-a-fault":     "it is a search over many rates",
	"34-recovery-with-confidence":   "it is about a share of occurrences, which TestPromise draws",
	"35-stuck":                      "its load holds the target down, which a script of answers does not see",
	"36-objectives-from-a-baseline": "it has no fault; its objectives come from other runs",
	"37-programme":                  "it is about the record of many runs; its faults are those of 01-quickstart",
	"38-game-day":                   "it is about what people do",
	"43-rabbitmq":                   "the twin of 40-deliveries stands for it: a delivery by another broker",
	"44-kafka":                      "the twin of 40-deliveries stands for it: a delivery by another broker",
	"47-mqtt":                       "its load is closed, and its messages come from a collector that asks",
	"48-hysteresis":                 "its load holds the target down, which a script of answers does not see",
	"49-calls-per-request":          "it counts the calls between services",
	"53-rabbitmq":                   "the twin of 40-deliveries stands for it: a delivery by another broker",
	"56-alertmanager":               "it counts what an Alertmanager sends",
	"57-streams":                    "its requests are sessions of messages",
	"60-mongodb":                    "its fault is answered by retries, and the twin of 42-nats has these",
	"62-frames-and-datagrams":       "three loads are judged together, and one has sessions of messages",
}

// TestExamples_Twins: each example has twins, or a reason why it has none.
func TestExamples_Twins(t *testing.T) {
	files, err := filepath.Glob("../../../examples/*/scenario.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	twinned := map[string]bool{}
	for _, w := range twins {
		twinned[w.example] = true
	}
	left := maps.Clone(untwinned)
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		if twinned[name] == (untwinned[name] != "") {
			t.Errorf("%s: has a twin: %t; reason for none: %q", name, twinned[name], untwinned[name])
		}
		delete(left, name)
	}
	if len(left) > 0 {
		t.Errorf("there are no such examples: %q", slices.Sorted(maps.Keys(left)))
	}
}

// TestExamples_Decidable: what each fault of an example does can be told from what the others do, and its recovery
// can be shown. So a reader's first report has no fault whose effect is not known.
func TestExamples_Decidable(t *testing.T) {
	files, err := filepath.Glob("../../../examples/*/scenario.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		sc, err := scenarios.Parse(file, scenarios.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.Compile(sc, plan.CompileOptions{Self: []string{"brunt"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, doubt := range p.Doubts {
			if doubt == forecast.Inseparable && filepath.Base(filepath.Dir(file)) == "09-docker-failover" {
				continue // it fills the memory that it has limited
			}
			if doubt == forecast.Inseparable || doubt == forecast.NoRoom {
				t.Errorf("%s: %s:\n%s", file, doubt, strings.Join(p.Notes, "\n"))
			}
		}
	}
}

// scenario returns the example with its drill.
func (w *twin) scenario() (*scenarios.Scenario, error) {
	file, set := filepath.Join("../../../examples", w.example, "scenario.yaml"), map[string]string{}
	if name, value, ok := strings.Cut(w.set, "="); ok {
		set[name] = value
	}
	if w.drill == "" {
		return scenarios.Parse(file, scenarios.Options{Set: set})
	}
	system := play.Subject{File: file, Set: set, Compile: func(s play.Source) (*plan.Plan, error) {
		sc, err := scenarios.Parse(s.Path, scenarios.Options{Set: s.Set})
		if err != nil {
			return nil, err
		}
		return plan.Compile(sc, plan.CompileOptions{Self: []string{"brunt"}, Unjudged: true})
	}}
	laid, err := system.Lay(w.drill, nil)
	if err != nil {
		return nil, err
	}
	read := func(path string) ([]byte, error) {
		if path == laid.Source.Path {
			return []byte(laid.Source.Text), nil
		}
		return os.ReadFile(path)
	}
	return scenarios.Parse(laid.Source.Path, scenarios.Options{Set: laid.Source.Set, Read: read})
}

// want makes good answers partial until the cache is filled: after the warm-up of 5 s, and again after the crash.
func (w *twin) want(all []scenarios.Outcome, seed uint64) {
	if w.fills == 0 {
		return
	}
	r := rand.New(rand.NewPCG(seed, 11))
	for i := range all {
		o := &all[i]
		since := o.Intended + 5*sec
		if crashed := w.faults[0].at; o.Intended >= crashed {
			since = o.Intended - crashed
		}
		o.Wants = o.Kind == scenarios.OK
		o.Partial = o.Wants && r.Float64() < math.Exp(-w.fills*since.Seconds())
	}
}

// lasts returns how long the effect of a fault lasts in the run of a seed.
func (f *twinFault) lasts(seed uint64) time.Duration {
	r := rand.New(rand.NewPCG(seed, uint64(len(f.name))+uint64(f.at)))
	return f.least + time.Duration(r.Float64()*float64(f.most-f.least))
}

// script is the system of a seed.
func (w *twin) script(seed uint64) truth.Script {
	sigma := math.Log(4) / 2.326 // the 99th percentile of a normal deviate
	median := w.median
	if median == 0 {
		median = 2 * ms
	}
	return func(n int) truth.Act {
		r := rand.New(rand.NewPCG(seed, uint64(n)))
		at := time.Duration(float64(n) / float64(w.rate) * float64(sec))
		a := truth.Act{Delay: time.Duration(float64(median) * math.Exp(sigma*r.NormFloat64()))}
		if w.set == "delay=80ms" {
			a.Delay = median + time.Duration(r.Float64()*2*float64(ms))
		}
		for i := range w.faults {
			f := &w.faults[i]
			end := f.at + f.from + f.lasts(seed)
			if at < f.at+f.from || at >= end || f.share > 0 && r.Float64() >= f.share {
				continue
			}
			a.Status = f.act.Status
			a.Delay += f.slower + time.Duration((2*r.Float64()-1)*float64(f.varies))
			if f.waiting {
				a.Delay += end - at
			}
		}
		return a
	}
}

// played is the case of a seed.
func (w *twin) played(sc *scenarios.Scenario, seed uint64) playedCase {
	j := sc.Judge
	p := playedCase{
		rate: w.rate, seconds: w.seconds, timeout: w.timeout, hold: j.HoldOr(), limit: j.LimitOr(), slow: j.Slow.D(),
		named: w.load, steps: len(w.load) - 1, script: w.script(seed), ended: map[int]time.Duration{}, group: w.group,
	}
	if p.slow == 0 {
		p.slowShare = j.LimitOr() / 2
	}
	for i := range w.faults {
		f := &w.faults[i]
		end := f.at + f.stays
		if f.stays == 0 { // its phase has 5 s
			over := f.at + f.lasts(seed)
			end, p.ended[i] = max(over, f.at+5*sec), over
			if end >= time.Duration(w.seconds)*sec {
				end = 0
				delete(p.ended, i)
			}
		}
		p.faults, p.called = append(p.faults, span{f.at, end}), append(p.called, f.name)
	}
	acknowledged := int64(w.rate * w.seconds)
	p.ledger = written(func(l *result.LedgerRecord) {
		l.Acknowledged, l.Lost, l.Held = acknowledged, w.lost, acknowledged-w.lost
		if w.lost > 0 {
			l.LostSpans = []result.LostSpan{{Fault: w.faults[len(w.faults)-1].name, Lost: w.lost}}
		}
	})
	if w.sends != "" {
		p.ledger = nil
		p.deliveries = []*result.DeliveryRecord{{
			Name: w.sends, Sent: w.load[1], Settled: true, Ordered: true, Acknowledged: acknowledged, Lost: w.lost,
			Duplicated: w.again, Held: acknowledged - w.lost - w.again, Sightings: acknowledged - w.lost + w.again,
		}}
	}
	return p
}

// TestExamples plays the examples whose systems can be played, 200 times each with another seed, in virtual time. Each
// has the verdicts that its README says. It logs how often each fault is seen as what. The others are in untwinned.
func TestExamples(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	times := max(5, suite.Trials(200)/6)
	if suite.Full() {
		times = 200
	}
	mine := suite.OneIn(2)
	for i := range twins {
		w := &twins[i]
		if !mine() {
			continue
		}
		t.Run(strings.Join(strings.Fields(w.example+" "+w.drill+" "+w.set), " "), func(t *testing.T) {
			t.Parallel()
			sc, err := w.scenario()
			if err != nil {
				t.Fatal(err)
			}
			outcomes := map[string]int{}
			for seed := range uint64(times) {
				w.play(t, sc, seed, outcomes)
			}
			for _, said := range slices.Sorted(maps.Keys(outcomes)) {
				t.Logf("%s: %d of %d", said, outcomes[said], times)
			}
		})
	}
}

// play plays the run of a seed, and counts what is said of each fault.
func (w *twin) play(t *testing.T, sc *scenarios.Scenario, seed uint64, outcomes map[string]int) {
	l := truth.Load{Rate: w.rate, Timeout: w.timeout, T0: time.Unix(1_000_000, 0), Requests: w.rate * w.seconds}
	p := w.played(sc, seed)
	all := slices.DeleteFunc(slices.Clone(sc.SLO), func(o slo.Objective) bool {
		// of a twin's metrics, registers and times of messages nothing is played
		return o.Load != "" && o.Load != w.load[0] || o.Metric.OfSeries() && o.Metric.Resource == "" ||
			o.Metric.OfRegister() || o.Step != "" && !o.OfDelivery() && !slices.Contains(w.load[1:], o.Step)
	})
	outs := p.outcomes(l, l.Play(p.script))
	w.want(outs, seed)
	found := p.play(t, all, outs, time.Duration(w.seconds)*sec)
	failed := 0
	for _, o := range found.Objectives {
		want := scenarios.Pass
		if slices.Contains(w.fails, o.Text) {
			want = scenarios.Fail
			failed++
		}
		if o.Verdict != want && (want == scenarios.Fail || !w.rest) {
			t.Errorf("seed %d: %s is %s, measured %v from %v to %v, bound %v (%s), want %s", seed, o.Text, o.Verdict, o.Measured,
				o.Low, o.High, o.Bound, o.Note, want)
		}
	}
	if failed != len(w.fails) {
		t.Errorf("the scenario has %d of the objectives that fail: %q", failed, w.fails)
	}
	for _, f := range found.Faults {
		outcomes[fmt.Sprintf("%s is %s, slower: %s", f.Name, f.Impact, f.Parts.Slower().Answer)]++
	}
}
