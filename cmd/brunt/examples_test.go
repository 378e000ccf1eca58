package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"brunt/chaos/chaostest"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// example returns the path of an example's scenario.
func example(name string) string { return filepath.Join(top, "examples", name, "scenario.yaml") }

// built builds a command as a user has it: without the race detector, which makes the built-in
// system too slow for its own objectives on a small machine.
func built(t *testing.T, pkg string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "command.exe")
	build := exec.Command("go", "build", "-o", file, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // static, so that an image FROM scratch can hold it
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	return file
}

// rounds says how TestExample runs the examples repeatedly, for a table of verdicts. The suite rounds of .ci/full sets
// it, by variables.
type rounds struct {
	times    int // BRUNT_EXAMPLES: how often each is run; zero is once, with all checks
	spinning int // BRUNT_SPINNING: processes that use all the processor time they get meanwhile
	k, n     int // BRUNT_PART, k/n: every n-th example
}

// head says what the table of verdicts is of. Elsewhere are the examples that other tests run.
func (r rounds) head(elsewhere []string) string {
	return fmt.Sprintf("part %d of %d: %d runs of each example and drill as users run it first, beside %d processes that "+
		"spin; up to %s examples at once, but drills, NATS and RabbitMQ alone; not here are settings that make an example "+
		"fail, and what other tests run: %s", r.k, r.n, r.times, r.spinning, flag.Lookup("test.parallel").Value,
		strings.Join(elsewhere, ", "))
}

// readRounds reads the variables, and starts the processes.
func readRounds(t *testing.T) rounds {
	t.Helper()
	r := rounds{k: 1, n: 1}
	for text, want := range map[string]*int{"BRUNT_EXAMPLES": &r.times, "BRUNT_SPINNING": &r.spinning} {
		given := os.Getenv(text)
		if given == "" {
			continue
		}
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 {
			t.Fatalf("%s is %q, want a number", text, given)
		}
		*want = n
	}
	if given := os.Getenv("BRUNT_PART"); given != "" {
		if _, err := fmt.Sscanf(given, "%d/%d", &r.k, &r.n); err != nil || r.k < 1 || r.k > r.n {
			t.Fatalf("BRUNT_PART is %q, want k/n", given)
		}
	}
	for range r.spinning {
		c := exec.Command("sh", "-c", "while :; do :; done")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = c.Process.Kill()
			_ = c.Wait()
		})
	}
	return r
}

// exampleRuns are the verdicts of examples that were run repeatedly.
type exampleRuns struct {
	mu   sync.Mutex
	list []exampleRun
}

// An exampleRun is one run of an example.
type exampleRun struct {
	example string
	meant   scenarios.Verdict // verdict that its README has
	verdict scenarios.Verdict
	reason  string
}

func (e *exampleRuns) add(r exampleRun) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, r)
}

// untrue reports whether a run says the opposite of what its README does. A verdict that could not be reached, as on
// a busy machine, is no untruth.
func (r *exampleRun) untrue() bool {
	decided := r.verdict == scenarios.Pass || r.verdict == scenarios.Fail
	return decided && r.verdict != r.meant
}

// seldom returns the examples of which fewer than 8 of 10 runs ended as their READMEs say. A run without a verdict
// counts against its example: on a quiet machine each example is decided.
func (e *exampleRuns) seldom() (out []string) {
	runs, as, _ := e.counts()
	for _, name := range slices.Sorted(maps.Keys(runs)) {
		if 10*as[name] < 8*runs[name] {
			out = append(out, fmt.Sprintf("%s: %d of %d", name, as[name], runs[name]))
		}
	}
	return out
}

// counts returns how many runs each example has, how many of them ended as its README says, and the verdicts of the
// others.
func (e *exampleRuns) counts() (runs, as map[string]int, rest map[string][]string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	runs, as, rest = map[string]int{}, map[string]int{}, map[string][]string{}
	for _, r := range e.list {
		runs[r.example]++
		if r.verdict == r.meant {
			as[r.example]++
			continue
		}
		rest[r.example] = append(rest[r.example], fmt.Sprintf("%s: %s", r.verdict, r.reason))
	}
	return runs, as, rest
}

// table has a row for each example: how many of its runs ended as its README says, and the reasons of the others.
func (e *exampleRuns) table() string {
	runs, as, rest := e.counts()
	var b strings.Builder
	b.WriteString("| example | as in its README | the rest |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(runs)) {
		fmt.Fprintf(&b, "| %s | %d of %d | %s |\n", name, as[name], runs[name], strings.Join(rest[name], "<br>"))
	}
	return b.String()
}

// TestExampleRuns_Table: a run that ended otherwise than the README says stands in the table with its reason.
func TestExampleRuns_Table(t *testing.T) {
	var e exampleRuns
	e.add(exampleRun{"02-b", scenarios.Fail, scenarios.Fail, "the objective failed"})
	e.add(exampleRun{"01-a", scenarios.Pass, scenarios.Pass, ""})
	e.add(exampleRun{"01-a", scenarios.Pass, scenarios.Invalid, "brunt itself was late"})
	e.add(exampleRun{"01-a", scenarios.Pass, scenarios.Inconclusive, "too few"})
	want := "| example | as in its README | the rest |\n|---|---|---|\n" +
		"| 01-a | 1 of 3 | invalid: brunt itself was late<br>inconclusive: too few |\n" +
		"| 02-b | 1 of 1 |  |\n"
	if got := e.table(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for i, want := range []bool{false, false, false, false} {
		if got := e.list[i].untrue(); got != want {
			t.Errorf("%+v: untrue is %t", e.list[i], got)
		}
	}
	if r := (exampleRun{"03-c", scenarios.Fail, scenarios.Pass, ""}); !r.untrue() {
		t.Errorf("%+v is not untrue", r)
	}
}

// TestExampleRuns_Seldom: eight of ten runs as the README says are enough, and seven are not.
func TestExampleRuns_Seldom(t *testing.T) {
	var e exampleRuns
	for i := range 10 {
		for name, good := range map[string]int{"01-a": 7, "02-b": 8, "03-c": 10, "04-d": 0} {
			r := exampleRun{name, scenarios.Pass, scenarios.Inconclusive, "too few"}
			if i < good {
				r.verdict = scenarios.Pass
			}
			e.add(r)
		}
	}
	if got, want := e.seldom(), []string{"01-a: 7 of 10", "04-d: 0 of 10"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// exampleTries is how often an example runs if brunt was late.
const exampleTries = 4

// resultIn reads the result of a run from its folder. said is what brunt printed.
func resultIn(t *testing.T, dir string, said []byte) *result.Result {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	res := &result.Result{}
	if err := json.Unmarshal(b, res); err != nil {
		t.Fatal(err)
	}
	return res
}

// runExample runs an example as its README does, until brunt was in time. It returns the exit
// code and the result. A drill of the library is laid over the example if one is named.
func runExample(t *testing.T, brunt, name, drill string, args ...string) (int, *result.Result) {
	t.Helper()
	for range exampleTries {
		code, res := runExampleOnce(t, brunt, name, drill, args...)
		if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, "brunt itself was late") {
			return code, res
		}
		t.Logf("again: %s", res.Reason)
	}
	t.Fatalf("this machine is too busy: brunt was late %d times", exampleTries)
	return 0, nil
}

// runExampleOnce is runExample, however late brunt was.
func runExampleOnce(t *testing.T, brunt, name, drill string, args ...string) (int, *result.Result) {
	t.Helper()
	dir, state := t.TempDir(), t.TempDir()
	command := []string{"run", exampleFile(name), "-o", dir}
	if drill != "" {
		command = append([]string{"drill", "run", drill}, command[1:]...)
	}
	cmd := exec.Command(brunt, append(command, args...)...)
	cmd.Dir = top
	cmd.Env = append(os.Environ(), "BRUNT_STATE="+state)
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	t.Logf("%s", out)
	if left, _ := os.ReadDir(state); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	return cmd.ProcessState.ExitCode(), resultIn(t, dir, out)
}

// TestExample_DryRun forecasts the examples without running them.
func TestExample_DryRun(t *testing.T) {
	suite.Needs(t, suite.In("examples"))
	for _, c := range []struct {
		name string
		want []string
	}{
		{"01-quickstart", []string{
			"send SIGKILL to posts[", "delay 60ms ± 20ms on posts[0]->store[0], posts[1]->store[0]",
			"cut on gateway[0]->users[0]",
			"recover < 4s after lose-a-replica",
		}},
		{"02-your-own-url", []string{
			"delay 100ms ± 20ms on load->target", "reset all connections on load->target",
			"recover < 5s after cut-lines",
		}},
		{"03-your-own-processes", []string{
			"send SIGKILL to stock[0]", "delay 300ms on web[0]->stock[0]",
			"recover < 2s after lose-stock",
		}},
		{"04-oauth2", []string{"stop auth[0]", "errors < 1% in lose-tokens"}},
		{"05-graphql", []string{
			"send SIGKILL to store[0]", "delay 50ms on api[0]->store[0]",
			"recover < 4s after lose-store",
		}},
		{"24-grpc", []string{"send SIGKILL to orders[0]", "recover < 3s after lose"}},
		{"25-redis", []string{"send SIGKILL to cache[0]", "lost = 0"}},
		{"27-websocket", []string{"send SIGKILL to rooms[0]", "recover < 4s after lose"}},
		{"28-mysql", []string{"send SIGKILL to db[0]", "lost = 0"}},
		{"29-tcp", []string{"send SIGKILL to lines[0]", "recover < 4s after lose"}},
		{"62-frames-and-datagrams", []string{
			"lose 10% of the datagrams on load->datagrams", "heal < 2s after cut",
		}},
		{"40-deliveries", []string{"send SIGKILL to sender[0]", "lost = 0 of order"}},
		{"44-kafka", []string{"send SIGKILL to consumer[0]", "lost = 0 of order"}},
		{"41-dns", []string{"delay 20ms on load->names-udp", "lose 1% of the datagrams on load->names-udp"}},
		{"42-nats", []string{"send SIGKILL to bus[0]", "lost = 0"}},
		{"60-mongodb", []string{"send SIGKILL to db[0]", "lost = 0"}},
		{"61-smtp", []string{"send SIGKILL to relay[0]", "lost = 0 of mail"}},
		{"43-rabbitmq", []string{"send SIGKILL to broker[0]", "lost = 0 of order"}},
		{"46-plugin", []string{"send SIGKILL to stock[0]", "lost = 0"}},
		{"59-memcached", []string{"send SIGKILL to cache[0]"}},
		{"47-mqtt", []string{"send SIGKILL to broker[0]", "lost = 0 of reading"}},
		{"45-http3", []string{"delay 20ms on load->api", "lose 5% of the datagrams on load->api"}},
		{"12-vegeta", []string{"delay 60ms on posts[0]->store[0], posts[1]->store[0]", "load attack: spike"}},
		{"13-replay-a-log", []string{
			"delay 60ms on posts[0]->store[0], posts[1]->store[0]",
			"load saturday: replay from 0s to 15s, 712 iterations",
		}},
		{"08-zones-and-leaders", []string{
			"send SIGKILL to the leader of node", "send SIGKILL to node[0]", "send SIGKILL to node[2]",
			"recover.p50 < 4s after behead",
		}},
		{"09-docker-failover", []string{
			"send SIGKILL to posts[", "kill posts[1] with SIGKILL, and keep it down",
			"pause users[0]", "taken back by: docker.unpause",
		}},
		{"18-compose", []string{"send SIGKILL to store[0]", "pause store[0]", "hitting api[0]->store[0]"}},
		{"10-nginx-redis", []string{
			"send SIGKILL to redis[0]", "take redis[0] out of network",
			"taken back by: docker.connect",
		}},
		{"11-k6-under-fire", []string{
			"a time that the script says  lose-a-replica  process.crash", "send SIGKILL to posts[",
			"delay 60ms on posts[0]->store[0]",
		}},
		{
			"06-managed-database-failover",
			[]string{"run `./manageddb ctl ${unit.control.url} failover b`, taken back by `./manageddb ctl " +
				"${unit.control.url} " +
				"switchover a`", "hitting database", "noticed by `GET ${unit.monitor.url}/alerts`, asked every 250ms"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			planned, err := compile(example(c.name), nil)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := dryrun.Run(t.Context(), planned)
			switch {
			case err != nil && strings.Contains(err.Error(), "no Docker engine answers"):
				suite.Lack(t, "%v", err)
			case err != nil:
				t.Error(err)
			}
			said := strings.Join(lines, "\n")
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q is missing in:\n%s", want, said)
				}
			}
			if strings.Contains(said, "would fail") {
				t.Errorf("it would fail:\n%s", said)
			}
		})
	}
}

// shared checks that three workers made all that they owed, each a third of the writes.
func shared(t *testing.T, res *result.Result) {
	if len(res.Workers) != 3 || res.Ledger == nil || res.Ledger.Unreported != "" {
		t.Fatalf("workers %+v, ledger %+v", res.Workers, res.Ledger)
	}
	for _, w := range res.Workers {
		if w.Owed != w.Reported || w.Owed < 100 || w.Lost != 0 || w.LostWhy != "" {
			t.Errorf("%+v", w)
		}
	}
}

// traced checks that the report tells whose time grew in the fault: that of posts, which waited for its store.
func traced(t *testing.T, res *result.Result) {
	if res.Traces == nil || res.Traces.Whole == 0 {
		t.Fatalf("%+v", res.Traces)
	}
	got := strings.Join(words.TraceFindings(res.Traces), " ")
	if !strings.HasPrefix(got, "In slow-store the self time of posts grew most") || !strings.Contains(got, "“call GET /posts”") {
		t.Errorf("%s\n%+v", got, res.Traces)
	}
}

// exampleFile returns the scenario of an example, relative to the root.
func exampleFile(name string) string {
	file := filepath.Join("examples", name)
	if filepath.Ext(file) != ".yaml" {
		file = filepath.Join(file, "scenario.yaml")
	}
	return file
}

// hasData reports whether an example keeps files in a folder that its parameter names, so that runs beside each other
// need one each.
func hasData(t *testing.T, name string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, exampleFile(name)))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(text, []byte("data: /tmp/brunt-"))
}

// expected checks that the outcome of the crash is the one that the scenario expects of it.
func expected(t *testing.T, res *result.Result) {
	f := res.Faults[0]
	want := result.Expectation{
		Text: "readers get errors until the only process of posts is back", Outcome: result.Impacted, Came: "yes",
	}
	if f.Name != "lose-posts" || f.Expect == nil || *f.Expect != want {
		t.Errorf("%s: %+v, want %+v", f.Name, f.Expect, want)
	}
}

// pooled checks that the only pool has eight occurrences, at different phases of a second, and none that met the
// objective.
func pooled(t *testing.T, res *result.Result) {
	if len(res.Pools) != 1 || res.Pools[0].Run == nil || len(res.Pools[0].Drills) != 8 {
		t.Fatalf("%+v", res.Pools)
	}
	if p := &res.Pools[0]; p.Run.Met != 0 || p.Run.Of()+p.Run.Left != 8 || p.Instants != result.Apart || !p.Asked {
		t.Errorf("%+v, %+v", p, p.Run)
	}
}

// isStuck checks that the load alone held the target down, and that it held the whole load again.
func isStuck(t *testing.T, res *result.Result) {
	f := &res.Faults[0]
	if f.Unrecovered != result.Stuck || f.Escape == nil {
		t.Fatalf("%q, %+v", f.Unrecovered, f.Escape)
	}
	if e := f.Escape; e.Outcome != result.EscapeStuck || !(e.Back < .6) || !(e.After <= e.Bad) {
		t.Errorf("%+v", e)
	}
}

// TestExample runs every example unchanged: it must pass. With the setting that its README
// says makes it fail, it must fail for that reason.
func TestExample(t *testing.T) {
	suite.Needs(t, suite.In("examples"))
	if testing.Short() {
		t.Skip("some minutes")
	}
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request,
	) {
		fmt.Fprint(w, `{"ok":true}`)
	}))
	t.Cleanup(target.Close)
	command := built(t, "brunt/cmd/brunt")
	// by TestTutorial, TestExample_Kube, TestFind_UnderFault and TestExample_GameDay
	ran := map[string]bool{
		"00-tutorial": true, "22-scale-out": true, "23-pods-and-nodes": true, "32-capacity-under-a-fault": true,
		"38-game-day": true,
	}
	elsewhere := slices.Sorted(maps.Keys(ran))
	turn, runs := readRounds(t), &exampleRuns{}
	// The longest tests are the last here: the last start first, so that few are left at the end.
	// Tests that use a full core do not run beside each other.
	t.Run("all", func(t *testing.T) {
		cases := []struct {
			name       string
			docker     bool     // it needs an engine
			program    string   // it needs some of Debian's, by their names with spaces between them
			drill      string   // of the library, which is laid over it
			own        bool     // it has its own server, which is built and named by bin
			k6         bool     // its load is a script for brunt-k6
			prometheus bool     // it pushes to a real Prometheus
			alerting   bool     // it starts a Prometheus server on ports that its files name
			set        string   // the parameter that differs
			fails      []string // the objectives that fail; all others hold
			rest       bool     // the outcome of the others is not checked
			because    string   // the only cause of errors there; empty is any
			faults     []string
			more       func(t *testing.T, res *result.Result)
		}{
			{name: "12-vegeta", faults: []string{"slow-store"}},
			{name: "12-vegeta", set: "engine=native", faults: []string{"slow-store"}},
			{name: "13-replay-a-log", faults: []string{"slow-store"}},
			{name: "14-performance-gate"},
			{name: "07-no-write-lost", faults: []string{"lose-a-replica", "slow-store"}},
			{
				name: "07-no-write-lost", set: "early=on", faults: []string{"lose-a-replica", "slow-store"},
				fails: []string{"lost = 0"},
			},
			{
				name: "07-no-write-lost", set: "idempotency=off", faults: []string{"lose-a-replica", "slow-store"},
				fails: []string{"duplicated = 0"},
			},
			{name: "36-objectives-from-a-baseline"},
			{name: "33-tolerance", faults: []string{"slow-store"}},
			{
				name: "33-tolerance", set: "delay=600ms", faults: []string{"slow-store"},
				fails: []string{"p95 < 250ms in slow-store"},
			},
			{name: "31-traces", faults: []string{"slow-store"}, more: traced},
			{name: "31-traces", set: "propagate=off", faults: []string{"slow-store"}, fails: []string{"traces > 98%"}},
			{name: "15-watch-in-grafana", prometheus: true, faults: []string{"slow-store", "flaky-posts"}},
			{name: "04-oauth2", own: true, faults: []string{"lose-tokens"}},
			{
				name: "04-oauth2", own: true, set: "life=3s", fails: []string{"errors < 1%", "errors < 1% in lose-tokens"},
				because: "status 401",
			},
			{name: "03-your-own-processes", own: true, faults: []string{"lose-stock", "slow-stock", "freeze-stock"}},
			{name: "03-your-own-processes", own: true, set: "cache=off", fails: []string{"errors < 1%"}, rest: true},
			{name: "16-alert-drill", own: true, alerting: true, faults: []string{"lose-stock"}, more: alerted},
			{name: "17-primary-is-lost", own: true, faults: []string{"primary-is-lost"}, more: oneIncident},
			{
				name: "17-primary-is-lost", own: true, set: "promotion=9s", fails: []string{"recover < 5s after primary-is-lost"},
				rest: true,
			},
			{name: "02-your-own-url", set: "url=" + target.URL, faults: []string{"slow-network", "cut-lines"}},
			{name: "05-graphql", own: true, faults: []string{"lose-store", "slow-store"}},
			{name: "24-grpc", own: true, faults: []string{"freeze", "lose"}},
			{name: "24-grpc", own: true, set: "delay=80ms", fails: []string{"p95 < 50ms in baseline"}},
			{name: "27-websocket", own: true, faults: []string{"freeze", "lose"}},
			{name: "27-websocket", own: true, set: "delay=80ms", fails: []string{"p95 < 50ms of say in baseline"}},
			{name: "25-redis", program: "redis-server", faults: []string{"freeze", "lose"}},
			{
				name: "25-redis", program: "redis-server", set: "append=no",
				fails: []string{"recover < 3s after lose", "lost = 0"},
			},
			{name: "29-tcp", own: true, faults: []string{"freeze", "lose"}},
			{name: "29-tcp", own: true, set: "delay=80ms", fails: []string{"p95 < 50ms of ask in baseline"}},
			{name: "62-frames-and-datagrams", own: true, faults: []string{"lossy", "cut"}},
			{
				name: "62-frames-and-datagrams", own: true, set: "percent=30%",
				fails: []string{"errors < 15% of datagram in lossy"},
			},
			{name: "40-deliveries", own: true, faults: []string{"lose-sender"}},
			{name: "40-deliveries", own: true, set: "sender=forget", rest: true, fails: []string{"lost = 0 of order"}},
			{name: "40-deliveries", own: true, set: "sender=again", rest: true, fails: []string{"duplicated <= 2 of order"}},
			{name: "40-deliveries", own: true, set: "sender=parallel", rest: true, fails: []string{
				"duplicated <= 2 of order", "reordered = 0 of order",
			}},
			{name: "44-kafka", own: true, faults: []string{"lose-consumer"}},
			{name: "44-kafka", own: true, set: "consumer=forget", rest: true, fails: []string{"lost = 0 of order"}},
			{name: "44-kafka", own: true, set: "consumer=again", rest: true, fails: []string{"duplicated <= 2 of order"}},
			{name: "44-kafka/group.yaml", own: true, faults: []string{"lose-one", "lose-other"}},
			{name: "44-kafka/group.yaml", own: true, set: "consumer=eager", rest: true, fails: []string{"duplicated <= 4 of order"}},
			{name: "44-kafka/group.yaml", own: true, set: "session=8s", rest: true, fails: []string{"p95 < 5s of order"}},
			{name: "41-dns", own: true, faults: []string{"slow", "lossy"}},
			{name: "41-dns", own: true, set: "percent=10%", fails: []string{"errors < 5% in lossy"}},
			{name: "42-nats", program: "nats-server", faults: []string{"late", "lose"}},
			{
				// the stream is gone, and so is its backlog
				name: "42-nats", program: "nats-server", set: "storage=memory", faults: []string{"late", "lose"}, rest: true,
				fails: []string{"recover < 5s after lose", "lost = 0"},
			},
			{
				name: "42-nats", program: "nats-server", set: "known=100000000", faults: []string{"late", "lose"},
				fails: []string{"duplicated = 0"},
			},
			{name: "61-smtp", own: true, faults: []string{"slow", "crash"}},
			{name: "61-smtp", own: true, set: "keep=memory", rest: true, fails: []string{"lost = 0 of mail"}},
			{name: "60-mongodb", program: "ferretdb", faults: []string{"conflicts", "lose"}},
			{
				name: "60-mongodb", program: "ferretdb", set: "storage=memory", faults: []string{"conflicts", "lose"},
				fails: []string{"lost = 0"},
			},
			{name: "42-nats/cluster.yaml", program: "nats-server", faults: []string{"lose"}},
			{
				name: "42-nats/cluster.yaml", program: "nats-server", set: "ack=server", rest: true,
				fails: []string{"lost = 0 of order"},
			},
			{name: "43-rabbitmq", program: "rabbitmq-server", own: true},
			{
				name: "43-rabbitmq", program: "rabbitmq-server", own: true, set: "persistent=off", rest: true,
				fails: []string{"lost = 0 of order"},
			},
			{
				name: "43-rabbitmq", program: "rabbitmq-server", own: true, set: "confirm=off", rest: true,
				fails: []string{"lost = 0 of order"},
			},
			{
				name: "43-rabbitmq", program: "rabbitmq-server", own: true, set: "known=off", rest: true,
				fails: []string{"duplicated <= 1 of order"},
			},
			{name: "59-memcached", program: "memcached", faults: []string{"lose"}},
			{name: "59-memcached", program: "memcached", set: "refresh=2/s", rest: true, fails: []string{"whole > 80% of read"}},
			{name: "47-mqtt", own: true, program: "mosquitto", faults: []string{"lose-collector", "lose-broker"}},
			{
				name: "47-mqtt", own: true, program: "mosquitto", set: "qos=0", rest: true,
				fails: []string{"lost = 0 of reading"},
			},
			{
				name: "47-mqtt", own: true, program: "mosquitto", set: "session=off", rest: true,
				fails: []string{"lost = 0 of reading"},
			},
			{name: "45-http3", own: true, faults: []string{"slow", "lossy"}},
			{name: "45-http3", own: true, set: "percent=90%", rest: true, fails: []string{"errors < 0.5%"}},
			{name: "46-plugin", program: "python3", faults: []string{"freeze", "lose"}},
			{name: "46-plugin", program: "python3", set: "keep=memory", faults: []string{"freeze", "lose"}, fails: []string{"lost = 0"}},
			{name: "48-hysteresis"},
			{name: "48-hysteresis", set: "rate=200/s", fails: []string{"errors < 5%"}},
			{name: "28-mysql", program: "mariadbd", faults: []string{"freeze", "lose"}},
			{
				name: "28-mysql", program: "mariadbd", set: "flush=0", faults: []string{"freeze", "lose"},
				fails: []string{"lost = 0"},
			},
			{name: "26-postgres-failover", program: "pg_isready", faults: []string{"lose"}},
			{
				name: "26-postgres-failover", program: "pg_isready", set: "promotion=7s",
				fails: []string{"recover < 5s after lose"},
			},
			{name: "39-real-redis-sentinel", program: "redis-sentinel", drill: "leader-lost", faults: []string{"lose-leader"}},
			{
				name: "39-real-redis-sentinel", program: "redis-sentinel", drill: "leader-lost", set: "down=20000",
				fails: []string{"recover < 10s after lose-leader"},
			},
			{name: "50-etcd", program: "etcd", drill: "leader-lost", faults: []string{"lose-leader"}},
			{
				name: "50-etcd", program: "etcd", drill: "leader-lost", set: "election=15000",
				fails: []string{"recover < 10s after lose-leader"},
			},
			{
				name: "51-etcd-in-containers", docker: true, program: "etcd haproxy", drill: "leader-cut",
				faults: []string{"cut-leader"},
			},
			{
				name: "51-etcd-in-containers", docker: true, program: "etcd haproxy", drill: "leader-cut", set: "election=15000",
				fails: []string{"recover < 10s after cut-leader"},
			},
			{
				name: "51-etcd-in-containers", docker: true, program: "etcd haproxy", drill: "network-island",
				faults: []string{"island"},
			},
			{
				name: "51-etcd-in-containers", docker: true, program: "etcd haproxy", drill: "network-island", set: "own=true",
				fails: []string{"anomalies = 0", "anomalies(price) = 0"},
			},
			{
				name: "52-haproxy-nginx", program: "haproxy nginx", drill: "balancer-lost", faults: []string{"lose-entry"},
			},
			{
				name: "52-haproxy-nginx", program: "haproxy nginx", drill: "balancer-lost", set: "entries=first", rest: true,
				fails: []string{"errors < 1% in lose-entry"},
			},
			{name: "52-haproxy-nginx", program: "haproxy nginx", drill: "replica-hang", faults: []string{"hang"}},
			{
				name: "52-haproxy-nginx", program: "haproxy nginx", drill: "replica-hang", set: "config=blind.cfg", rest: true,
				fails: []string{"errors < 1% in hang"},
			},
			{name: "53-rabbitmq", own: true, program: "rabbitmq-server", faults: []string{"lose-both"}},
			{
				name: "53-rabbitmq", own: true, program: "rabbitmq-server", set: "keep=memory",
				fails: []string{"lost = 0 of order"},
			},
			{name: "54-pgbouncer", program: "pgbouncer pg_isready", faults: []string{"slow-primary", "lose-pooler"}},
			{
				name: "54-pgbouncer", program: "pgbouncer pg_isready", set: "away=8s", rest: true,
				fails: []string{"recover < 4s after lose-pooler"},
			},
			{
				name: "55-redis-in-containers", docker: true, program: "redis-server", drill: "leader-cut",
				faults: []string{"cut-leader"},
			},
			{
				name: "55-redis-in-containers", docker: true, program: "redis-server", drill: "leader-cut", set: "down=20000",
				fails: []string{"recover < 10s after cut-leader"},
			},
			{
				name: "56-alertmanager", program: "haproxy nginx prometheus prometheus-alertmanager", drill: "alert-storm",
				faults: []string{"lose-service"},
			},
			{
				name: "56-alertmanager", program: "haproxy nginx prometheus prometheus-alertmanager", drill: "alert-storm",
				set: "route=single.yml", rest: true, fails: []string{"increase(pages) <= 2 in lose-service"},
			},
			{
				name: "56-alertmanager", program: "haproxy nginx prometheus prometheus-alertmanager", drill: "alert",
				faults: []string{"lose-service"},
			},
			{
				name: "57-streams", program: "haproxy nginx nats-server", drill: "thundering-herd",
				faults: []string{"break-streams"},
			},
			{
				name: "57-streams", program: "haproxy nginx nats-server", drill: "thundering-herd", set: "after=200ms", rest: true,
				fails: []string{"errors < 3% of load others in break-streams"},
			},
			{
				name: "58-galera", program: "haproxy mariadbd mariadb-install-db mariadb rsync", drill: "leader-lost",
				faults: []string{"lose-leader"},
			},
			{
				name: "58-galera", program: "haproxy mariadbd mariadb-install-db mariadb rsync", drill: "leader-lost",
				set: "suspect=PT20S", fails: []string{"recover < 10s after lose-leader"},
			},
			{name: "30-workers", faults: []string{"lose-a-replica"}, more: shared},
			{name: "30-workers", set: "early=on", faults: []string{"lose-a-replica"}, fails: []string{"lost = 0"}, more: shared},
			{
				name: "34-recovery-with-confidence", set: "limit=200ms", rest: true, more: pooled,
				fails: []string{"recover < 200ms for 50% after lose-posts"},
			},
			{name: "49-calls-per-request", faults: []string{"store-fails"}},
			{
				name: "49-calls-per-request", set: "budget=off", faults: []string{"store-fails"}, fails: []string{
					"amplification(gateway -> posts) < 1.5 in store-fails", "amplification(posts -> store) < 1.5 in store-fails",
				},
			},
			{name: "37-programme", faults: []string{"lose-posts", "slow-store"}, more: expected},
			{
				name: "37-programme", set: "limit=100ms", rest: true, more: expected,
				fails: []string{"recover < 100ms after lose-posts"},
			},
			{
				name: "35-stuck", set: "budget=off", fails: []string{"recover < 20s after store-fails"}, rest: true, more: isStuck,
			},
			{name: "05-graphql", own: true, set: "cache=off", fails: []string{"errors < 1% of Feed"}, because: "graphql errors"},
			{
				name: "08-zones-and-leaders", own: true, faults: []string{"behead#1", "behead#2", "behead#3", "lose-zone"},
				more: beheaded,
			},
			{name: "06-managed-database-failover", own: true, faults: []string{"lose-the-primary"}, more: failedOver},
			{
				name: "10-nginx-redis", docker: true, set: "cache=off",
				fails: []string{"errors < 1% in hang-redis", "errors < 1% in cut-redis"}, rest: true,
			},
			{
				name: "11-k6-under-fire", k6: true, set: "replicas=1", faults: []string{"lose-a-replica", "slow-store"}, rest: true,
				fails: []string{"errors < 5% in lose-a-replica"},
			},
			{
				name: "10-nginx-redis", docker: true, faults: []string{"lose-redis", "hang-redis", "lose-an-app", "cut-redis"},
				more: listsEvent("lose-redis", "container.start", "redis[0]"),
			},
			{
				name: "01-quickstart", set: "replicas=1", faults: []string{"lose-a-replica", "slow-store", "split"},
				fails: []string{"errors < 1%", "errors < 1% in lose-a-replica", "availability > 99%"},
			},
			{name: "18-compose", docker: true, faults: []string{"lose-store", "hang-store", "slow-store"}, more: onLink},
			{
				name: "18-compose", docker: true, set: "cache=off",
				fails: []string{"errors < 1% in lose-store", "errors < 1% in hang-store"}, rest: true,
			},
			{
				name: "09-docker-failover", docker: true, set: "defences=off", fails: []string{"errors < 1% in keep-one-down"},
				rest: true,
			},
			{name: "11-k6-under-fire", k6: true, faults: []string{"lose-a-replica", "slow-store"}, more: underFire},
			{name: "01-quickstart", faults: []string{"lose-a-replica", "slow-store", "split"}},
			{name: "09-docker-failover", docker: true, faults: []string{
				"lose-a-replica", "keep-one-down", "hang-users", "slow-store", "split", "lossy",
				"little-memory", "no-memory",
			}, more: listsEvent("keep-one-down", "container.die", "posts[1]")},
		}
		passes := map[string]bool{}
		for _, c := range cases {
			passes[c.name] = passes[c.name] || c.fails == nil
		}
		n := -1
		for _, c := range cases {
			ran[c.name] = true
			if turn.times > 0 && c.fails != nil && passes[c.name] { // the table is of examples as users run them first
				continue
			}
			if n++; n%turn.n != turn.k-1 {
				continue
			}
			name := strings.Join(strings.Fields(c.name+" "+c.drill+" "+strings.TrimSuffix(c.set, target.URL)), " ")
			t.Run(name, func(t *testing.T) {
				// real systems of several servers have fixed ports, elect in time if they are alone, and want a processor
				folder, _, _ := strings.Cut(c.name, "/")
				if c.drill == "" && !slices.Contains([]string{"42-nats", "43-rabbitmq", "53-rabbitmq"}, folder) {
					t.Parallel()
				}
				var args []string
				if c.alerting {
					args = append(args, "--set", "prometheus="+prometheusServer(t), "--set", "data="+t.TempDir())
				}
				if c.docker {
					suite.Needs(t, suite.Root) // process.crash signals a process of the container
					chaostest.Engine(t)
				}
				switch c.name {
				case "10-nginx-redis":
					release, _ := os.ReadFile("/etc/os-release")
					if !strings.Contains(string(release), "VERSION_CODENAME=bookworm") {
						suite.Lack(t, "its images are made of the packages of Debian 12")
					}
					args = append(args, "--set", "images="+images(t, c.name, "nginx", "redis", "app"))
				case "55-redis-in-containers":
					suite.Needs(t, suite.Programs(c.program))
					args = append(args, "--set", "images="+images(t, c.name, "redis-sentinel"))
				case "51-etcd-in-containers":
					suite.Needs(t, suite.Programs(strings.Fields(c.program)...))
					args = append(args, "--set", "images="+images(t, c.name, "etcd", "haproxy"))
				}
				if c.name == "18-compose" {
					args = append(args, "--set", "image="+composeImage(t))
				}
				if _, found := os.LookupEnv("BRUNT_K6"); c.k6 && !found {
					suite.Lack(t, "brunt-k6 is not built: `%s`; then say BRUNT_K6=$PWD/brunt-k6", k6Build)
				}
				if c.program != "" && !c.docker {
					suite.Needs(t, suite.Programs(strings.Fields(c.program)...))
				}
				if !c.docker && !c.alerting && hasData(t, c.name) {
					data := t.TempDir()
					if err := os.Chmod(filepath.Dir(data), 0o755); err != nil { // PostgreSQL runs as a user of its own
						t.Fatal(err)
					}
					args = append(args, "--set", "data="+data)
				}
				if c.own {
					args = append(args, "--set", "bin="+built(t, "brunt/examples/"+folder))
				}
				if c.name == "43-rabbitmq" {
					args = append(args, "--set", "dist="+freePort(t))
				}
				if c.name == "47-mqtt" {
					file := filepath.Join(t.TempDir(), "stored.log")
					args, c.more = append(args, "--set", "log="+file), func(t *testing.T, res *result.Result) { stored(t, res, file) }
				}
				if c.name == "42-nats/cluster.yaml" {
					args = append(args, "--set", "a="+freePort(t), "--set", "b="+freePort(t), "--set", "c="+freePort(t))
				}
				switch c.name { // an endpoint has a port of its own, as a link from the load needs
				case "62-frames-and-datagrams":
					args = append(args, "--set", "udp="+freePort(t))
					fallthrough
				case "41-dns", "45-http3":
					args = append(args, "--set", "port="+freePort(t))
				}
				if c.prometheus {
					p := startPrometheus(t, "--enable-feature=native-histograms")
					args, c.more = append(args, "--out", "prometheus="+p.url+"/api/v1/write"), p.watched
				}
				if c.set != "" {
					args = append(args, "--set", c.set)
				}
				want, exit := scenarios.Pass, 0
				if c.fails != nil {
					want, exit = scenarios.Fail, 3
				}
				if turn.times > 0 {
					for range turn.times {
						_, res := runExampleOnce(t, command, c.name, c.drill, args...)
						run := exampleRun{name, want, res.Verdict, res.Reason}
						if runs.add(run); run.untrue() {
							t.Errorf("%s: %s", res.Verdict, res.Reason)
						}
					}
					return
				}
				code, res := runExample(t, command, c.name, c.drill, args...)
				if res.Verdict != want || code != exit {
					t.Errorf("%s (%d): %s", res.Verdict, code, res.Reason)
				}
				for _, o := range res.Objectives {
					want := scenarios.Pass
					if slices.Contains(c.fails, o.Text) {
						want = scenarios.Fail
					}
					if o.Verdict != want && (want == scenarios.Fail || !c.rest) {
						t.Errorf("%s: %s, measured %g (%s)", o.Text, o.Verdict, o.Measured, o.Note)
					}
				}
				if c.because != "" && len(res.Errors) == 0 {
					t.Error("there was no error")
				}
				for _, e := range res.Errors {
					if c.because != "" && e.Kind != c.because {
						t.Errorf("%d errors of %s, want only %s", e.Count, e.Kind, c.because)
					}
				}
				if c.faults != nil {
					checkProved(t, res, c.faults...)
				}
				if c.more != nil {
					c.more(t, res)
				}
			})
		}
	})
	if turn.times > 0 {
		t.Logf("%s\n%s", turn.head(elsewhere), runs.table())
		if seldom := runs.seldom(); turn.spinning == 0 && len(seldom) > 0 {
			t.Errorf("fewer than 8 of 10 runs ended as the README says: %s", strings.Join(seldom, "; "))
		}
	}
	all, err := filepath.Glob(filepath.Join(top, "examples", "*", "scenario.yaml"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range all {
		if name := filepath.Base(filepath.Dir(file)); !ran[name] {
			t.Errorf("nothing runs example %s", name)
		}
	}
}

// freePort returns a port that no server uses.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// prometheusServer returns the path of Debian's Prometheus.
func prometheusServer(t *testing.T) string {
	t.Helper()
	return suite.Program(t, "prometheus", "prometheus")
}

// alerted checks that a real Prometheus reported the outage, and that the result has the times
// of the rule: a condition of 2 s fires, and ends when the last 5 s are good.
func alerted(t *testing.T, res *result.Result) {
	f := res.Faults[0]
	if len(f.Alerts) != 1 || f.Alerts[0].Fired < 2 || f.Alerts[0].FiredFrom >= f.Alerts[0].Fired ||
		f.Alerts[0].Resolved <= 0 || f.Detect != f.Alerts[0].Fired {
		t.Errorf("alerts %+v, detected after %v", f.Alerts, f.Detect)
	}
	if len(res.Alerts) != 1 || len(res.Alerts[0].Spells) != 1 {
		t.Fatalf("%+v", res.Alerts)
	}
	a := res.Alerts[0]
	s := a.Spells[0]
	if a.For != 2 || s.Fault != "lose-stock" || s.Pending < f.Injected || s.Firing < s.Pending+2-.2 ||
		s.Resolved < f.Cleared ||
		!strings.Contains(s.Text, `severity="page"`) {
		t.Errorf("%+v", a)
	}
	reported := map[string]int{}
	for _, s := range res.Series {
		reported[s.Name] = len(s.Points)
	}
	if reported["in-flight"] < 25 || reported["answered"] < 25 || reported["error-share"] < 20 {
		t.Errorf("points %v", reported)
	}
}

// k6Build builds brunt-k6.
const k6Build = "CGO_ENABLED=0 go build -C cmd/brunt-k6 -o ../../"

// TestDocuments_K6 checks that all documents build brunt-k6 by the same command.
func TestDocuments_K6(t *testing.T) {
	for _, file := range []string{"scenarios/README.md", "examples/11-k6-under-fire/README.md", "scenarios/k6/find.go"} {
		b, err := os.ReadFile(filepath.Join(top, file))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(b), `" + Binary + "`, "brunt-k6")
		if !strings.Contains(text, k6Build) {
			t.Errorf("%s does not say `%s`", file, k6Build)
		}
	}
}

// TestBrunt_LinksNoK6 checks that k6 is no part of brunt's module: its licence is another, and it affects build time.
// Only the module of brunt-k6 requires it.
func TestBrunt_LinksNoK6(t *testing.T) {
	for file, want := range map[string]bool{"go.mod": false, "go.sum": false, "cmd/brunt-k6/go.mod": true} {
		modules, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(modules), "go.k6.io/"); got != want {
			t.Errorf("k6 in %s: %t, want %t", file, got, want)
		}
	}
}

// underFire checks that the script triggered its fault, and that the result has its steps and
// thresholds.
func underFire(t *testing.T, res *result.Result) {
	if got := res.Loads[0].Steps; len(got) != 3 || !slices.Contains(got, "read post") {
		t.Errorf("steps %v", got)
	}
	thresholds := 0
	for _, o := range res.Objectives {
		if o.List == "threshold" {
			thresholds++
		}
	}
	if thresholds != 4 || !slices.ContainsFunc(res.Metrics,
		func(m result.ScriptMetric) bool { return m.Name == "page_size" && m.Count > 1000 && m.P50 == 10 }) {
		t.Errorf("%d thresholds, metrics %+v", thresholds, res.Metrics)
	}
}

// failedOver checks that the provider's tool failed its database over, and that the team's
// monitoring detected it: both within the times that follow from the design of the example.
func failedOver(t *testing.T, res *result.Result) {
	f := res.Faults[0]
	// A promotion takes 1 s; its cost shows in windows of at least 1 s.
	if f.Impact != result.Impacted || f.Failed < 50 || f.Recover > 4 || f.Failover > 4 {
		t.Errorf("%s: %d failed, failover %v, recover %v", f.Impact, f.Failed, f.Failover, f.Recover)
	}
	// Three checks of the monitoring, 500 ms apart, after the promotion.
	if f.Detect < 1.9 || f.Detect > 4.5 || f.DetectResolution > 2 ||
		!strings.Contains(f.DetectNote, "DatabaseFailedOver") {
		t.Errorf("detected after %v (±%v): %s", f.Detect, f.DetectResolution, f.DetectNote)
	}
	if f.Revert != "ok" || !strings.Contains(f.GoneEvidence, "a is the primary") {
		t.Errorf("%s: %s", f.Revert, f.GoneEvidence)
	}
}

// stored compares what brunt says of the readings with the log of the collector, which has an id in each line.
func stored(t *testing.T, res *result.Result, log string) {
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for id := range strings.FieldsSeq(string(text)) {
		ids[id] = true
	}
	d := res.Deliveries[0]
	if seen := d.Acknowledged - d.Lost + d.Present; int64(len(ids)) != seen || d.Unknown > 0 || d.Foreign > 0 {
		t.Errorf("the collector has %d readings; brunt saw %d of %d, and lost %d: %+v", len(ids), seen, d.Acknowledged, d.Lost, d)
	}
	for _, k := range d.Keys {
		if k.State == result.DeliveryLost && ids[k.ID] {
			t.Errorf("the collector has %s, which brunt calls lost", k.ID)
		}
	}
}

// images builds the images of an example: PREFIX-PART of each part. They are removed with the test.
func images(t *testing.T, name string, parts ...string) string {
	t.Helper()
	prefix := "brunt-test-" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		for _, part := range parts {
			if out, err := exec.Command("docker", "rmi", "--force", prefix+"-"+part).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		}
	})
	make := exec.Command(filepath.Join(top, "examples", name, "images.sh"), prefix, "brunt.test="+prefix)
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("making the images: %v\n%s", err, out)
	}
	return prefix
}

// composeImage builds the image of the Compose example. It is removed with the test.
func composeImage(t *testing.T) string {
	t.Helper()
	suite.Needs(t, suite.Compose)
	name := "brunt-test-" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		if out, err := exec.Command("docker", "rmi", "--force", name).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	if out, err := exec.Command(filepath.Join(top, "examples", "18-compose", "image.sh"), name,
		"brunt.test="+name).CombinedOutput(); err != nil {
		t.Fatalf("making the image: %v\n%s", err, out)
	}
	return name
}

// onLink checks that the fault on the packets between two services names both.
func onLink(t *testing.T, res *result.Result) {
	for _, f := range res.Faults {
		if want := []string{"api[0]->store[0]"}; f.Name == "slow-store" && !slices.Equal(f.Links, want) {
			t.Errorf("%s is on %q, want %q", f.Name, f.Links, want)
		}
	}
}

// listsEvent checks that a fault lists an event of a container.
func listsEvent(fault, event, unit string) func(t *testing.T, res *result.Result) {
	return func(t *testing.T, res *result.Result) {
		for _, f := range res.Faults {
			if f.Name == fault && !slices.ContainsFunc(f.Events,
				func(e result.Event) bool { return e.Event == event && e.Unit == unit }) {
				t.Errorf("%s does not tell of %s of %s: %+v", fault, event, unit, f.Events)
			}
		}
	}
}

// beheaded checks that each leader was crashed in turn, and a zone as a whole.
func beheaded(t *testing.T, res *result.Result) {
	for _, f := range res.Faults {
		if f.Leader != (len(f.Units) == 1) || (f.Name == "lose-zone") != slices.Equal(f.Zones, []string{"a"}) {
			t.Errorf("%s hit %v in %v", f.Name, f.Units, f.Zones)
		}
	}
	if len(res.Repeats) != 1 || res.Repeats[0].Occurrences != 3 || res.Repeats[0].Recover.N != 3 {
		t.Errorf("%+v", res.Repeats)
	}
}

// oneIncident checks that a group of three faults is one fault, with the recovery time of its one incident.
func oneIncident(t *testing.T, res *result.Result) {
	f := &res.Faults[0]
	if len(f.Steps) != 3 || len(res.Incidents) != 1 {
		t.Fatalf("%d steps, %d incidents", len(f.Steps), len(res.Incidents))
	}
	in := &res.Incidents[0]
	if lasted := float64(in.End - in.Begin); lasted < 2 || lasted > 5 || math.Abs(lasted-float64(f.Recover)) > .02 {
		t.Errorf("an incident of %.2f s, recovered after %v", lasted, f.Recover)
	}
	if kill, promote := &f.Steps[1], &f.Steps[2]; in.Begin < kill.Injected || in.End < promote.Injected {
		t.Errorf("killed at %v, promoted at %v, incident from %v to %v", kill.Injected, promote.Injected, in.Begin, in.End)
	}
}

// checkProved checks that the faults were active and are gone.
func checkProved(t *testing.T, res *result.Result, names ...string) {
	t.Helper()
	var found []string
	for _, f := range res.Faults {
		found = append(found, f.Name)
		if !f.Verified.Known() || !f.Gone || f.Traffic == 0 || f.Evidence == "" || f.GoneEvidence == "" {
			t.Errorf("%s is not proved: %+v", f.Name, f)
		}
	}
	if !slices.Equal(found, names) {
		t.Errorf("faults %v, want %v", found, names)
	}
}
