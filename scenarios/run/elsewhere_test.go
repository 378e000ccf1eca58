package run_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// keep serves a store with one copy: PUT /w/ID keeps an id, but for every fourth, which it acknowledges and loses. GET
// /w/ID tells whether it has it.
func keep() error {
	var mu sync.Mutex
	have, n := map[string]bool{}, 0
	return http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), //nolint:gosec // a test
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case r.Method == http.MethodPut:
				n++
				have[r.URL.Path] = n%4 != 0
			case r.URL.Path != "/" && !have[r.URL.Path]:
				http.NotFound(w, r)
			}
		}))
}

// TestLedger_Elsewhere: after a split brain the clients' address leads to one server, and the writes are on another
// one: they are not gone, and nothing says that clients will read them. Writes that no server has are lost.
func TestLedger_Elsewhere(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{
		"units":        `at: ["db[0]"]`,
		"the endpoint": ``,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := runOnce(t, fmt.Sprintf(`version: 1
name: split brain
seed: 7
target: {processes: {db: {command: [%q, role, keep], replicas: 2, ready: {get: /}}}, entry: db}
load:
  main:
    executor: shared-iterations
    vus: 2
    iterations: %d
    flow: [{put: "http://${unit.db[1].addr}/w/${ledger.id}", name: write}]
ledger: {write: write, id: "${ledger.id}", read: {get: "/w/${id}"}, settle: 0s, within: 4s, %s}
slo: [lost < 1, lost <= %d, lost <= %d, stale < 10%%]
`, os.Args[0], written, at, written/4, written), run.Options{State: t.TempDir(), Proxies: self("proxies")})
			l := res.Ledger
			if l.Lost != written/4 || l.Elsewhere != written-written/4 || l.Unsure() != l.Elsewhere || l.Held != 0 ||
				!slices.Equal(l.Holders, []string{"db[1]"}) {
				t.Errorf("%d lost, %d elsewhere (%v), %d held; want %d, the rest at db[1], none", l.Lost, l.Elsewhere, l.Holders,
					l.Held, written/4)
			}
			for i, want := range []scenarios.Verdict{
				scenarios.Fail, scenarios.Inconclusive, scenarios.Pass, scenarios.Fail,
			} {
				if o := &res.Objectives[i]; o.Verdict != want {
					t.Errorf("%s is %s (%s), want %s", o.Text, o.Verdict, o.Note, want)
				}
			}
			if o := &res.Objectives[1]; !strings.Contains(o.Note, "are on db[1], not where clients read") {
				t.Errorf("%s: %q", o.Text, o.Note)
			}
			for _, k := range l.Keys {
				if there := k.Found["db[1]"] > 0; there != (k.State == result.WriteElsewhere) || k.Found["db[0]"] != 0 {
					t.Errorf("%+v", k)
				}
			}
		})
	}
}

// keepRedis serves Redis's protocol: a store as that of [keep], or a sentinel that names a primary.
func keepRedis(primary string) error {
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		return err
	}
	var mu sync.Mutex
	have, n := map[string]bool{}, 0
	answer := func(command []string) string {
		mu.Lock()
		defer mu.Unlock()
		switch strings.ToUpper(command[0]) {
		case "SENTINEL":
			host, port, _ := net.SplitHostPort(primary)
			return fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(host), host, len(port), port)
		case "SET":
			n++
			have[command[1]] = n%4 != 0
		case "GET":
			if !have[command[1]] {
				return "$-1\r\n"
			}
			return "$1\r\nx\r\n"
		}
		return "+OK\r\n"
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			r := bufio.NewReader(c)
			number := func() int {
				line, _ := r.ReadString('\n')
				n, _ := strconv.Atoi(strings.Trim(line, "*$\r\n"))
				return n
			}
			for {
				command := make([]string, number())
				for i := range command {
					b := make([]byte, number()+2)
					if _, err := io.ReadFull(r, b); err != nil {
						return
					}
					command[i] = string(b[:len(b)-2])
				}
				if len(command) == 0 {
					return
				}
				_, _ = io.WriteString(c, answer(command))
			}
		}()
	}
}

// wroteElsewhere checks that of the writes of a run each fourth is lost, and that holder has the others.
func wroteElsewhere(t *testing.T, res *result.Result, holder string) {
	t.Helper()
	l := res.Ledger
	if l.Lost != written/4 || l.Elsewhere != written-written/4 || l.Held != 0 ||
		!slices.Equal(l.Holders, []string{holder}) {
		t.Errorf("%d lost, %d elsewhere (%v), %d held (%s); want %d, the rest at %s, none", l.Lost, l.Elsewhere, l.Holders,
			l.Held, l.Note, written/4, holder)
	}
}

// TestLedger_Elsewhere_Sentinel: a sentinel names the primary from which clients read; the writes are on another one.
func TestLedger_Elsewhere_Sentinel(t *testing.T) {
	t.Parallel()
	wroteElsewhere(t, runOnce(t, fmt.Sprintf(`version: 1
name: two primaries
seed: 7
target:
  entry: db
  processes:
    db: {command: [%[1]q, role, keep-redis], replicas: 2}
    sentinel: {command: [%[1]q, role, keep-redis, "${unit.db[0].addr}"]}
  endpoints:
    store: "redis+sentinel://${unit.sentinel[0].addr}/shop?protocol=2"
    before: "redis://${unit.db[1].addr}?protocol=2"
load:
  main:
    executor: shared-iterations
    vus: 2
    iterations: %[2]d
    flow: [{redis: [SET, "${ledger.id}", x], name: write, at: before}]
ledger: {write: write, id: "${ledger.id}", read: {redis: [GET, "${id}"], at: store}, settle: 0s, within: 4s}
slo: [lost < 1]
`, os.Args[0], written), run.Options{State: t.TempDir(), Proxies: self("proxies")}), "db[1]")
}

// TestLedger_Elsewhere_Addresses: a name leads to two addresses. The connection by which brunt reads has one of them,
// and the other one has the writes.
func TestLedger_Elsewhere_Addresses(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	have, n := map[string]bool{}, 0
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Host != "shop.test" || !have[r.URL.Path] {
			http.NotFound(w, r)
		}
	}))
	defer other.Close()
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method != http.MethodPut {
			http.NotFound(w, r)
			return
		}
		n++
		have[r.URL.Path] = n%4 != 0
	}))
	defer first.Close()
	at := strings.TrimPrefix(other.URL, "http://")
	wroteElsewhere(t, runOnce(t, fmt.Sprintf(`version: 1
name: two addresses
seed: 7
target: {url: "http://shop.test"}
load:
  main:
    executor: shared-iterations
    vus: 1
    iterations: %d
    resolve: {shop.test: "%s,%s"}
    connections: {max: 1}
    flow: [{put: "/w/${ledger.id}", name: write}]
ledger: {write: write, id: "${ledger.id}", read: {get: "/w/${id}"}, settle: 0s, within: 4s}
slo: [lost < 1]
guard: {allow: {load: [shop.test]}}
`, written, strings.TrimPrefix(first.URL, "http://"), at), run.Options{State: t.TempDir()}), at)
}
