package run_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// An outsider is a server on an address of this machine that is not loopback.
type outsider struct {
	addr string
	ip   string
	hits atomic.Int64 // connections
}

func newOutsider(t *testing.T) *outsider {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	o := &outsider{}
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.To4() == nil || !n.IP.IsGlobalUnicast() {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort(n.IP.String(), "0"))
		if err != nil {
			continue
		}
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
			_ *http.Request,
		) {
			fmt.Fprint(w, `{"ok":true}`)
		}))
		_ = s.Listener.Close()
		s.Listener = l
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				o.hits.Add(1)
			}
		}
		s.Start()
		t.Cleanup(s.Close)
		o.addr, o.ip = l.Addr().String(), n.IP.String()
		return o
	}
	suite.Lack(t, "this machine has no IPv4 address but loopback: give it one, such as `ip link add dummy0 type dummy`")
	return nil
}

// TestAllowlist_Load sends load to a forbidden address: by the target's URL, by a step's, by a redirect,
// by resolve, by a link. It never arrives, unless the scenario allows it.
func TestAllowlist_Load(t *testing.T) {
	t.Parallel()
	const load = `
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 1s, flow: [{get: PATH}]}
slo: [errors < 20%]
`
	const fault = `
chaos:
  slow: {at: 300ms, for: 300ms, network.latency: {from: load, to: target, delay: 10ms}}
`
	type refusal struct {
		name string
		text string // FAR is the outsider's address, IP its IP, NEAR that of a target on loopback
	}
	cases := []refusal{
		{"target", `target: {url: "http://FAR"}` + strings.ReplaceAll(load, "PATH", "/")},
		{"target through a link", `target: {url: "http://FAR"}` + strings.ReplaceAll(load, "PATH", "/") + fault},
		{
			"target that is asked whether it is ready",
			`target: {url: "http://FAR", ready: {get: /}}` + strings.ReplaceAll(load, "PATH", "/"),
		},
		{"ready", `target: {url: "http://NEAR", ready: {get: "http://FAR/", within: 300ms}}` +
			strings.ReplaceAll(load, "PATH", "/")},
		{"step", `target: {url: "http://NEAR"}` + strings.ReplaceAll(load, "PATH", `"http://FAR/"`)},
		{"step whose address is data", `target: {url: "http://NEAR"}
data: {to: {inline: ["FAR"]}}` + strings.ReplaceAll(load, "PATH", `"http://${data.to.value}/"`)},
		{"setup", `target: {url: "http://NEAR"}
setup: [{get: "http://FAR/"}]` + strings.ReplaceAll(load, "PATH", "/")},
		{"redirect", `target: {url: "http://NEAR"}` + strings.ReplaceAll(load, "PATH", "/away")},
		{"redirect through a link", `target: {url: "http://NEAR"}` + strings.ReplaceAll(load, "PATH", "/away") + fault},
		{
			"resolve",
			`target: {url: "http://localhost:PORT"}` +
				strings.ReplaceAll(strings.ReplaceAll(load, "PATH", "/"), "flow:", `resolve: {localhost: "FAR"}, flow:`),
		},
		{
			"resolve of a port",
			`target: {url: "http://localhost:PORT"}` +
				strings.ReplaceAll(strings.ReplaceAll(load, "PATH", "/"), "flow:", `resolve: {"localhost:PORT": "FAR"}, flow:`),
		},
		{"another is allowed", `guard: {allow: {load: [198.51.100.0/24, other.example.com]}}
target: {url: "http://FAR"}` + strings.ReplaceAll(load, "PATH", "/")},
	}
	for _, c := range slices.Clone(cases) {
		switch c.name {
		case "target through a link", "step whose address is data", "redirect", "redirect through a link", "resolve":
			cases = append(cases, refusal{
				c.name + ", by vegeta", strings.Replace(c.text, "main: {", "main: {engine: vegeta, ", 1),
			})
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			remote := newOutsider(t)
			near := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/away" {
					http.Redirect(w, r, "http://"+remote.addr+"/", http.StatusFound)
				}
			}))
			t.Cleanup(near.Close)
			at := strings.TrimPrefix(near.URL, "http://")
			_, port, _ := net.SplitHostPort(at)
			text := "version: 1\nname: " + c.name + "\n" +
				strings.NewReplacer("FAR", remote.addr, "IP", remote.ip, "NEAR", at, "PORT", port).Replace(c.text)
			why := ""
			if plan, err := compileFile(scenario(t, text)); err != nil {
				why = err.Error()
			} else {
				res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir()})
				if err != nil {
					t.Fatal(err)
				}
				why = res.Reason
				for _, e := range res.Errors {
					why += "; " + e.Kind
				}
				if ok := cellOf(res, "run", "ok").Count; ok > 0 || res.Verdict == scenarios.Pass {
					t.Errorf("%s, %d requests were answered", res.Verdict, ok)
				}
			}
			if n := remote.hits.Load(); n > 0 {
				t.Errorf("%d connections were made to %s, which is not allowed", n, remote.addr)
			}
			if !strings.Contains(why, "allow.load") && !strings.Contains(why, "not allowed") {
				t.Errorf("nothing says why: %s", why)
			}
			if strings.HasPrefix(c.name, "another") {
				return
			}
			// Each is accepted once the address is allowed.
			for _, allowed := range []string{remote.ip, remote.addr, remote.ip + "/24"} {
				res := runOnce(t, text+fmt.Sprintf("guard: {allow: {load: [%q]}}\n", allowed), run.Options{})
				if ok := cellOf(res, "run", "ok").Count; ok == 0 || remote.hits.Load() == 0 {
					t.Errorf("with %s allowed nothing is answered: %s: %s: %+v", allowed, res.Verdict, res.Reason, res.Errors)
				}
				if testing.Short() {
					break
				}
			}
		})
	}
}

// TestAllowlist_Resolve loads through a link to the address in resolve: a link changes the path to the
// target, not the target.
func TestAllowlist_Resolve(t *testing.T) {
	t.Parallel()
	var hits [2]atomic.Int64
	var port [2]string
	for i := range hits {
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits[i].Add(1) }))
		t.Cleanup(s.Close)
		_, port[i], _ = net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	}
	res := runOnce(t, fmt.Sprintf(`
version: 1
name: another address, through a link
target: {url: "http://localhost:%s"}
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 2s, resolve: {localhost: "127.0.0.1:%s"}, flow: [{get: /}]}
chaos:
  slow: {at: 500ms, for: 500ms, network.latency: {from: load, to: target, delay: 50ms}}
`, port[0], port[1]), run.Options{})
	if hits[0].Load() > 0 || hits[1].Load() == 0 {
		t.Errorf("%d requests came to the address that is not meant, %d to the one that is: %s: %s", hits[0].Load(),
			hits[1].Load(), res.Verdict, res.Reason)
	}
}

// TestAllowlist_Units refuses faults on processes that brunt must not touch, and on more units than the
// guard allows.
func TestAllowlist_Units(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, guard, fault, why string }{
		{
			"brunt itself", "", fmt.Sprintf("process.crash: {pid: %d, signal: TERM, irreversible: true}", os.Getpid()),
			"it is brunt itself",
		},
		{
			"who started it", "", fmt.Sprintf("process.crash: {pid: %d, signal: TERM, irreversible: true}", os.Getppid()),
			"brunt runs below it",
		},
		{"the first", "", "process.crash: {pid: 1, signal: TERM, irreversible: true}", "at least 2"},
		{"nobody", "", "process.crash: {pid: 4194000, signal: TERM, irreversible: true}", "no unit matches"},
		{
			"too many units", "max_units: 1", "process.crash: {service: web, pick: all}",
			"it hits 2 units, and guard.max_units is 1",
		},
		{
			"too many units of a link", "max_units: 1", "for: 300ms, network.latency: {from: web, to: store, delay: 20ms}",
			"it hits 2 units, and guard.max_units is 1",
		},
		{
			"for too long", "max_each: 200ms", "for: 300ms, network.latency: {from: web, to: store, delay: 20ms}",
			"guard.max_each is 200ms",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := "version: 1\nname: " + c.name + `
target:
  processes:
    web: {command: [ECHO], replicas: 2, links: [store], ready: {get: /}}
    store: {command: [ECHO], ready: {get: /}}
  entry: web
guard: {` + c.guard + `}
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 1s, flow: [{get: /far/}]}
chaos:
  it: {at: 300ms, ` + c.fault + `}
`
			plan, err := compileFile(scenario(t, text))
			if err != nil {
				if !strings.Contains(err.Error(), c.why) {
					t.Errorf("%v, want %q", err, c.why)
				}
				return
			}
			if strings.Contains(c.fault, "network.") {
				t.Error("validation does not see it")
			}
			var res *result.Result
			for range lateTries {
				if res, err = run.Run(t.Context(), plan, run.Options{State: t.TempDir()}); err != nil {
					t.Fatal(err)
				}
				if !wasLate(res) {
					break
				}
			}
			if res.Verdict != scenarios.Invalid || !strings.Contains(res.Faults[0].Note, c.why) {
				t.Errorf("%s: %s: %s; want %q", res.Verdict, res.Reason, res.Faults[0].Note, c.why)
			}
			if f := res.Faults[0]; f.Injected.Known() || f.Impact != result.NotInjected {
				t.Errorf("it was injected: %+v", f)
			}
			if n := cellOf(res, "run", "error").Count; n > 0 {
				t.Errorf("%d errors", n)
			}
		})
	}
}

// TestAllowlist_MaxEach undoes faults when the guard's time is over, even if the timeline would keep them
// longer.
func TestAllowlist_MaxEach(t *testing.T) {
	t.Parallel()
	res := runOnce(t, `
version: 1
name: for the length of a stage
guard: {max_each: 500ms}
`+pair+`
load:
  main: {executor: spike, base: 50/s, peak: 60/s, before: 500ms, hold: 3s, after: 500ms, flow: [{get: /far/}]}
chaos:
  slow: {during: main.hold, network.latency: {from: web, to: store, delay: 50ms}}
`, run.Options{})
	f := res.Faults[0]
	if in := f.Cleared - f.Injected; !f.Injected.Known() || in < .5 || in > 2 || !f.Gone {
		t.Errorf("it was in for %g s, and half a second is allowed: %+v", in, f)
	}
}

// TestControl runs the control run of a run that fails: the same target, links and load, without
// faults.
func TestControl(t *testing.T) {
	t.Parallel()
	text := `
version: 1
name: twins
seed: 3
target:
  processes:
    web: {command: [ECHO], links: [store], env: {STORE: "${unit.store.addr}"}, ready: {get: /}}
    store: {command: [ECHO], ready: {get: /}}
  entry: web
load:
  main: {executor: constant-arrival-rate, rate: 60/s, duration: 4s, timeout: 300ms, flow: [{get: /far/}]}
  linked: {executor: constant-arrival-rate, rate: 10/s, duration: 4s, flow: [{get: /linked}]}
chaos:
  cut: {at: 1500ms, for: 1s, network.partition: {from: web, to: store}}
slo: [errors < 5%, errors < 5% in baseline, errors < 50% in cut, errors < 20% of load linked, rate > 1% of cut]
`
	for _, control := range []bool{false, true} {
		t.Run(map[bool]string{false: "chaos", true: "control"}[control], func(t *testing.T) {
			t.Parallel()
			res := runOnce(t, text, run.Options{NoChaos: control})
			var failed []string
			for _, o := range res.Objectives {
				if o.Verdict != scenarios.Pass && !(o.Verdict == scenarios.Invalid && o.Why == result.Late) {
					failed = append(failed, o.Text)
				}
			}
			switch {
			case !control:
				if want := []string{"errors < 5%", "errors < 50% in cut"}; !slices.Equal(failed, want) || !res.Chaos ||
					len(res.Faults) != 1 || len(res.Objectives) != 5 {
					t.Errorf("%s: %s; failed %q, want %q", res.Verdict, res.Reason, failed, want)
				}
			case len(failed) > 0 || res.Verdict != scenarios.Pass && !wasLate(res) || res.Chaos || len(res.Faults) != 0 ||
				len(res.Objectives) != 3:
				t.Errorf("%s: %s; failed %q; %d faults", res.Verdict, res.Reason, failed, len(res.Faults))
			}
			for _, of := range []string{"errors < 50% in cut", "rate > 1% of cut"} {
				said := strings.Contains(strings.Join(res.Notes, "\n"), "`"+of+"` is not judged: this is the control run")
				if said != control {
					t.Errorf("notes of the run on %s: %q", of, res.Notes)
				}
			}
			if in := loadCell(res, "run", "linked", "error"); in.Count > 0 {
				t.Errorf("%d times there was no link between web and store", in.Count)
			}
			if n := loadCell(res, "run", "main", "*").Count; n != 240 {
				t.Errorf("%d requests, want 240", n)
			}
			for _, p := range res.Phases {
				if control && p.Name != slo.ParsePhase("run") && p.Name != slo.ParsePhase("baseline") {
					t.Errorf("the control run has a phase %s", p.Name)
				}
			}
		})
	}
}

// TestAllowlist_ResolveTwice refuses loads that reach the target at two addresses, where a fault is on
// the single link to it.
func TestAllowlist_ResolveTwice(t *testing.T) {
	_, err := compileFile(scenario(t, `
version: 1
name: two ways
target: {url: "http://localhost:1234"}
load:
  one: {executor: constant-arrival-rate, rate: 50/s, duration: 2s, resolve: {localhost: 127.0.0.2}, flow: [{get: /}]}
  two: {executor: constant-arrival-rate, rate: 50/s, duration: 2s, flow: [{get: /}]}
chaos:
  slow: {at: 500ms, for: 500ms, network.latency: {from: load, to: target, delay: 50ms}}
`))
	if err == nil || !strings.Contains(err.Error(),
		`load "two" reaches the target at localhost:1234 and load "one" at 127.0.0.2:1234`) {
		t.Error(err)
	}
}

// TestSuspend suspends a run while a fault is active: the fault is undone first.
func TestSuspend(t *testing.T) {
	t.Parallel()
	suspend := make(chan os.Signal, 1)
	happened := make(chan string, 100)
	var before []string
	res := runText(t, `
version: 1
name: suspended
`+pair+`
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 20s, timeout: 300ms, flow: [{get: /far/}]}
chaos:
  cut: {at: 500ms, for: 10s, network.partition: {from: web, to: store}}
  never: {at: 15s, for: 1s, network.partition: {from: web, to: store}}
`, run.Options{
		Suspend: suspend,
		Stop: func() {
			for len(happened) > 0 {
				before = append(before, <-happened)
			}
		},
		Event: func(e result.Event) {
			if e.Fault == "cut" {
				happened <- e.Event
			}
			if e.Event == "fault.verified" {
				time.AfterFunc(300*time.Millisecond, func() { suspend <- os.Interrupt })
			}
		},
	})
	if want := []string{
		"fault.injected", "fault.verified", "fault.cleared", "fault.gone", "fault.reverted",
	}; !slices.Equal(before, want) {
		t.Errorf("before it was suspended: %v, want %v", before, want)
	}
	if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, "suspended") {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
	if f := res.Faults[0]; f.Name != "cut" || !f.Gone || f.Revert != "ok" || res.Duration > 10 {
		t.Errorf("%+v, and the load ended at %g s", f, res.Duration)
	}
}
