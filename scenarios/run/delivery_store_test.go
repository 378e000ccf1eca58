package run_test

import (
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/run"
)

// TestDeliveries_Stores plants lost and doubled messages in a table of PostgreSQL and in a stream of Redis, which brunt
// asks. It finds as many as the store itself has.
func TestDeliveries_Stores(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	for _, c := range []struct {
		name        string
		start       func(*testing.T) string
		setup, step string
		seen        string
		// acked and stored ask the store by a client of its own: orders that were accepted, and all that it has of them
		acked, stored []string
	}{
		{
			"postgres", newPostgres,
			`[{sql: "create sequence n"}, {sql: "create table sent (seq bigserial primary key, id text)"}]`,
			`{sql: "insert into sent (id) select $1 from generate_series(1, case nextval('n') % 10 when 3 then 0 when 7 then 2 else 1 end)",
         args: ["${delivery.id}"], name: place}`,
			`{ask: {sql: "select seq, id from sent order by seq"}, repeats: on, every: 50ms, id: "$[*].id"}`,
			[]string{"-Atc", "select last_value from n"},
			[]string{"-Atc", "select count(*) from sent"},
		},
		{
			"redis", newRedis, `[{redis: [DEL, sent]}]`,
			`{redis: [EVAL, "local n = redis.call('INCR', 'n') local t = 1
         if n % 10 == 3 then t = 0 elseif n % 10 == 7 then t = 2 end
         for i = 1, t do redis.call('XADD', 'sent', '*', 'id', ARGV[1]) end return n", "0",
         "${delivery.id}"],
         name: place}`,
			`{ask: {redis: [XREAD, BLOCK, "200", STREAMS, sent, "${var.after}"]}, after: "$.sent[*][0]", id: "$.sent[*][1][1]"}`,
			[]string{"GET", "n"},
			[]string{"XLEN", "sent"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at := c.start(t)
			res := runOnce(t, fmt.Sprintf(`
version: 1
target: {endpoints: {store: "%s"}}
setup: %s
load: {shop: {executor: constant-arrival-rate, rate: 100/s, duration: 3s, flow: [%s]}}
deliveries: {order: {sent: place, seen: %s, within: 2s, settle: 3s}}
slo: [lost = 0 of order, duplicated < 100 of order]
`, at, c.setup, c.step, c.seen), run.Options{})
			acked, stored := askStore(t, at, c.acked), askStore(t, at, c.stored)
			lost, doubled := (acked+7)/10, (acked+3)/10
			if acked < 250 || stored != acked-lost+doubled {
				t.Fatalf("the store has %d of %d orders", stored, acked)
			}
			d := res.Deliveries[0]
			if d.Acknowledged != int64(acked) || d.Lost != int64(lost) || d.Duplicated != int64(doubled) ||
				d.Sightings != int64(stored) || d.Unknown+d.Unreadable+d.Present+d.Foreign != 0 || !d.Settled {
				t.Errorf("the store: %d acknowledged, %d lost, %d doubled, %d stored; brunt: %+v", acked, lost, doubled, stored, d)
			}
			for i, want := range []scenarios.Verdict{scenarios.Fail, scenarios.Pass} {
				if o := res.Objectives[i]; o.Verdict != want {
					t.Errorf("%s: %s, want %s", o.Text, o.Verdict, want)
				}
			}
		})
	}
}

// askStore asks a store for a number, by its own client.
func askStore(t *testing.T, at string, args []string) int {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	program, where := "redis-cli", []string{"-p", u.Port()}
	if u.Scheme == "postgres" {
		program = installed(t, "psql", "/usr/lib/postgresql/*/bin/psql")
		where = []string{"-h", u.Hostname(), "-p", u.Port(), "-U", "postgres", strings.Trim(u.Path, "/")}
	}
	out, err := exec.Command(program, append(where, args...)...).Output()
	n, parsed := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil || parsed != nil {
		t.Fatalf("%s %q: %q, %v", filepath.Base(program), args, out, err)
	}
	return n
}
