//go:build linux

package drills

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// A drill is a system, a fault and what must be true of the outage that follows.
type drill struct {
	name      string
	needs     []string // programs
	processes string   // of the target, in YAML; BIN is the program of these tests, PORTS the first of ten free ports
	entry     string   // the unit that the load and the prober ask
	fault     string   // named lose, in YAML
	library   string   // the drill of the library that is played, in place of fault; its settings are those of set
	set       []string
	store     string // of a drill of the library: the service that plays its role store
	parts     string // of a drill of the library with other roles: the parts that play them, in YAML
	question  string // how the leader of the store is found, in YAML; empty: it has none
	leads     string // what the unit of the store that leads says; empty: it has no leader. # is its index
	group     bool   // the fault has steps: its recovery counts from the first bad request
	recover   time.Duration
	seconds   int // of load; zero is 16
	rate      int // requests a second; zero is 100
	every     time.Duration
	hold      time.Duration // as the scenario has it; zero is [hold]
	outage    expect
	cluster   func(t *testing.T, dir, self string) // starts the target in place of brunt, which knows the entry by its URL
	ids       writes                               // nil: it takes none
	// brunt and the prober speak the system's protocol; nil: HTTP, to the entry
	direct *direct
	losses expect
	lasts  bool // the outage lasts until the load ends
	// brunt's question to the units, in YAML, whose answers are held against those to the test's own
	watch string
	// only changes from one answer to another one are compared, and not those to no answer
	slowAgents bool
	hits       string           // what the unit that the fault hits says before; # is its index, and ! is not
	roles      map[string]asker // of services: their units are asked what they are all the time
	// each has a filesystem of its own, DIR/disk-INDEX, of diskSize; only root may mount them
	disks int
	root  bool // only root can start the target
	quiet bool // the fault ends no process and stops none
	// the system fails a few requests before it fails all, so the load may meet its first failure later than the prober
	partial bool
	holds   map[string]asker // of services: what they hold is asked each time that all writes are read
}

// direct is a system that brunt and the prober ask in its own protocol, each by a client of its own.
type direct struct {
	endpoint    string // its URL, in YAML
	write, read string // steps, in YAML
	at          string // the service that the ledger reads from
	store       func(run string) store
}

// writes reads all writes of the run in a folder.
type writes func(ctx context.Context, run string) (map[string]int, error)

// expect says whether something has to happen.
type expect int

const (
	never expect = iota
	always
	maybe
)

// The targets: services and their commands. Links give the order in which they start.
const (
	apps = `
    nginx: {command: [BIN, unit, nginx, "${unit.app[0].addr}", "${unit.app[1].addr}"], restart: never}
    app: {command: [BIN, unit, app], replicas: 2, restart_delay: 1500ms}`

	// Redis on three nodes of one service, of which the first one is the primary at first.
	redisNodes = `
    front:
      {command: [BIN, unit, front, redis, "${unit.sentinel[0].addr}", "${unit.sentinel[1].addr}", "${unit.sentinel[2].addr}"],
      links: [sentinel], ready: {get: /healthz}}
    node: {command: [BIN, unit, redis-node, "${self.index}", "127.0.0.1:BASE"], replicas: 3, port: BASE, restart: never, grace: 1s}
    sentinel: {command: [BIN, unit, sentinel, "${unit.node[0].addr}"], links: [node], replicas: 3, restart: never, grace: 1s}`

	etcds = `
    front: {command: [BIN, unit, front, etcd, "${unit.etcd[0].addr}", "${unit.etcd[1].addr}", "${unit.etcd[2].addr}"],
      ready: {get: /healthz}}
    etcd: {command: [BIN, unit, etcd, "${self.index}", PORTS], replicas: 3, restart_delay: 4s, ready: {get: /health}}`

	redises = `
    front:
      {command: [BIN, unit, front, redis, "${unit.sentinel[0].addr}", "${unit.sentinel[1].addr}", "${unit.sentinel[2].addr}"],
      links: [sentinel], ready: {get: /healthz}}
    primary: {command: [BIN, unit, redis], restart: never, grace: 1s}
    replica: {command: [BIN, unit, redis, "${link.primary.addr}"], replicas: 2, restart: never, grace: 1s}
    sentinel: {command: [BIN, unit, sentinel, "${unit.primary.addr}"], links: [replica], replicas: 3, restart: never, grace: 1s}`

	// The same without a front: brunt speaks to Redis and to PostgreSQL.
	onlyRedis = `
    primary: {command: [BIN, unit, redis], restart: never, grace: 1s, ready: {tcp: true}}
    replica: {command: [BIN, unit, redis, "${link.primary.addr}"], replicas: 2, restart: never, grace: 1s}
    sentinel: {command: [BIN, unit, sentinel, "${unit.primary.addr}"], links: [replica], replicas: 3, restart: never, grace: 1s}`

	onlyPostgres = `
    primary: {command: [BIN, unit, pg-primary, COMMIT], restart: never, grace: 1s, ready: {ask: {sql: "select 1"}, within: 30s}}
    standby: {command: [BIN, unit, pg-standby, "${unit.primary.addr}", "${link.primary.addr}"], restart: never, grace: 1s, ready: {tcp: true, within: 30s}}`

	// what promotes the standby of PostgreSQL when its primary is away
	monitor = `
    monitor: {command: [BIN, unit, pg-monitor, "${unit.primary.addr}", "${unit.standby.addr}"], links: [standby], restart: never}`

	postgres = `
    front: {command: [BIN, unit, front, postgres, "${unit.primary.addr}", "${unit.standby.addr}"], links: [standby], ready: {get: /healthz}}
    primary: {command: [BIN, unit, pg-primary, COMMIT], restart: never, grace: 1s}
    standby: {command: [BIN, unit, pg-standby, "${unit.primary.addr}", "${link.primary.addr}"], restart: never, grace: 1s}`

	rabbit = `
    front: {command: [BIN, unit, front, rabbitmq, "${unit.broker.addr}", MODE], links: [broker], ready: {get: /healthz, within: 60s}}
    epmd: {command: [BIN, unit, epmd], restart: never}
    broker: {command: [BIN, unit, rabbitmq, "${unit.epmd.port}", PORTS], links: [epmd], restart_delay: 500ms, ready: {tcp: true, within: 60s}}`
)

// noRetries is what blindApps lack: nginx asks one replica for each request, whether it answers or not.
const noRetries = "no retries"

var (
	blindApps  = strings.Replace(apps, "unit, nginx,", "unit, nginx-blind,", 1)
	persistent = strings.Replace(rabbit, "MODE", "2", 1)
)

// galeraNodes is MariaDB on three nodes that all take writes. The front writes to the first one, until that fails.
const galeraNodes = `
    front: {command: [BIN, unit, front, galera, "${unit.node[0].addr}", "${unit.node[1].addr}", "${unit.node[2].addr}"], links: [node],
      ready: {get: /healthz, within: 120s}}
    node: {command: [BIN, unit, galera, "${self.index}", PORTS], replicas: 3, restart_delay: 40s, ready: {tcp: true, within: 100s}}`

// galeraAsks is brunt's question to the front: all nodes take writes, and the one that it writes to counts as the
// leader.
const galeraAsks = `{get: "${unit.front.url}/writes", check: {"$.to": "${self.index}"}, within: 5s}`

// jetstreams is a stream of NATS with a replica on each of three members. Their addresses are those of their routes.
const jetstreams = `
    front: {command: [BIN, unit, front, nats], links: [js], ready: {get: /healthz, within: 30s}}
    js: {command: [BIN, unit, nats, "${self.index}", PORTS], replicas: 3, port: BASE, links: [js], restart_delay: 12s}`

// loneStream is the same with one replica, so that no other member can take over.
var loneStream = strings.Replace(jetstreams, "nats]", "nats, 1]", 1)

// patroniNodes is PostgreSQL on three nodes with asynchronous replication. The agent of each node takes part in
// elections by etcd, and HAProxy asks the agents where the primary is. Killed with its agent, a leader is replaced once
// its lease of 20 s in etcd is over. Replication is asynchronous: with synchronous one, writes that wait for a standby
// use up the connections of the primary.
const patroniNodes = `
    front: {command: [BIN, unit, front, patroni, "${unit.haproxy.addr}"], links: [haproxy], ready: {get: /healthz, within: 100s}}
    haproxy: {command: [BIN, unit, haproxy, "${unit.node[0].addr}", "${unit.node[1].addr}", "${unit.node[2].addr}"], links: [node]}
    node: {command: [BIN, unit, patroni, "${self.index}", "${link.etcd.addr}"], replicas: 3, port: BASE, restart: never,
      grace: 1s, ready: {tcp: true, within: 60s}}
    etcd: {command: [BIN, unit, lone-etcd, PORTS], ready: {get: /health}}`

const (
	patroniAsks   = `{path: /primary, within: 5s}`
	patroniLeader = `leader: ` + patroniAsks
	patroniWatch  = `{of: node, path: /patroni, value: "~ \"state\": \"running\",.*\"role\": \"(\\w+)\"", every: 100ms, timeout: 400ms}`
)

const (
	// brunt's questions to the members, which name the leader of the stream
	streamLeader = `get: "http://127.0.0.1:1${self.port}/jsz?streams=1"`
	whoLeads     = `"$.account_details[0].stream_detail[0].cluster.leader"`
	jsAsks       = `{` + streamLeader + `, check: {` + whoLeads + `: "n${self.index}"}, within: 5s}`
	jsWatch      = `{of: js, ` + streamLeader + `, value: ` + whoLeads + `, every: 100ms, timeout: 400ms}`
)

// leader says how the member that leads is found.
const (
	etcdAsks = `{command: [BIN, unit, etcd-leads], within: 5s}`
	leader   = `leader: ` + etcdAsks
)

// needGalera are the programs of a node of Galera.
var needGalera = []string{"mariadbd", "mariadb-install-db", "rsync"}

// etcdWatch reads each member's role from the page of its metrics.
const etcdWatch = `{of: etcd, path: /metrics, value: "~ etcd_server_is_(leader [01])", every: 100ms, timeout: 400ms}`

// The primary is cut off from its replicas and goes on taking writes; then it dies.
const losePrimary = `{at: 4s, for: 7s, steps: [
    {name: cut, network.blackhole: {from: replica, to: primary}},
    {name: crash, after: 1500ms, process.crash: {service: primary, irreversible: true}}]}`

// ofRedis is Redis by its sentinels, which both clients ask for the primary.
var ofRedis = &direct{
	endpoint: "redis+sentinel://${unit.sentinel[0].addr}/m?addr=${unit.sentinel[1].addr}&addr=${unit.sentinel[2].addr}",
	write:    `{redis: [INCR, "${ledger.id}"], name: write}`, read: `{redis: [GET, "${id}"]}`, at: "replica",
	store: func(run string) store {
		sentinels := []string{unitAddr(run, "sentinel[0]"), unitAddr(run, "sentinel[1]"), unitAddr(run, "sentinel[2]")}
		s := newRedisStore(sentinels)
		s.pool.find = func(ctx context.Context) (string, error) { return namedByAny(ctx, sentinels) }
		return s
	},
}

// ofPostgres is PostgreSQL by both of its servers, of which one takes writes.
var ofPostgres = &direct{
	endpoint: "postgres://postgres@${unit.primary.addr}/postgres?addr=${unit.standby.addr}&target_session_attrs=read-write",
	write:    `{sql: insert into posts values ($1), args: ["${ledger.id}"], name: write}`,
	read:     `{sql: select 1 from posts where id = $1, args: ["${id}"]}`, at: "standby",
	store: func(run string) store {
		return newPGStore([]string{unitAddr(run, "primary[0]"), unitAddr(run, "standby[0]")})
	},
}

// needPatroni are the programs of a node of Patroni and of what is around it.
var needPatroni = []string{"patroni", "etcd", "haproxy", pgBin("postgres")}

var drills = []drill{
	edgeDrill("replica-crash", drill{parts: "replica: app", recover: 5 * time.Second}),
	edgeDrill("replica-hang", drill{parts: "replica: app", recover: 2 * time.Second, quiet: true}),
	edgeDrill("crash-restart", drill{parts: "service: app", seconds: 26, recover: 10 * time.Second, outage: always}),
	// without the defences
	edgeDrill("replica-crash", drill{
		name: "nginx/replica-crash, " + noRetries, processes: blindApps, parts: "replica: app", recover: 5 * time.Second,
		outage: always,
	}),
	edgeDrill("replica-hang", drill{
		name: "nginx/replica-hang, " + noRetries, processes: blindApps, parts: "replica: app", recover: 10 * time.Second,
		outage: always, quiet: true,
	}),
	edgeDrill("crash-restart", drill{
		name: "nginx/crash-restart, not started again", processes: strings.Replace(apps, "restart_delay: 1500ms", "restart: never", 1),
		parts: "service: app", seconds: 26, recover: 10 * time.Second, outage: always, lasts: true,
	}),
	{
		name: "etcd/follower frozen", needs: []string{"etcd"}, entry: "front", processes: etcds, ids: etcdData,
		rate:    50,
		fault:   `{at: 4s, for: 4s, process.freeze: {service: etcd, pick: follower, ` + leader + `}}`,
		recover: 2 * time.Second,
		outage:  maybe,
		watch:   etcdWatch, hits: etcdFollowing, roles: etcdRoles,
	},
	{
		name: "etcd/leader cut off", needs: []string{"etcd", "docker"}, entry: "front", cluster: dockerEtcd, ids: etcdData,
		rate: 50, every: 7 * time.Millisecond, seconds: 26, // it may fail again after the cut
		fault:   `{at: 4s, for: 5s, network.partition: {labels: {brunt.drill: ID}, pick: leader, ` + leader + `}}`,
		recover: 5 * time.Second,
		outage:  always,
	},
	{
		name: "redis/primary killed", needs: []string{"redis-server", "redis-sentinel"}, entry: "front", processes: redises,
		ids:   redisData,
		fault: `{at: 4s, process.crash: {service: primary, irreversible: true}}`, recover: 5 * time.Second,
		outage: always, losses: maybe,
		roles: redisRoles, holds: redisHoldings,
	},
	failoverDrill("redis", drill{processes: strings.Replace(redises, "front, redis,", "front, "+redisWaits+",", 1)}),
	failoverDrill("redis", drill{name: "redis/primary-failover, asynchronous", processes: redises, losses: always}),
	failoverDrill("postgres", drill{processes: strings.Replace(postgres+monitor, "COMMIT", "remote_apply", 1)}),
	failoverDrill("postgres", drill{
		name: "postgres/primary-failover, asynchronous", processes: strings.Replace(postgres+monitor, "COMMIT", "local", 1),
		losses: always,
	}),
	failoverDrill("postgres", drill{
		name:      "postgres/primary-failover, load of SQL",
		processes: strings.Replace(onlyPostgres+monitor, "COMMIT", "remote_apply", 1), entry: "primary", direct: ofPostgres,
	}),
	{
		name: "redis/load of Redis, primary killed", needs: []string{"redis-server", "redis-sentinel"}, entry: "primary",
		processes: onlyRedis, ids: redisData,
		direct: ofRedis, fault: `{at: 4s, process.crash: {service: primary, irreversible: true}}`, recover: 5 * time.Second,
		outage: always, losses: maybe,
		roles: redisRoles, holds: redisHoldings,
	},
	{
		name: "patroni/leader cut off from etcd", needs: needPatroni,
		entry: "front", processes: patroniNodes, ids: patroniData,
		rate: 50, every: 7 * time.Millisecond, seconds: 54, recover: 40 * time.Second, outage: always, quiet: true,
		fault:  `{at: 4s, for: 30s, network.partition: {from: node, to: etcd, pick: leader, ` + patroniLeader + `}}`,
		losses: maybe, watch: patroniWatch, slowAgents: true, hits: patroniLeading, roles: patroniRoles,
	},
	patroniDrill("leader-lost", drill{seconds: 50, recover: 30 * time.Second, outage: always, hits: patroniLeading}),
	patroniDrill("leader-hung", drill{
		seconds: 54, recover: 16 * time.Second, outage: always, hits: patroniLeading, set: []string{"for=10s"},
	}),
	patroniDrill("skew", drill{
		seconds: 30, recover: 2 * time.Second, outage: maybe, quiet: true, hits: patroniLeading,
	}),
	patroniDrill("disk-full", drill{
		seconds: 54, recover: 40 * time.Second, outage: maybe, quiet: true, partial: true, disks: 3,
		hits: patroniLeading,
	}),
	galeraDrill("leader-lost", drill{seconds: 30, recover: 12 * time.Second, outage: always, hits: galeraSynced}),
	galeraDrill("leader-hung", drill{
		seconds: 46, recover: 20 * time.Second, outage: always, hits: galeraSynced, set: []string{"for=14s"},
	}),
	galeraDrill("disk-full", drill{
		seconds: 44, recover: 25 * time.Second, outage: maybe, quiet: true, partial: true, disks: 3, hits: galeraSynced,
	}),
	galeraDrill("skew", drill{seconds: 30, recover: 2 * time.Second, outage: maybe, quiet: true, hits: galeraSynced}),
	galeraDrill("rejoin", drill{
		seconds: 50, recover: 20 * time.Second, outage: maybe, quiet: true, hits: galeraSynced,
	}),
	galeraDrill("quorum-lost", drill{
		seconds: 50, recover: 30 * time.Second, outage: always, set: []string{"heal=30s"},
	}),
	{
		name: "galera/node cut off", needs: slices.Concat(needGalera, []string{"docker"}),
		entry: "front", cluster: dockerGalera, ids: galeraData,
		rate: 50, every: 7 * time.Millisecond, seconds: 40, recover: 25 * time.Second, outage: always, quiet: true,
		fault: `{at: 4s, for: 14s, network.partition: {container: "ID-0"}}`, root: true,
		roles: galeraRoles,
	},
	streamDrill("leader-lost", drill{seconds: 30, recover: 12 * time.Second, outage: always, hits: jsLeading}),
	// without the defence
	streamDrill("leader-lost", drill{
		name: "jetstream/leader-lost, one replica", processes: loneStream, seconds: 34, recover: 8 * time.Second,
		outage: always, hits: jsLeading,
	}),
	streamDrill("leader-hung", drill{
		name: "jetstream/leader-hung, one replica", processes: loneStream, seconds: 40, recover: 8 * time.Second,
		outage: always, hits: jsLeading,
	}),
	streamDrill("disk-full", drill{
		name: "jetstream/disk-full, one replica", processes: loneStream, seconds: 40, recover: 8 * time.Second,
		outage: always, quiet: true, disks: 3, hits: jsLeading, set: []string{"for=14s"},
	}),
	streamDrill("leader-hung", drill{seconds: 36, recover: 12 * time.Second, outage: always, hits: jsLeading}),
	streamDrill("leader-cut", drill{
		seconds: 36, recover: 12 * time.Second, outage: always, quiet: true, hits: jsLeading,
	}),
	streamDrill("minority-cut", drill{
		seconds: 30, recover: 5 * time.Second, outage: maybe, quiet: true, hits: "!" + jsLeading,
	}),
	streamDrill("quorum-lost", drill{
		seconds: 34, recover: 20 * time.Second, outage: always, set: []string{"heal=14s"},
	}),
	streamDrill("skew", drill{seconds: 28, recover: 2 * time.Second, outage: maybe, quiet: true, hits: jsLeading}),
	streamDrill("disk-full", drill{
		seconds: 36, recover: 12 * time.Second, outage: maybe, quiet: true, disks: 3, hits: jsLeading,
		set: []string{"for=14s"},
	}),
	streamDrill("rejoin", drill{
		seconds: 34, recover: 12 * time.Second, outage: maybe, quiet: true, hits: "!" + jsLeading,
	}),
	memberDrill("leader-lost", drill{seconds: 26, recover: 5 * time.Second, outage: maybe, hits: etcdLeading}),
	memberDrill("leader-hung", drill{
		seconds: 26, recover: 5 * time.Second, outage: always, hits: etcdLeading, set: []string{"for=6s"},
	}),
	memberDrill("quorum-lost", drill{seconds: 28, recover: 20 * time.Second, outage: always, set: []string{"heal=8s"}}),
	memberDrill("skew", drill{seconds: 26, recover: 2 * time.Second, outage: maybe, quiet: true, hits: etcdLeading}),
	memberDrill("rejoin", drill{
		seconds: 30, recover: 5 * time.Second, outage: maybe, quiet: true, hits: etcdFollowing,
	}),
	sentinelDrill("leader-lost", drill{seconds: 26, recover: 8 * time.Second, outage: always, hits: redisLeading}),
	sentinelDrill("leader-hung", drill{seconds: 30, recover: 8 * time.Second, outage: always, hits: redisLeading}),
	brokerDrill("crash-restart", drill{parts: "service: broker", processes: persistent}),
	brokerDrill("durability", drill{parts: "writer: broker", processes: persistent}),
	brokerDrill("durability", drill{
		name: "rabbitmq/durability, transient messages", parts: "writer: broker",
		processes: strings.Replace(rabbit, "MODE", "1", 1), losses: always,
	}),
}

// The drills of the library that are played on a system: d has what is not the same for all of them.

func edgeDrill(name string, d drill) drill {
	d.name, d.library, d.processes = cmp.Or(d.name, "nginx/"+name), name, cmp.Or(d.processes, apps)
	d.needs, d.entry, d.seconds = []string{"nginx"}, "nginx", cmp.Or(d.seconds, 20)
	return d
}

// failoverDrill is the drill primary-failover on a system whose primary has a standby, or replicas.
func failoverDrill(system string, d drill) drill {
	const name = "primary-failover"
	d.name, d.library, d.entry = cmp.Or(d.name, system+"/"+name), name, cmp.Or(d.entry, "front")
	d.group, d.recover, d.outage, d.seconds = true, 8*time.Second, always, 28
	if d.set = []string{"for=7s"}; system == "redis" {
		d.needs, d.ids, d.roles, d.holds = []string{"redis-server", "redis-sentinel"}, redisData, redisRoles, redisHoldings
		d.parts = "primary: primary, replication: replica->primary"
		return d
	}
	d.needs, d.ids, d.rate, d.every = []string{pgBin("postgres")}, pgData, 50, 7*time.Millisecond
	d.parts = "primary: primary, replication: standby->primary"
	return d
}

func brokerDrill(name string, d drill) drill {
	d.name, d.library = cmp.Or(d.name, "rabbitmq/"+name), name
	d.needs, d.entry, d.ids = []string{"rabbitmq-server"}, "front", rabbitData
	d.rate, d.every, d.seconds, d.recover, d.outage = 50, 7*time.Millisecond, 42, 30*time.Second, always
	return d
}

func patroniDrill(name string, d drill) drill {
	d.name, d.library, d.store, d.question, d.leads = "patroni/"+name, name, "node", patroniAsks, patroniLeading
	d.needs, d.entry, d.processes, d.ids = needPatroni, "front", patroniNodes, patroniData
	d.rate, d.every, d.losses = 50, 7*time.Millisecond, maybe // its replication is asynchronous
	d.watch, d.slowAgents, d.roles = patroniWatch, true, patroniRoles
	return d
}

func galeraDrill(name string, d drill) drill {
	d.name, d.library, d.store, d.question = "galera/"+name, name, "node", galeraAsks
	d.needs, d.entry, d.processes, d.ids, d.roles = needGalera, "front", galeraNodes, galeraData, galeraRoles
	d.rate, d.every = 50, 7*time.Millisecond
	return d
}

func streamDrill(name string, d drill) drill {
	d.name, d.processes = cmp.Or(d.name, "jetstream/"+name), cmp.Or(d.processes, jetstreams)
	d.library, d.store, d.question, d.leads = name, "js", jsAsks, jsLeading
	d.needs, d.entry, d.ids = []string{"nats-server"}, "front", natsData
	d.rate, d.watch, d.roles = 50, jsWatch, jsRoles
	return d
}

func memberDrill(name string, d drill) drill {
	d.name, d.library, d.store, d.question, d.leads = "etcd/"+name, name, "etcd", etcdAsks, etcdLeading
	d.needs, d.entry, d.processes, d.ids = []string{"etcd"}, "front", etcds, etcdData
	d.rate, d.watch, d.roles = 50, etcdWatch, etcdRoles
	return d
}

func sentinelDrill(name string, d drill) drill {
	d.name, d.library, d.store, d.question, d.leads = "redis/"+name, name, "node", redisAsks, redisLeading
	d.needs, d.entry, d.processes, d.ids = []string{"redis-server", "redis-sentinel"}, "front", redisNodes, redisData
	d.losses, d.roles = maybe, redisMembers // its replication is asynchronous
	return d
}

func natsData(ctx context.Context, run string) (map[string]int, error) {
	return natsIDs(ctx, clientsOf(run))
}

func etcdData(ctx context.Context, run string) (map[string]int, error) {
	return etcdIDs(ctx, []string{unitAddr(run, "etcd[0]"), unitAddr(run, "etcd[1]"), unitAddr(run, "etcd[2]")})
}

func redisData(ctx context.Context, run string) (map[string]int, error) {
	return redisIDs(ctx, []string{
		unitAddr(run, "sentinel[0]"), unitAddr(run, "sentinel[1]"), unitAddr(run, "sentinel[2]"),
	})
}

func pgData(ctx context.Context, run string) (map[string]int, error) {
	return pgIDs(ctx, []string{unitAddr(run, "primary[0]"), unitAddr(run, "standby[0]")})
}

func rabbitData(ctx context.Context, run string) (map[string]int, error) {
	return rabbitIDs(ctx, unitAddr(run, "broker[0]"), run)
}

// In this order, each fifth of them takes about half an hour, as `.ci/full drills --part 1/5`: the first and the sixth,
// and so on.
func TestDrillNginx(t *testing.T) {
	suite.Needs(t, suite.In("drills"))
	playAll(t, "nginx", 10)
}

func TestDrillEtcd(t *testing.T) {
	suite.Needs(t, suite.In("drills"))
	playAll(t, "etcd", 10)
}

func TestDrillRedis(t *testing.T) {
	suite.Needs(t, suite.In("drills"))
	playAll(t, "redis", 10)
}

func TestDrillJetStream(t *testing.T) {
	suite.Needs(t, suite.In("drills"))
	playAll(t, "jetstream", 3)
}

func TestDrillPatroni(t *testing.T) {
	suite.Needs(t, suite.In("drills"))
	playAll(t, "patroni", 3)
}

func TestDrillGalera(t *testing.T) {
	suite.Needs(t, suite.In("drills"))
	playAll(t, "galera", 3)
}

func TestDrillRabbitMQ(t *testing.T) {
	suite.Needs(t, suite.In("drills"))
	playAll(t, "rabbitmq", 10)
}

func TestDrillPostgreSQL(t *testing.T) {
	suite.Needs(t, suite.In("drills"))
	playAll(t, "postgres", 10)
}

// playAll plays the drills of a system, each DRILL_RUNS times or by default as often as given, and prints a table of
// them.
func playAll(t *testing.T, system string, times int) {
	if !suite.Full() {
		t.Skip("drills on real systems take minutes: set BRUNT_FULL=1")
	}
	runs, err := strconv.Atoi(cmp.Or(os.Getenv("DRILL_RUNS"), strconv.Itoa(times)))
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for _, d := range drills {
		name, of := strings.CutPrefix(d.name, system+"/")
		if !of {
			continue
		}
		t.Run(name, func(t *testing.T) {
			suite.Needs(t, suite.Programs(d.needs...))
			if d.disks > 0 || d.root {
				suite.Needs(t, suite.Root)
			}
			again, runs := 0, runs
			if d.library != "" {
				runs = min(runs, libraryRuns)
			}
			for n := 0; n < runs; n++ {
				r := d.play(t)
				r.name, r.run = d.name, n+1
				excuse := cmp.Or(r.ill, r.blind)
				repeated := excuse != "" && again < againMost
				if !repeated {
					r.wrong = append(r.wrong, r.unsteady...)
				}
				if !repeated || len(r.unsteady) == 0 {
					rows = append(rows, r)
				}
				for _, c := range r.wrong {
					t.Errorf("run %d: %s", n+1, c)
				}
				if repeated && len(r.unsteady) > 0 {
					t.Logf("played again, as %s:\n%s%s", excuse, table([]row{r}), strings.Join(r.unsteady, "\n"))
					again++
					n--
				} else {
					t.Logf("\n%s", table([]row{r})+r.causes)
				}
				if len(r.wrong)+len(r.unsteady) > 0 || r.lost > 0 {
					t.Log(r.details)
				}
			}
		})
	}
	t.Logf("\n%s", table(rows))
}

// libraryRuns is how often a drill of the library is played on one system at most.
const libraryRuns = 3

// againMost is how many runs of a drill are played again because nothing can be told of the fault by them.
const againMost = 3

// A row is what one run of a drill showed.
type row struct {
	name           string
	run            int
	truth, got     float64 // the recovery time by the prober and by brunt, in seconds
	low, high      float64
	lost, reported int    // writes
	bad            int    // of the prober
	member         string // that the fault hit, by the report
	lag            time.Duration
	stopped        time.Duration // the longest stop of the prober from the injection to the end of the load
	froze          time.Duration // the longest freeze that brunt reports of itself, in the same time
	load           string        // tasks that ran or waited for a processor, as a mean over the last minute
	memory         int64         // of all processes at most, brunt's own too, in bytes
	verdict        string
	again          bool   // the prober saw a further outage, more than a hold after the first
	causes         string // of bad probes, where it did
	ill            string // how the system failed before the fault, by the prober; empty: it did not
	blind          string // who sent nothing while the system recovered; empty: none of the two
	wrong          []string
	unsteady       []string // what is wrong and follows from ill or blind, where one of them is set
	details        string   // what brunt and the servers said
}

func (r *row) unsteadyf(format string, args ...any) {
	r.unsteady = append(r.unsteady, fmt.Sprintf(format, args...))
}

func (r *row) errorf(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

func table(rows []row) string {
	const format = "%-40s %3s %8s %8s %15s %8s %6s %15s %5s %11s %5s %5s %-10s %s\n"
	var out strings.Builder
	out.WriteString(fmt.Sprintf(format, "drill", "run", "truth", "brunt", "its interval", "apart", "lag", "stops/brunt's",
		"load", "lost/brunt", "bad", "MiB", "hit", "verdict"))
	s := func(v float64) string { return fmt.Sprintf("%.3fs", v) }
	for _, r := range rows {
		if len(r.wrong) > 0 {
			r.verdict += "  WRONG"
		}
		out.WriteString(fmt.Sprintf(format, r.name, strconv.Itoa(r.run), s(r.truth), s(r.got),
			fmt.Sprintf("%.3f..%s", r.low, s(r.high)),
			fmt.Sprintf("%.1fms", (r.got-r.truth)*1000), fmt.Sprintf("%dms", r.lag.Milliseconds()),
			fmt.Sprintf("%d/%dms", r.stopped.Milliseconds(), r.froze.Milliseconds()), r.load,
			fmt.Sprintf("%d/%d", r.lost, r.reported), strconv.Itoa(r.bad),
			strconv.FormatInt(r.memory>>20, 10), r.member, r.verdict))
	}
	return out.String()
}
