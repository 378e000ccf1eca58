package run_test

import (
	"strings"
	"testing"

	"brunt/scenarios/run"
)

// TestCall_Hold: a lock that a session holds stops the statements of a load, and the end of the session lets them go
// on. One that the server ends before its time is void.
func TestCall_Hold(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a PostgreSQL")
	}
	t.Parallel()
	url := newPostgres(t)
	const scenario = `
version: 1
name: locked
seed: 7
target: {endpoints: {db: "URL", admin: "URL?application_name=admin"}}
setup: [{sql: "create table if not exists orders (id int)", at: db}]
load:
  main: {executor: constant-arrival-rate, rate: 20/s, duration: 4s, timeout: 5s, flow: [{sql: "select id from orders", at: db, name: read}]}
chaos:
  lock:
    at: 1s
    for: 1s
    call:
      hold: [{sql: begin}, {sql: "lock table orders in access exclusive mode"}]
      at: admin
      verify: {ask: {sql: "select 1 from pg_locks where mode = 'AccessExclusiveLock' and granted", at: admin, check: {rows: "> 0"}}}
`
	for _, c := range []struct{ name, more, reason string }{
		{"held", "", ""},
		{"ended", `  cut:
    at: 1500ms
    within: 1s
    call:
      inject: {sql: "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'admin' and pid <> pg_backend_pid()"}
      at: admin
      revert: none
      verify: {ask: {sql: "select 1 from pg_locks where mode = 'AccessExclusiveLock' and granted", at: admin, check: {rows: "0"}}}
      gone: {ask: {sql: "select 1", at: admin}}
`, "verify held, and does not any more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := runOnce(t, strings.ReplaceAll(scenario+c.more, "URL", url), run.Options{})
			if c.reason != "" {
				if len(res.Faults) != 2 || !strings.Contains(res.Faults[0].Note, c.reason) {
					t.Errorf("%s: %s: %+v", res.Verdict, res.Reason, res.Faults)
				}
				return
			}
			if len(res.Faults) != 1 {
				t.Fatalf("%d faults: %s: %s", len(res.Faults), res.Verdict, res.Reason)
			}
			f, held, all := res.Faults[0], cellOf(res, "lock", "ok"), cellOf(res, "run", "*")
			if f.Evidence == "" || !f.Gone || f.Via != "steps" || len(f.Units) != 1 || f.Units[0] != "admin" ||
				cellOf(res, "run", "ok").Count != all.Count {
				t.Errorf("%s, %s: %+v", res.Verdict, res.Reason, f)
			}
			if most := held.Response.Max; most < .8 || most > 3 || all.Count != 80 {
				t.Errorf("the slowest of %d statements took %v s while the table was locked for 1 s", all.Count, most)
			}
		})
	}
}
