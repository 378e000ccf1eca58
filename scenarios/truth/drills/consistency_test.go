//go:build linux

package drills

import (
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// A consistencyDrill is a store that is read and written, with the anomalies that its reads must show.
type consistencyDrill struct {
	name      string
	needs     []string
	processes string // as in drill
	island    string // the kind of the front, of members of etcd in containers, in place of processes
	entry     string
	endpoints string // in YAML
	write     string // steps, in YAML
	read      string
	settle    string
	keys      int
	fault     string // named lose, in YAML; empty: none
	library   string // the drill of the library that is played on etcd, in place of fault
	slo       string
	verdict   string
	sparse    bool     // many reads find nothing, which fails them
	kinds     []string // kinds of anomalies of which one must be found; empty if no anomaly may be found
	// bounds of the staleness, seconds; zero: not asked
	least, most float64
}

// The steps that write and read, and the faults.
const (
	setByFront = `{post: "/set?key=${data.key.value}&value=${consistency.value}", name: set, check: {status: 200}}`
	getByFront = `{get: "/value?key=${data.key.value}", name: get, check: {status: [200, 404]}, extract: {v: "$.value"}}`
	setRedis   = `{redis: [SET, "k${data.key.value}", "${consistency.value}"], name: set}`
	getRedis   = `{redis: [GET, "k${data.key.value}"], name: get, extract: {v: "$"}}`
	setSQL     = `{sql: "insert into kv values ($1, $2) on conflict (k) do update set v = excluded.v",
      args: ["${data.key.value}", "${consistency.value}"], name: set, at: primary}`
	getSQL = `{sql: "select v from kv where k = $1", args: ["${data.key.value}"], name: get, at: %s, extract: {v: "$[0].v"}}`
)

var (
	pgEndpoints = `{primary: "postgres://postgres@${unit.primary.addr}/postgres", standby: "postgres://postgres@${unit.standby.addr}/postgres"}`
	pgBoth      = strings.NewReplacer("COMMIT", "local", `sql: "select 1"`, `sql: "select 1", at: primary`).Replace(onlyPostgres)
	// the stream of the primary's log to the standby is late
	lateLog = `{at: 3s, for: 6s, network.latency: {from: standby, to: primary, delay: 400ms, direction: both}}`
)

// stale are the kinds of stale reads: whether the same user had read a newer value before is chance.
var stale = []string{"stale_read", "non_monotonic_read"}

var consistencyDrills = []consistencyDrill{
	{
		name: "etcd/linearizable reads", needs: []string{"etcd"}, entry: "front", processes: etcds,
		write: setByFront, read: getByFront, settle: "5s", keys: 1, library: "consistency", verdict: "pass",
	},
	{
		name: "etcd/serializable reads", needs: []string{"etcd"}, entry: "front",
		processes: strings.Replace(etcds, "front, etcd,", "front, etcd-serializable,", 1),
		write:     setByFront, read: getByFront, settle: "5s", keys: 1, library: "consistency",
		verdict: "fail", kinds: stale,
	},
	{
		name: "etcd/island, linearizable reads", needs: []string{"etcd", "docker"}, entry: "front", island: islandReads,
		write: setByFront, read: getByFront, settle: "5s", keys: 1, library: "network-island", verdict: "pass",
	},
	{
		name: "etcd/island, serializable reads", needs: []string{"etcd", "docker"}, entry: "front",
		island: islandReads + "-serializable", write: setByFront, read: getByFront, settle: "5s", keys: 1,
		library: "network-island", verdict: "fail", kinds: stale,
	},
	{
		name: "redis/primary cut off, then killed", needs: []string{"redis-server", "redis-sentinel"}, entry: "primary",
		processes: onlyRedis, endpoints: fmt.Sprintf("{system: %q}", ofRedis.endpoint),
		write: setRedis, read: getRedis, settle: "2s", keys: 400, fault: losePrimary,
		slo: "anomalies = 0", verdict: "fail", kinds: []string{"lost_update"}, sparse: true,
	},
	{
		name: "redis/no fault", needs: []string{"redis-server", "redis-sentinel"}, entry: "primary",
		processes: onlyRedis, endpoints: fmt.Sprintf("{system: %q}", ofRedis.endpoint),
		write: setRedis, read: getRedis, settle: "2s", keys: 400,
		slo: "anomalies = 0", verdict: "pass",
	},
	{
		name: "postgres/reads from the standby", needs: []string{pgBin("postgres")}, entry: "primary",
		processes: pgBoth, endpoints: pgEndpoints,
		write: setSQL, read: fmt.Sprintf(getSQL, "standby"), settle: "10s", keys: 5, fault: lateLog,
		slo: "staleness < 5s", verdict: "pass", kinds: stale, least: .2, most: 5,
	},
	{
		name: "postgres/reads from the primary", needs: []string{pgBin("postgres")}, entry: "primary",
		processes: pgBoth, endpoints: pgEndpoints,
		write: setSQL, read: fmt.Sprintf(getSQL, "primary"), settle: "10s", keys: 5, fault: lateLog,
		slo: "anomalies = 0", verdict: "pass",
	},
}

// scenario is the drill's file.
func (d consistencyDrill) scenario(self, dir string, ports int) string {
	words := strings.NewReplacer("BIN", self, "DIR", dir, "PORTS", strconv.Itoa(ports))
	var b strings.Builder
	kind, units, role, leaders := "processes", words.Replace(d.processes), "etcd", `{etcd: `+words.Replace(etcdAsks)+`}`
	if d.island != "" {
		kind, units, role, leaders = "containers", d.processes, "member", islandLeader
	}
	fmt.Fprintf(&b, "version: 1\nname: consistency\ntarget:\n  entry: %s\n  %s:%s\n", d.entry, kind, units)
	if d.endpoints != "" {
		fmt.Fprintf(&b, "  endpoints: %s\n", d.endpoints)
	}
	fmt.Fprintf(&b, "data: {key: {range: 1..%d, pick: random}}\nwarmup: {for: 1s}\njudge: {hold: %v}\n", d.keys, hold)
	if strings.Contains(d.write, "sql:") {
		b.WriteString("setup: [{sql: \"create table kv (k text primary key, v text)\", at: primary}]\n")
	}
	fmt.Fprintf(&b, `load:
  l:
    executor: constant-arrival-rate
    rate: 200/s
    duration: 16s
    timeout: %v
    mix: [{weight: 1, flow: [%s]}, {weight: 3, flow: [%s]}]
consistency: {kv: {write: set, read: get, key: "${data.key.value}", found: "${var.v}", settle: %s}}
`, timeout, d.write, d.read, d.settle)
	if d.library != "" {
		fmt.Fprintf(&b, "roles: {store: %s}\nleaders: %s\n", role, leaders)
		return b.String()
	}
	if d.fault != "" {
		fmt.Fprintf(&b, "chaos:\n  lose: %s\n", words.Replace(d.fault))
	}
	also := ""
	if d.sparse {
		also = `, "errors < 95% in baseline"`
	}
	fmt.Fprintf(&b, "slo: [%q%s]\n", d.slo, also)
	return b.String()
}

// TestConsistency: on real stores, brunt finds the anomalies that each of them has by its settings, and none where it
// has none.
func TestConsistency(t *testing.T) {
	suite.Needs(t, suite.In("drills"))
	for _, d := range consistencyDrills {
		t.Run(d.name, func(t *testing.T) {
			if !suite.Full() {
				t.Skip("it takes 30 s: BRUNT_FULL=1 runs it")
			}
			suite.Needs(t, suite.Programs(d.needs...))
			for range againMost {
				if d.play(t) {
					return
				}
			}
			t.Errorf("the system failed before the fault in %d runs", againMost)
		})
	}
}

// A foundKind is a kind of anomaly in result.json.
type foundKind struct {
	Kind  string
	Count int64
}

// play runs a drill once. It reports whether the run shows anything: the system did not fail before the fault.
func (d consistencyDrill) play(t *testing.T) (shows bool) {
	var log *askedLog
	socket := runDir(t)
	if d.island != "" {
		log = listenAsked(t, socket)
	}
	var r struct {
		Verdict, Reason string
		T0              time.Time
		Faults          []struct {
			Units    []string
			Injected *float64
		}
		Consistency []struct {
			Reads, Writes, Unknown, Foreign int64
			LeftOut                         int64 `json:"left_out"`
			Staleness                       float64
			Kinds                           []foundKind
			Witnesses                       []struct{ Kind string }
		}
	}
	printed := runToEnd(t, func(dir, self string) string {
		if d.island != "" {
			d.processes = etcdIsland(t, d.island, dir, socket)
			t.Cleanup(raiseIsland(dir))
		}
		return d.scenario(self, dir, freePorts(t))
	},
		func(dir, file, result string) *exec.Cmd {
			if d.library != "" { // within 8 s another member leads, and the frozen one goes on while it is asked
				return bruntIn(dir, "drill", "run", d.library, file, "-o", result, "--set", "for=8s", "--set", "lasts=24s")
			}
			return bruntIn(dir, "run", file, "-o", result)
		}, &r)
	if len(r.Consistency) != 1 {
		t.Fatalf("%s", printed)
	}
	if len(r.Faults) == 1 && r.Faults[0].Injected == nil && r.Verdict == "invalid" {
		t.Logf("played again: %s", r.Reason)
		return false
	}
	if log != nil {
		if len(r.Faults) != 1 || len(r.Faults[0].Units) != 1 {
			t.Fatalf("faults %+v, want one on one member:\n%s", r.Faults, printed)
		}
		d.compareIsland(t, log, r.Faults[0].Units[0], r.T0.Add(seconds(*r.Faults[0].Injected)))
	}
	got := r.Consistency[0]
	t.Logf("%s: %+v", r.Verdict, got)
	if r.Verdict != d.verdict || got.Reads < 500 || got.Writes < 150 {
		t.Errorf("verdict %s (%s), want %s:\n%s", r.Verdict, r.Reason, d.verdict, printed)
	}
	if d.most > 0 && (got.Staleness < d.least || got.Staleness > d.most) {
		t.Errorf("stale by %v s, want %v to %v s", got.Staleness, d.least, d.most)
	}
	if len(d.kinds) == 0 && len(got.Kinds) > 0 {
		t.Errorf("found %+v, want none", got.Kinds)
	}
	wanted := func(k foundKind) bool { return slices.Contains(d.kinds, k.Kind) }
	if len(d.kinds) > 0 && !slices.ContainsFunc(got.Kinds, wanted) {
		t.Errorf("found %+v, want one of %v", got.Kinds, d.kinds)
	}
	return true
}
