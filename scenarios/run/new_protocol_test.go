package run_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	reports "brunt/reporters/catalog"
	"brunt/reporters/ci"
	"brunt/reporters/evidence"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
	"brunt/targets"
	"brunt/targets/catalog"
	"brunt/targets/targetstest"
)

// compileEcho compiles a scenario whose steps may also be those of targetstest.Echo.
func compileEcho(t *testing.T, echo *targetstest.Echo, text string) (*plan.Plan, error) {
	t.Helper()
	return compileWith(t, echo.Descriptor(), text)
}

// compileWith compiles a scenario whose steps may also be those of one more protocol.
func compileWith(t *testing.T, more *targets.Descriptor, text string) (*plan.Plan, error) {
	t.Helper()
	sc, err := scenarios.Parse(scenario(t, text), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return plan.Compile(sc, plan.CompileOptions{
		Self:      []string{os.Args[0], "role"},
		Protocols: append([]*targets.Descriptor{more}, catalog.Protocols()...), // the one line
	})
}

// TestProtocol_Echo adds a protocol by its descriptor alone. Its steps run beside those of HTTP, in
// setup, in loads and in the ledger; their parts have rows and objectives, and count in no sum.
func TestProtocol_Echo(t *testing.T) {
	t.Parallel()
	s := newServer(t, "serve")
	line := targetstest.StartEcho(t)
	echo := new(targetstest.Echo)
	p, err := compileEcho(t, echo, `
version: 1
name: two protocols
target: {url: "http://`+s.addr+`", endpoints: {line: "`+line.Base()+`"}}
setup: [{parrot: add setup}]
load:
  both:
    executor: constant-arrival-rate
    rate: 100/s
    duration: 2s
    flow:
      - {name: page, get: /}
      - {name: write, parrot: "add ${ledger.id}"}
      - {name: say, parrot: "line ${int(1,9)}"}
  web: {executor: constant-arrival-rate, rate: 50/s, duration: 2s, flow: [{name: only, get: /}]}
ledger: {write: write, id: "${ledger.id}", read: {parrot: "find ${id}"}, settle: 1ms}
slo: ["errors <= 0%", "errors <= 0% of say", "p95 < 500ms of \"say first byte\"", "lost <= 0"]
`)
	if err != nil {
		t.Fatal(err)
	}
	res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range res.Objectives {
		if o.Verdict != scenarios.Pass {
			t.Errorf("%s: %s (%s)", o.Text, o.Verdict, o.Note)
		}
	}
	const iterations, requests = 200, 3*200 + 100
	want := map[string]int64{
		"* *": requests, "both *": 3 * iterations, "both page": iterations, "both write": iterations, "both say": iterations,
		"both write first byte": iterations, "both say first byte": iterations, "both iteration": iterations, "web *": 100,
		"web only": 100,
	}
	for name, n := range want {
		load, step, _ := strings.Cut(name, " ")
		i := slices.IndexFunc(res.Cells, func(c result.Cell) bool {
			return c.Phase == slo.ParsePhase("run") && c.Load == load && c.Step == step && c.Outcome == "*"
		})
		if i < 0 || res.Cells[i].Count != n {
			t.Errorf("%s: no row, or not one of %d requests", name, n)
		}
	}
	if res.Generator.Offered != requests {
		t.Errorf("%d requests, not %d", res.Generator.Offered, requests)
	}
	perSecond := int64(0)
	for _, w := range res.Windows {
		if w.Load == "*" && w.Step == "*" {
			perSecond += w.Offered
		}
	}
	if perSecond != requests {
		t.Errorf("%d requests in the windows, not %d", perSecond, requests)
	}
	if l := res.Ledger; l == nil || l.Acknowledged != iterations || l.Held != iterations {
		t.Errorf("ledger: %+v", l)
	}
	if n := echo.Bound.Load(); n != 4 { // setup, two steps of the load, the ledger's read
		t.Errorf("%d calls are bound", n)
	}
	if n := echo.Ended.Load(); n < 1+2*iterations { // setup, the load's iterations, the ledger's reads
		t.Errorf("%d iterations ended", n)
	}
}

// TestProtocol_Causes: a protocol brings causes of its own. They are named in the result, in the reports, and in a file
// of requests that is read back.
func TestProtocol_Causes(t *testing.T) {
	t.Parallel()
	line, dir := targetstest.StartEcho(t), t.TempDir()
	p, err := compileEcho(t, new(targetstest.Echo), `
version: 1
name: refusals
target: {endpoints: {line: "`+line.Base()+`"}}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 300ms, flow: [{name: no, parrot: refused 7}]}
slo: ["errors = 100%"]
`)
	if err != nil {
		t.Fatal(err)
	}
	res, err := run.Run(t.Context(), p, run.Options{
		State: t.TempDir(), Requests: filepath.Join(dir, evidence.RequestsFile),
	})
	if err != nil || res.Verdict != scenarios.Pass {
		t.Fatalf("%s: %s, %v", res.Verdict, res.Reason, err)
	}
	if len(res.Errors) != 1 || res.Errors[0].Kind != "refusal 7" || res.Errors[0].Count != 30 {
		t.Errorf("errors: %+v", res.Errors)
	}
	if err := reports.All().Write(dir, res); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"result.json", "report.html"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), "refusal 7") {
			t.Errorf("%s does not name the cause: %v", name, err)
		}
	}
	for want, families := range map[string][]scenarios.CauseFamily{"refusal 7": p.Protocols.Causes(), "other": nil} {
		back, err := evidence.Read(dir, families...)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := (ci.Vegeta{Encoding: "json"}).Report(&b, back); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), `"error":"`+want+`"`); n != 30 {
			t.Errorf("%d of 30 requests have the error %q:\n%s", n, want, b.String())
		}
	}
}

// TestProtocol_Mistakes: mistakes of endpoints are found before anything runs.
func TestProtocol_Mistakes(t *testing.T) {
	for _, c := range []struct{ name, endpoints, wrong string }{
		{
			"two endpoints", "line: parrot://127.0.0.1:7, other: parrot://127.0.0.1:8",
			"2 endpoints speak parrot: line, other; the step names none of them",
		},
		{"unknown scheme", "line: pulsar://127.0.0.1:6650", `no protocol speaks "pulsar"`},
		{"no port", "line: parrot://127.0.0.1", "no host with a port"},
		{"outside the blast radius", "line: parrot://192.0.2.1:7", "name 192.0.2.1 under guard.allow.load"},
		{"bad name", "Line_1: parrot://127.0.0.1:7", "can't name an endpoint"},
		{"a unit of no stack", `line: "parrot://${unit.a.addr}"`, "the target has no units"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := compileEcho(t, new(targetstest.Echo), `
version: 1
name: endpoints
target: {endpoints: {`+c.endpoints+`}}
load: {a: {executor: constant-arrival-rate, rate: 1/s, duration: 1s, flow: [{parrot: hi}]}}
slo: ["errors <= 0%"]
`)
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("want %q in: %v", c.wrong, err)
			}
		})
	}
}

// TestProtocol_OnlyEndpoints: a target of endpoints alone needs no URL where every step goes to one of them.
func TestProtocol_OnlyEndpoints(t *testing.T) {
	t.Parallel()
	line := targetstest.StartEcho(t)
	const scenario = `
version: 1
name: line
target:
  endpoints: {line: "%s"}
setup: [{parrot: add setup}]
load:
  main:
    executor: constant-vus
    vus: 1
    duration: 200ms
    flow: [%s]
ledger: {write: write, id: "${ledger.id}", read: {%s}, settle: 1ms}
slo: ["errors <= 0%%", "lost <= 0"]
`
	const write, read = `{name: write, parrot: "add ${ledger.id}"}`, `parrot: "find ${id}"`
	const wants = `scenario.yaml:5:3: the target wants one of url, stack, processes, containers, compose; such as {stack: demo} or {url: `
	for _, c := range []struct{ name, endpoint, flow, read, wrong string }{
		{"a step of HTTP", line.Base(), write + ", {get: /}", read, wants},
		{"a read of HTTP", line.Base(), write, `get: "/${id}"`, wants},
		{
			"another protocol", "http://127.0.0.1:1", write, read,
			"scenario.yaml:5:3: no endpoint speaks parrot; such as endpoints: {main: parrot://127.0.0.1:7}",
		},
	} {
		_, err := compileEcho(t, new(targetstest.Echo), fmt.Sprintf(scenario, c.endpoint, c.flow, c.read))
		if err == nil || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: want %q in: %v", c.name, c.wrong, err)
		}
	}
	// A reset needs no time to be in, and its proof is a state. A load that ends before a busy machine has injected it is
	// made again, twice as long.
	text := strings.Replace(fmt.Sprintf(scenario, line.Base(), write, read), `"errors <= 0%", `, "", 1) + `
chaos: {cut: {at: 50ms, network.reset: {from: load, to: target}}}
`
	var res *result.Result
	for lasts, n := 200*time.Millisecond, 0; n < busyTries && (res == nil || !res.Faults[0].Verified.Known()); lasts,
		n = 2*lasts, n+1 {
		p, err := compileEcho(t, new(targetstest.Echo),
			strings.Replace(text, "duration: 200ms", "duration: "+lasts.String(), 1))
		if err != nil {
			t.Fatal(err)
		}
		if p.TargetName() != line.Base() || p.Upstream != line.Address {
			t.Errorf("the target is %s at %s", p.TargetName(), p.Upstream)
		}
		if res, err = run.Run(t.Context(), p, run.Options{State: t.TempDir()}); err != nil {
			t.Fatal(err)
		}
	}
	if res.Verdict != scenarios.Pass {
		t.Fatalf("%s: %s", res.Verdict, res.Reason)
	}
	if l := res.Ledger; l == nil || l.Acknowledged == 0 || l.Held != l.Acknowledged {
		t.Errorf("ledger: %+v", l)
	}
}

// TestProtocol_TargetURL: a target's own URL is of HTTP; one of another protocol is an endpoint.
func TestProtocol_TargetURL(t *testing.T) {
	for url, want := range map[string]string{
		"parrot://127.0.0.1:7": "a URL of parrot goes under target.endpoints, such as endpoints: {main: " +
			"parrot://127.0.0.1:7}",
		"pulsar://127.0.0.1:7": "brunt speaks parrot, http, https",
		"127.0.0.1:7":          "such as http://127.0.0.1:8080",
	} {
		_, err := compileEcho(t, new(targetstest.Echo), `
version: 1
name: url
target: {url: "`+url+`"}
load: {a: {executor: constant-arrival-rate, rate: 1/s, duration: 1s, flow: [{parrot: hi}]}}
slo: ["errors <= 0%"]
`)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in: %v", want, err)
		}
	}
}

// TestProtocol_At: steps go to the endpoints that they name.
func TestProtocol_At(t *testing.T) {
	s := newServer(t, "serve")
	one, other := targetstest.StartEcho(t), targetstest.StartEcho(t)
	const scenario = `
version: 1
name: two
target: {endpoints: {one: "parrot://%s", other: "parrot://%s", web: "http://%s"}}
setup: [{parrot: add key, at: one}]
load:
  main:
    executor: constant-vus
    vus: 1
    duration: 200ms
    flow: [{name: there, parrot: find key, at: %s}, {name: elsewhere, parrot: find key, at: other}, {get: /ok, at: web}]
slo: ["errors <= 0%%"]
`
	text := func(at string) string { return fmt.Sprintf(scenario, one.Address, other.Address, s.addr, at) }
	for at, wrong := range map[string]string{
		"own": `there is no endpoint "own"`, "web": `the endpoint "web" does not speak parrot`, "[]": "want a single value",
	} {
		if _, err := compileEcho(t, new(targetstest.Echo), text(at)); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("at %s: want %q in: %v", at, wrong, err)
		}
	}
	p, err := compileEcho(t, new(targetstest.Echo), text("one"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir()})
	if err != nil || res.Verdict != scenarios.Pass {
		t.Fatalf("%s: %s, %v", res.Verdict, res.Reason, err)
	}
	size := map[string]int64{} // of an answer, in bytes
	for _, c := range res.Cells {
		if c.Phase == slo.ParsePhase("run") && c.Load == "main" && c.Outcome == "*" && c.Count > 0 {
			size[c.Step] = c.Bytes / c.Count
		}
	}
	if size["there"] != int64(len("find key\n")) || size["elsewhere"] != int64(len("none\n")) || size["GET /ok"] == 0 {
		t.Errorf("answers of %v bytes: the key is on one of the servers alone", size)
	}
}

// TestProtocol_EndpointNotReady: brunt waits for each endpoint that setup or a load goes to, for those of loads alone
// after setup, and for no other.
func TestProtocol_EndpointNotReady(t *testing.T) {
	t.Parallel()
	line, s := targetstest.StartEcho(t), newServer(t, "serve")
	const closed = "127.0.0.1:1"                 // no other test gets this port
	begun := filepath.Join(t.TempDir(), "begun") // by setup
	two := "ready: {within: 200ms}, endpoints: {one: \"" + line.Base() + "\", other: \"parrot://" + closed + "\"}"
	for _, c := range []struct{ name, target, more, at, wrong string }{
		{"endpoints alone", two, "", "other", closed},
		{"a URL besides", "url: \"http://" + s.addr + "\", ready: {within: 200ms}, endpoints: {other: \"parrot://" + closed +
			"\"}", "", "other", closed},
		{"not used", two, "", "one", ""},
		{"of setup", two, "setup: [{parrot: hi, at: other}]", "one", closed},
		{"of teardown alone", two, "teardown: [{parrot: hi, at: other}]", "one", ""},
		{"that setup may start", two, "setup: [{command: [touch, \"" + begun + "\"]}]", "other", closed},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := compileEcho(t, new(targetstest.Echo), fmt.Sprintf(`
version: 1
name: two
target: {%s}
load: {main: {executor: constant-vus, vus: 1, duration: 500ms, flow: [{parrot: hi, at: %s}]}}
slo: ["errors <= 0%%"]
%s
`, c.target, c.at, c.more))
			if err != nil {
				t.Fatal(err)
			}
			res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if c.wrong == "" {
				if res.Verdict != scenarios.Pass {
					t.Errorf("%s: %s", res.Verdict, res.Reason)
				}
				return
			}
			if want := `the endpoint "other" at ` + c.wrong + " not within 200ms"; res.Verdict != scenarios.Invalid ||
				!strings.Contains(res.Reason, want) {
				t.Errorf("%s: want %q in: %s", res.Verdict, want, res.Reason)
			}
		})
	}
	if _, err := os.Stat(begun); err != nil {
		t.Errorf("an endpoint that setup may start was awaited before it: %v", err)
	}
}

// TestProtocol_FaultAtEndpoint: a fault on the link to one endpoint leaves requests to the others alone.
func TestProtocol_FaultAtEndpoint(t *testing.T) {
	t.Parallel()
	one, other := targetstest.StartEcho(t), targetstest.StartEcho(t)
	text := func(fault string) string {
		return fmt.Sprintf(`
version: 1
name: two
target: {endpoints: {one: "%s", other: "%s", same: "%s"}}
load:
  main:
    executor: constant-vus
    vus: 1
    duration: 1s
    flow: [{name: slow, parrot: hi, at: one}, {name: swift, parrot: hi, at: other}]
slo: ["errors <= 0%%", "max >= 150ms of slow"]
chaos: {fault: {at: 100ms, for: 500ms, %s}}
`, one.Base(), other.Base(), other.Base(), fault)
	}
	for fault, wrong := range map[string]string{
		"network.latency: {to: same, delay: 200ms}":   `no link leads to the endpoint "same": it is at the same address as the endpoint "other"`,
		"network.latency: {to: target, delay: 200ms}": `there is no service "target"`,
		"http.error: {to: one, status: 503}":          `the endpoint "one" does not speak HTTP without TLS`,
		"network.latency: {to: onr, delay: 200ms}":    `there is no service "onr"; did you mean "one"?`,
	} {
		if _, err := compileEcho(t, new(targetstest.Echo), text(fault)); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: want %q in: %v", fault, wrong, err)
		}
	}
	p, err := compileEcho(t, new(targetstest.Echo), text("network.latency: {to: one, delay: 200ms}"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir()})
	if err != nil || res.Verdict != scenarios.Pass {
		t.Fatalf("%s: %s, %+v, %v", res.Verdict, res.Reason, res.Objectives, err)
	}
	if f := res.Faults[0]; !slices.Equal(f.Units, []string{"load->one"}) {
		t.Errorf("the fault was on %v", f.Units)
	}
}

// TestProtocol_Readable: a fault that looks into what passes can be on the link to an endpoint whose protocol it reads.
func TestProtocol_Readable(t *testing.T) {
	faults := map[string]string{
		"http": "http.error: {to: one, status: 503}", "grpc": "grpc.error: {to: one}", "redis": "redis.error: {to: one}",
		"mongo": "mongo.error: {to: one}", "sql": "sql.error: {to: one}",
	}
	const at = "127.0.0.1:1"
	for url, reads := range map[string][]string{
		"http://" + at: {"http"}, "https://" + at: nil, "grpc://" + at: {"http", "grpc"}, "grpcs://" + at: nil,
		"redis://" + at: {"redis"}, "rediss://" + at: nil, "redis+cluster://" + at: {"redis"},
		"redis+sentinel://" + at + "/m": nil, "postgres://a:b@" + at + "/c": {"sql"}, "postgresql://a:b@" + at + "/c": {"sql"},
		"mysql://a:b@" + at + "/c": {"sql"}, "mysql://a:b@" + at + "/c?sslmode=require": nil, "ws://" + at: nil,
		"wss://" + at: nil, "mongodb://" + at: {"mongo"}, "mongodb+tls://" + at: nil, "smtp://" + at: nil,
		"tcp://" + at: nil, "tls://" + at: nil, "parrot://" + at: nil,
	} {
		for name, fault := range faults {
			_, err := compileEcho(t, new(targetstest.Echo), `
version: 1
name: readable
target: {url: "http://127.0.0.1:2", endpoints: {one: "`+url+`"}}
load: {main: {executor: constant-vus, vus: 1, duration: 2s, flow: [{get: /}]}}
slo: ["errors <= 0%"]
chaos: {fault: {at: 100ms, for: 500ms, `+fault+`}}
`)
			want := "without TLS, so that no link can look into"
			if name == "sql" && strings.HasSuffix(url, "sslmode=require") {
				want = "are encrypted by sslmode=require, so that no link can look into"
			}
			if slices.Contains(reads, name) && err != nil || !slices.Contains(reads, name) &&
				(err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s at %s: %v", name, url, err)
			}
		}
	}
}

// TestProtocol_Wire: a protocol says what its connections carry, by the scheme of an endpoint and by a port.
func TestProtocol_Wire(t *testing.T) {
	const at = "127.0.0.1:1"
	compile := func(wire targets.Wire, fault string) (*plan.Plan, error) {
		d := new(targetstest.Echo).Descriptor()
		d.Wires = map[string]targets.Wire{"parrot": wire}
		return compileWith(t, d, `
version: 1
name: wire
target: {endpoints: {one: "parrot://`+at+`", two: "redis://127.0.0.1:2"}}
load: {main: {executor: constant-vus, vus: 1, duration: 2s, flow: [{parrot: hi}]}}
slo: ["errors <= 0%"]
chaos: {fault: {at: 100ms, for: 500ms, `+fault+`}}
`)
	}
	const plain, looks = "network.latency: {to: one, delay: 200ms}", "redis.error: {to: one}"
	own := new(targetstest.Echo).Descriptor().Wires["parrot"]
	p, err := compile(own, plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to, upstream string
		want               chaos.Formats
	}{
		{chaos.LoadName, "one", at, own.Formats},
		{"web[0]", "store[0]", fmt.Sprint("127.0.0.1:", own.Port), own.Formats},
		{"web[0]", "store[0]", at, nil},
		{chaos.LoadName, "two", "127.0.0.1:2", chaos.Formats{"redis"}},
	} {
		if got := p.Scope.Carries(c.from, c.to, c.upstream); !slices.Equal(got, c.want) {
			t.Errorf("%s -> %s at %s: %v, want %v", c.from, c.to, c.upstream, got, c.want)
		}
	}
	if _, err := compile(targets.Wire{Formats: []string{"redis"}}, looks); err != nil {
		t.Errorf("a fault does not read a protocol of its format: %v", err)
	}
	if _, err := compile(own, looks); err == nil || !strings.Contains(err.Error(), "does not speak Redis") {
		t.Errorf("a fault reads another format: %v", err)
	}
}

// TestProtocol_BindFails: a run whose step can't be bound at the target is invalid.
func TestProtocol_BindFails(t *testing.T) {
	s := newServer(t, "serve")
	line := targetstest.StartEcho(t)
	p, err := compileEcho(t, &targetstest.Echo{Unbound: errors.New("not known there")}, `
version: 1
name: bind
target: {url: "http://`+s.addr+`", endpoints: {line: "`+line.Base()+`"}}
load: {a: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{name: say, parrot: hi}]}}
slo: ["errors <= 0%"]
`)
	if err != nil {
		t.Fatal(err)
	}
	res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, `load "a": say: `) {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
}
