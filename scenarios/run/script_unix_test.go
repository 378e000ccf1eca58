//go:build unix

package run_test

import (
	"context"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// long is a script that outlasts the test.
const long = `
import http from 'k6/http';
import { sleep } from 'k6';
export const options = { vus: 5, duration: '5m' };
export default function () { http.get(__ENV.BRUNT_URL + '/ok'); sleep(0.01); }
export function teardown() { http.get(__ENV.BRUNT_URL + '/teardown'); }
`

const longText = `version: 1
target: {url: "URL"}
load: {users: {k6: script.js}}
chaos: {slow: {at: 50ms, for: 4m, http.delay: {from: load, to: target, delay: 5ms}}}
slo: [errors < 50%]
`

var pidText = regexp.MustCompile(`pid ([0-9]+)`)

// whileRunning runs a plan, and calls do with the script's process once load flows and the fault is
// active.
func whileRunning(t *testing.T, ctx context.Context, plan *plan.Plan, state string, do func(pid int)) *result.Result {
	t.Helper()
	var pid int
	var mu sync.Mutex
	var once sync.Once
	res, err := run.Run(ctx, plan, run.Options{State: state, Event: func(e result.Event) {
		mu.Lock()
		defer mu.Unlock()
		if m := pidText.FindStringSubmatch(e.Text); e.Event == "script.start" && m != nil {
			pid, _ = strconv.Atoi(m[1])
		}
		if e.Event == "fault.injected" {
			once.Do(func() { go do(pid) })
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if pid == 0 {
		t.Fatal("no script was started")
	}
	if err := syscall.Kill(pid, 0); err == nil {
		t.Errorf("the script's process %d is still there", pid)
	}
	if left, _ := os.ReadDir(state); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	for _, f := range res.Faults {
		if !f.Gone || f.Revert != "ok" {
			t.Errorf("%s was not taken back: %+v", f.Name, f)
		}
	}
	return res
}

// TestScript_Killed kills a script's process at random moments: the run ends at once, reports it,
// and undoes its fault. BRUNT_KILLS sets how often.
func TestScript_Killed(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	t.Parallel()
	times := 3
	if n, err := strconv.Atoi(os.Getenv("BRUNT_KILLS")); err == nil {
		times = n
	}
	s := newTallied(t)
	for i := range times {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			after := time.Duration(rand.Int64N(int64(500 * time.Millisecond)))
			res := whileRunning(t, t.Context(), scripted(t, s.URL, longText, long), t.TempDir(), func(pid int) {
				time.Sleep(after) // simulates a script that runs for this long before the kill
				_ = syscall.Kill(pid, syscall.SIGKILL)
			})
			if res.Verdict != scenarios.Broken || res.ExitCode != 1 ||
				!strings.Contains(res.Reason, `Load "users": its script failed: signal: killed`) {
				t.Errorf("killed after %s: %s (%d): %s", after, res.Verdict, res.ExitCode, res.Reason)
			}
		})
	}
}

// TestScript_Interrupted: a script whose run is ended does its teardown, and one that does not react
// is killed.
func TestScript_Interrupted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		stop bool // the process is stopped, so it does not react
	}{{"listens", false}, {"is stopped", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.stop && testing.Short() {
				t.Skip("takes 15 s")
			}
			s := newTallied(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			res := whileRunning(t, ctx, scripted(t, s.URL, longText, long), t.TempDir(), func(pid int) {
				suite.Within(20*time.Second, func() bool { return s.of("/ok") > 0 })
				if c.stop {
					_ = syscall.Kill(pid, syscall.SIGSTOP)
				}
				cancel(run.Interrupt{Code: 130})
			})
			if res.Verdict != scenarios.Interrupted || res.ExitCode != 130 {
				t.Errorf("%s (%d): %s", res.Verdict, res.ExitCode, res.Reason)
			}
			if !c.stop && s.of("/teardown") != 1 { // a stopped process may reach its teardown before it is killed
				t.Errorf("teardown ran %d times", s.of("/teardown"))
			}
		})
	}
}
