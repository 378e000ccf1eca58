package run_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// newTarget is a system under test within the test process. /slow takes 100 ms, /fail is a 500.
func newTarget(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			time.Sleep(100 * time.Millisecond) // simulates work
		case "/fail":
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, `{"ok":true}`)
	}))
	t.Cleanup(s.Close)
	return s
}

// pair is a target of two services: web calls store only under /far.
const pair = `
target:
  processes:
    web: {command: [ECHO], links: [store], ready: {get: /}}
    store: {command: [ECHO], ready: {get: /}}
  entry: web
`

// A unit that brunt stopped must come back, whatever its restart policy: that it does not is a finding about the
// target, which brunt started. Its time limit makes the test long.
func TestVerdict_NeverStartedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 40 s")
	}
	t.Parallel()
	text := `version: 1
target: {processes: {web: {command: [ONCE], restart: never, ready: {get: /, within: 2s}}}}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 4s, timeout: 500ms, flow: [{get: /}]}
chaos:
  stop: {at: 1s, for: 500ms, process.stop: {service: web}}
slo: [errors < 100%]
`
	once := fmt.Sprintf("%q, role, once, %q", os.Args[0], t.TempDir()+"/once")
	res, err := run.Run(t.Context(), mustCompile(t, strings.ReplaceAll(text, "ONCE", once)),
		run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict != scenarios.Fail || res.ExitCode != 3 ||
		!strings.HasPrefix(res.Reason, "stop was taken back; web[0] did not become ready in ") ||
		strings.Contains(res.Reason, "context deadline") {
		t.Errorf("%s (%d): %s", res.Verdict, res.ExitCode, res.Reason)
	}
}

// TestJudgeRecord_Down: a unit that is not ready again is a finding about the target if brunt started it, and is left
// to its owner, by exit code 7, if brunt did not and it stays down. A fault that could not be taken back is neither.
func TestJudgeRecord_Down(t *testing.T) {
	down := errors.New("web[0] did not become ready in 30s: GET /: 503")
	survived := errors.New("web[0] survived SIGTERM; SIGKILL ends it")
	for _, c := range []struct {
		name   string
		rec    chaos.Record
		theirs bool
		want   []result.Reason
	}{
		{"well", chaos.Record{Gone: true}, true, nil},
		{
			"a unit of brunt's own",
			chaos.Record{Gone: true, Down: down, StaysDown: true},
			false,
			[]result.Reason{{Kind: result.NotReadyAgain, Verdict: scenarios.Fail, Fault: "f", Text: down.Error()}},
		},
		{
			"another's unit",
			chaos.Record{Gone: true, Down: down, StaysDown: true},
			true,
			[]result.Reason{{Kind: result.StaysDown, Verdict: scenarios.NotReverted, Fault: "f", Text: down.Error()}},
		},
		{
			"another's unit, which was ready at the end of the run",
			chaos.Record{Gone: true, Down: down},
			true,
			[]result.Reason{{Kind: result.NotReadyAgain, Verdict: scenarios.Fail, Fault: "f", Text: down.Error()}},
		},
		{
			"a fault that is still in",
			chaos.Record{RevertErr: errors.New("no such process"), Down: down},
			false,
			[]result.Reason{{
				Kind: result.NotUndone, Verdict: scenarios.NotReverted, Fault: "f", Text: "no such process",
			}},
		},
		{
			"a one-shot that its unit survived",
			chaos.Record{OneShot: true, VerifyErr: survived},
			false,
			[]result.Reason{{Kind: result.NoEffect, Verdict: scenarios.Invalid, Fault: "f", Text: survived.Error()}},
		},
		{
			"a step that its unit survived",
			chaos.Record{Gone: true, VerifyErr: survived, Steps: []*chaos.Record{{OneShot: true, VerifyErr: survived}}},
			false,
			[]result.Reason{{Kind: result.NoEffect, Verdict: scenarios.Invalid, Fault: "f", Text: survived.Error()}},
		},
	} {
		if got := run.JudgeRecord(&c.rec, "f", c.theirs); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestHowEnded: a fault that found its unit down says how the unit had ended by itself, unless a fault was on it then.
func TestHowEnded(t *testing.T) {
	exit := func(unit string) result.Event {
		return result.Event{T: 4.85, Event: "unit.exit", Unit: unit, Text: "exit status 3"}
	}
	by := result.FaultRecord{Name: "g", Units: []string{"store[0]"}, Injected: 4, Cleared: 6, Until: 6}
	for _, c := range []struct {
		name, want string
		res        result.Result
	}{
		{
			"by itself", ": it had ended by itself at 4.85s (exit status 3); look at its output",
			result.Result{Events: []result.Event{exit("store[0]")}},
		},
		{"another unit", "", result.Result{Events: []result.Event{exit("web[0]")}}},
		{
			"with a fault on it", "",
			result.Result{Events: []result.Event{exit("store[0]")}, Faults: []result.FaultRecord{by}},
		},
	} {
		if got := run.HowEnded(&c.res, "store[0]"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestDecide_OwnEnd: a fault on a unit that has ended by itself is not injected, and the reason says how the unit
// ended.
func TestDecide_OwnEnd(t *testing.T) {
	t.Parallel()
	res := runOnce(t, `version: 1
target:
  processes:
    web: {command: [ECHO], ready: {get: /}}
    job: # it serves for a second
      {command: [sh, -c, '"$@" & sleep 1; kill $!; exit 3', sh, ECHO], restart: never, ready: {get: /}}
  entry: web
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 4s, flow: [{get: /}]}}
chaos: {hit: {at: 3s, for: 500ms, process.freeze: {unit: "job[0]"}}}
`, run.Options{})
	for _, want := range []string{
		"hit was not injected: job[0] does not run: it had ended by itself at ", "(exit status 3); look at its output",
	} {
		if !strings.Contains(res.Reason, want) {
			t.Errorf("%s: %s", res.Verdict, res.Reason)
		}
	}
}

// TestExplainsDown: a unit was not well again within 60 s after a crash at 20 s, or in the 30 s after the end of a
// fault at 40 s. Waits explain that where they are half of the time, while other programs held the processors.
func TestExplainsDown(t *testing.T) {
	sec := time.Second
	all := []requests.Span{{To: 100 * sec}}
	crash := chaos.Record{OneShot: true, Injected: 20 * sec, Within: 60 * sec, Cleared: 80 * sec, Over: 80 * sec}
	freeze := chaos.Record{Injected: 20 * sec, Cleared: 40 * sec, Over: 70 * sec}
	group := chaos.Record{Injected: 20 * sec, Cleared: 80 * sec, Over: 80 * sec, Steps: []*chaos.Record{&crash}}
	for _, c := range []struct {
		name  string
		rec   chaos.Record
		held  []requests.Span
		waits time.Duration
		want  bool
	}{
		{"a crash, and waits of half of it", crash, all, 30 * sec, true},
		{"a crash, and waits of less", crash, all, 29 * sec, false},
		{"a crash, and nothing held the machine", crash, nil, 60 * sec, false},
		{"a crash, and the machine was held for a third of it", crash, []requests.Span{{To: 40 * sec}}, 60 * sec, false},
		{"a freeze, and waits of half of it", freeze, all, 15 * sec, true},
		{"a freeze, and waits of less", freeze, all, 14 * sec, false},
		{"a freeze, and the machine was held before its end", freeze, []requests.Span{{To: 40 * sec}}, 30 * sec, false},
		{"a step of a group, and waits of half of it", group, all, 30 * sec, true},
		{"a step of a group, and waits of less", group, all, 29 * sec, false},
		{"a fault that was not waited for", chaos.Record{Injected: 20 * sec, Cleared: 40 * sec}, all, 60 * sec, false},
	} {
		waits := func(in requests.Span) time.Duration { return min(c.waits, in.Length()) }
		if got := run.ExplainsDown(&c.rec, c.held, waits); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

// TestVerdict reaches every verdict of a run.
func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		text   string // URL stands for the target's
		want   scenarios.Verdict
		code   int
		reason string
	}{
		{
			"pass", `
target: {url: URL}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /}]}
slo: [errors < 5%, availability > 90%]
`, scenarios.Pass, 0, "All 2 objectives held.",
		},
		{
			"no objective", `
target: {url: URL}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 300ms, flow: [{get: /fail}]}
`, scenarios.None, 3, "100% of requests failed and no objective asks about it.",
		},
		{
			"no objective, all good", `
target: {url: URL}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 300ms, flow: [{get: /}]}
`, scenarios.None, 0, "Every request and check was good",
		},
		{
			"fail", `
target: {url: URL}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /fail}]}
slo: [p50 < 5s, errors < 5%]
`, scenarios.Fail, 3, "2 of 2 objectives failed, one of them p50 < 5s, and more requests failed than it allows",
		},
		{
			"inconclusive", `
target: {url: URL}
load:
  main: {executor: constant-vus, vus: 1, duration: 1s, flow: [{get: /slow}]}
slo: [p99 < 5s]
`, scenarios.Inconclusive, 8, "The objective could not be decided: p99 < 5s",
		},
		{
			"not ready, a process", `
target: {processes: {web: {command: [SLEEP], ready: {get: /, within: 300ms}}}}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /}]}
slo: [errors < 5%]
`, scenarios.Invalid, 5, "The target did not become ready: web[0] is not ready: not within 300ms",
		},
		{
			"not ready, a URL", `
target: {url: URL, ready: {get: /fail, within: 300ms}}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /}]}
slo: [errors < 5%]
`, scenarios.Invalid, 5, "The target did not become ready",
		},
		{
			"setup failed", `
target: {url: URL}
setup: [{get: /}, {post: /fail}]
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /}]}
slo: [errors < 5%]
`, scenarios.Invalid, 5, "Setup failed: POST /fail: status 500",
		},
		{
			"unique data used up", `
target: {url: URL}
data: {users: {range: 1..20, pick: unique}}
load:
  main: {executor: constant-vus, vus: 2, duration: 20s, flow: [{get: "/${data.users.value}"}]}
slo: [errors < 50%]
`, scenarios.Inconclusive, 8, "Unique data is used up",
		},
		{
			"no traffic at the link", pair + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 1500ms, flow: [{get: /}]}
chaos:
  slow-store: {at: 500ms, for: 500ms, network.latency: {from: web, to: store, delay: 50ms}}
slo: [errors < 5%]
`, scenarios.Inconclusive, 8, "slow-store affected no traffic",
		},
		{
			"no request at the unit", pair + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 4500ms, flow: [{get: /}]}
chaos:
  freeze: {at: 3s, for: 500ms, process.freeze: {service: store}}
slo: [errors < 5%]
`, scenarios.Inconclusive, 8, "freeze affected no traffic",
		},
		{
			"no traffic at the unit", pair + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /}]}
  late: {executor: constant-arrival-rate, rate: 100/s, start: 5s, duration: 100ms, flow: [{get: /}]}
chaos:
  freeze: {at: 3s, for: 500ms, process.freeze: {service: store}}
`, scenarios.Inconclusive, 8, "freeze affected no traffic",
		},
		{
			"stopped", pair + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, timeout: 500ms, flow: [{get: /far}]}
chaos:
  cut: {at: 1s, for: 15s, network.partition: {from: web, to: store, mode: reject}}
stop: [errors > 50% for 1s]
slo: [errors < 5%]
`, scenarios.Stopped, 6, "Stop condition met: errors > 50% for 1s",
		},
		{
			"unsteady", pair + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, flow: [{get: /fail}]}
chaos:
  cut: {at: 1s, for: 1s, network.partition: {from: web, to: store}}
  later: {at: 5s, for: 1s, network.latency: {from: web, to: store, delay: 50ms}}
  last: {after: later, wait: 1s, process.crash: {service: store}}
steady: [errors < 5%]
slo: [errors < 5%, recover < 1s after last, errors < 100% in cut]
judge: {hold: 1s}
`, scenarios.Fail, 3, "The steady state did not hold: `errors < 5%`, measured 100%",
		},
		{
			"baseline of errors", pair + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, flow: [{get: /fail}]}
chaos:
  cut: {at: 1s, for: 1s, network.partition: {from: web, to: store}}
  later: {at: 5s, for: 1s, network.latency: {from: web, to: store, delay: 50ms}}
slo: [errors < 5%, recover < 1s after cut]
judge: {hold: 1s}
`, scenarios.Invalid, 5, "The baseline failed: ",
		},
		{
			"an objective on a baseline of errors", pair + `
load:
  main: {executor: constant-arrival-rate, rate: 200/s, duration: 20s, flow: [{get: /fail}]}
chaos:
  cut: {at: 500ms, for: 1s, network.partition: {from: web, to: store}}
slo: [errors < 100% in cut, errors < 5% in baseline]
judge: {hold: 1s}
`, scenarios.Fail, 3, "1 of 2 objectives failed, 1 could not be decided: errors < 5% in baseline, measured 100%",
		},
		{
			"it never came back", `
target: {processes: {web: {command: [ONCE], restart_delay: 100ms, ready: {get: /}}}}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 3s, timeout: 500ms, flow: [{get: /}]}
chaos:
  crash: {at: 1s, within: 1s, process.crash: {service: web}}
slo: [errors < 5%]
`, scenarios.Fail, 3, "crash: its unit was not healthy again within 1s: web[0] did not become ready in 1s: ",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			target := newTarget(t)
			text := "version: 1\nname: " + c.name + "\n" + strings.ReplaceAll(c.text, "URL", fmt.Sprintf("%q", target.URL))
			res := inTime(t, func() *result.Result {
				o := run.Options{State: t.TempDir()}
				res, err := run.Run(t.Context(), mustCompile(t,
					strings.ReplaceAll(text, "ONCE", fmt.Sprintf("%q, role, once, %q", os.Args[0], t.TempDir()+"/once"))), o)
				if err != nil {
					t.Fatal(err)
				}
				if left, _ := os.ReadDir(o.State); len(left) > 0 {
					t.Errorf("the run left %v in the journal", left)
				}
				return res
			})
			if res.Verdict != c.want || res.ExitCode != c.code || !strings.HasPrefix(res.Reason, c.reason) {
				t.Errorf("%s (%d): %s\nwant %s (%d): %s", res.Verdict, res.ExitCode, res.Reason, c.want, c.code, c.reason)
			}
			if c.name == "unsteady" || c.name == "baseline of errors" {
				if c.want == scenarios.Invalid && !strings.Contains(res.Reason, "no fault was injected. Mend the target") {
					t.Errorf("the reason does not say how to mend it: %s", res.Reason)
				}
				for _, f := range res.Faults {
					if f.Impact != result.NotInjected || f.Injected.Known() {
						t.Errorf("%s was injected: %+v", f.Name, f)
					}
				}
			}
			if c.want == scenarios.Stopped {
				checkTakenBack(t, res)
			}
		})
	}
}

// checkTakenBack checks that the only fault of a run that ended early was active and was undone.
func checkTakenBack(t *testing.T, res *result.Result) {
	t.Helper()
	if len(res.Faults) != 1 {
		t.Fatalf("%d faults", len(res.Faults))
	}
	f := res.Faults[0]
	if !f.Injected.Known() || !f.Verified.Known() || !f.Cleared.Known() || !f.Gone || f.Revert != "ok" ||
		f.Evidence == "" || f.GoneEvidence == "" {
		t.Errorf("not taken back: %+v", f)
	}
	if !strings.Contains(f.Note, "taken back early") {
		t.Errorf("its note does not say that it was taken back early: %q", f.Note)
	}
	if at := float64(f.Cleared); at > float64(res.Duration)+2 {
		t.Errorf("cleared at %g s, and the load ended at %g s", at, res.Duration)
	}
}

// TestVerdict_Interrupted ends runs by a signal while a fault is active: it is undone, and the
// report is complete.
func TestVerdict_Interrupted(t *testing.T) {
	t.Parallel()
	for _, code := range []int{130, 143} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			text := `
version: 1
name: interrupted
warmup: {for: 500ms}
` + pair + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 30s, timeout: 500ms, flow: [{get: /far}]}
chaos:
  errs: {at: 1s, for: 20s, http.error: {from: web, to: store, status: 503}} # which no busy machine explains
slo: [errors < 5%]
`
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			res, err := run.Run(ctx, mustCompile(t, text), run.Options{State: t.TempDir(), Event: func(e result.Event) {
				if e.Event == "fault.verified" {
					time.AfterFunc(time.Second, func() { cancel(run.Interrupt{Code: code}) })
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			if res.Verdict != scenarios.Interrupted || res.ExitCode != code ||
				!strings.HasPrefix(res.Reason, "Interrupted after ") {
				t.Errorf("%s (%d): %s", res.Verdict, res.ExitCode, res.Reason)
			}
			checkTakenBack(t, res)
			checkWhole(t, res)
			if len(res.Objectives) != 1 || res.Objectives[0].Verdict != scenarios.Fail {
				t.Errorf("the objectives are not judged: %+v", res.Objectives)
			}
		})
	}
}

// checkWhole checks that all parts of a result account for every request.
func checkWhole(t *testing.T, res *result.Result) {
	t.Helper()
	run := cellOf(res, "run", "*").Count
	sum := int64(0)
	for _, outcome := range []string{"ok", "shed", "error", "skipped"} {
		sum += cellOf(res, "run", outcome).Count
	}
	windows := int64(0)
	for _, w := range res.Windows {
		if w.Load == "*" && w.Step == "*" && w.T >= 0 {
			windows += w.Offered
		}
	}
	if run == 0 || run != sum || run != windows || run != res.Generator.Offered {
		t.Errorf("%d requests in the run, %d by outcome, %d in windows, %d offered", run, sum, windows, res.Generator.Offered)
	}
	if want := float64(res.Duration) * 100; float64(run) < want*.9 || float64(run) > want*1.1+2 {
		t.Errorf("%d requests in %g s at 100/s", run, res.Duration)
	}
	if len(res.Events) == 0 || res.Ended.Before(res.Started) || res.Scenario == "" || res.Run == "" {
		t.Error("the result is not whole")
	}
}

// TestVerdict_InterruptedEarly ends runs before the load.
func TestVerdict_InterruptedEarly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text string }{
		{"while a process is waited for", `
target: {processes: {web: {command: [SLEEP], ready: {get: /, within: 20s}}}}
`},
		{"while a URL is waited for", `
target: {url: "http://127.0.0.1:1", ready: {get: /, within: 20s}}
`},
		{"in setup", `
target: {url: URL}
setup: [{think: 500ms}, {get: /slow}, {think: 1s}, {get: /}]
`},
		{"in warm-up", `
target: {url: URL}
warmup: {for: 20s}
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			target := newTarget(t)
			text := "version: 1\nname: early\n" + strings.ReplaceAll(c.text, "URL", fmt.Sprintf("%q", target.URL)) + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 30s, flow: [{get: /}]}
slo: [errors < 5%]
`
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			time.AfterFunc(700*time.Millisecond, func() { cancel(run.Interrupt{Code: 143}) })
			res, err := run.Run(ctx, mustCompile(t, text), run.Options{State: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if res.Verdict != scenarios.Interrupted || res.ExitCode != 143 {
				t.Errorf("%s (%d): %s", res.Verdict, res.ExitCode, res.Reason)
			}
		})
	}
}

// TestVerdict_Precedence has runs to which two verdicts apply.
func TestVerdict_Precedence(t *testing.T) {
	t.Parallel()
	const stuck = `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, timeout: 500ms, flow: [{get: /fail}]}
chaos:
  it: {at: 500ms, for: 10s, exec: {inject: [touch, "FILE"], verify: [test, -e, "FILE"], revert: ["false"]}}
steady: [errors <= 100%]
`
	for _, c := range []struct {
		name      string
		text      string
		interrupt string // the event at which a signal comes
		want      scenarios.Verdict
		code      int
		reason    string
	}{
		{
			"fail before invalid", pair + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 1500ms, flow: [{get: /fail}]}
chaos:
  slow-store: {at: 500ms, for: 500ms, network.latency: {from: web, to: store, delay: 50ms}}
steady: [errors <= 100%]
slo: [errors < 5%]
`, "", scenarios.Fail, 3, "The objective failed: errors < 5%",
		},
		{
			"fail before inconclusive", `
target: {url: URL}
load:
  main: {executor: constant-vus, vus: 1, duration: 1s, flow: [{get: /slow, check: {status: 500}}]}
slo: [rate > 0/s in baseline, errors < 0.1%, shed < 0.1%]
`, "", scenarios.Fail, 3, "1 of 3 objectives failed, 1 could not be decided: errors < 0.1%",
		},
		{
			"stopped before invalid", pair + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, flow: [{get: /fail}]}
chaos:
  slow-store: {at: 500ms, for: 10s, network.latency: {from: web, to: store, delay: 50ms}}
steady: [errors <= 100%]
stop: [errors > 50% for 1s]
slo: [errors < 5%]
`, "", scenarios.Stopped, 6, "Stop condition met",
		},
		{
			"interrupted before fail and invalid", pair + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, flow: [{get: /fail}]}
chaos:
  slow-store: {at: 500ms, for: 10s, network.latency: {from: web, to: store, delay: 50ms}}
steady: [errors <= 100%]
slo: [errors < 5%]
`, "fault.verified", scenarios.Interrupted, 130, "Interrupted after",
		},
		{
			"interrupted before stopped, though it comes later", pair + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, flow: [{get: /fail}]}
chaos:
  slow-store: {at: 500ms, for: 10s, network.latency: {from: web, to: store, delay: 50ms}}
steady: [errors <= 100%]
stop: [errors > 50% for 1s]
slo: [errors < 5%]
`, "fault.cleared", scenarios.Interrupted, 130, "Interrupted after",
		},
		{
			"interrupted before an unsteady baseline, though it comes later", pair + `
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, flow: [{get: /fail}]}
chaos:
  slow-store: {at: 500ms, for: 10s, network.latency: {from: web, to: store, delay: 50ms}}
steady: [errors < 50%]
slo: [errors < 5%]
`, "load.end", scenarios.Interrupted, 130, "Interrupted after",
		},
		{
			"not reverted before interrupted", pair + stuck, "fault.verified", scenarios.NotReverted, 7,
			"it could not be taken back",
		},
		{
			"not reverted before stopped", pair + stuck + "stop: [errors > 50% for 1s]\n", "", scenarios.NotReverted, 7,
			"it could not be taken back",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			target := newTarget(t)
			text := "version: 1\nname: " + c.name + "\n" + strings.ReplaceAll(c.text, "URL", fmt.Sprintf("%q", target.URL))
			res := inTime(t, func() *result.Result {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				o := run.Options{State: t.TempDir(), Event: func(e result.Event) {
					if e.Event == c.interrupt {
						cancel(run.Interrupt{Code: 130})
					}
				}}
				res, err := run.Run(ctx, mustCompile(t, strings.ReplaceAll(text, "FILE", t.TempDir()+"/flag")), o)
				if err != nil {
					t.Fatal(err)
				}
				return res
			})
			if res.Verdict != c.want || res.ExitCode != c.code || !strings.HasPrefix(res.Reason, c.reason) {
				t.Errorf("%s (%d): %s\nwant %s (%d): %s", res.Verdict, res.ExitCode, res.Reason, c.want, c.code, c.reason)
			}
		})
	}
}
