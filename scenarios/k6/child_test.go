package k6

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// typical is a script with the usual parts.
const typical = `
import http from 'k6/http';
import { check, group } from 'k6';
import { Trend, Counter } from 'k6/metrics';
import brunt from 'k6/x/brunt';
const own = new Trend('own_trend', true), n = new Counter('own_counter');
export const options = {
  scenarios: { a: { executor: 'per-vu-iterations', vus: 2, iterations: 5, exec: 'go' } },
  thresholds: { http_req_duration: ['p(95)<60000', 'max<0'], 'http_req_failed{name:bad}': ['rate<0.5'], own_counter: ['count==10'], vus_max: ['value==2'] },
};
export async function setup() { http.get(__ENV.URL + '/setup'); return { x: 42 }; }
export function go(data) {
  const r = http.get(__ENV.URL + '/posts/17');
  check(r, { 'is 200': (r) => r.status === 200, 'has 42': () => data.x === 42 });
  http.get(__ENV.URL + '/bad', { tags: { name: 'bad' } });
  group('login', () => { group('form', () => { const r = http.get(__ENV.URL + '/x?y=1'); check(r, { never: () => false }); }); });
  http.get(http.url` + "`${__ENV.URL}/users/${__ITER}`" + `);
  own.add(__ITER); n.add(1);
  if (__VU === 1 && __ITER === 0) { brunt.mark('first', { a: 1 }); brunt.phase('checkout'); }
  if (__ITER === 4) throw new Error('the last one');
}
export function teardown(data) { if (data.x !== 42) throw new Error('no data'); http.get(__ENV.URL + '/teardown'); }
`

func TestPlay(t *testing.T) {
	s := server(t)
	c := script(t, typical)
	c.Env = map[string]string{"URL": s.URL}
	g, exit := play(t, c)
	if exit.Code != 0 || exit.Wire != nil || exit.CPU == 0 {
		t.Errorf("%+v", exit)
	}
	if got, want := g.byStep(), map[string]int{
		"GET /posts/*": 10, "bad": 10, "login / form": 10, "GET /users/${}": 10,
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("steps %v, want %v", got, want)
	}
	opened := 0
	for _, r := range g.requests {
		if r.Connect > 0 {
			opened++
		}
		if before := r.Queue + r.Connect + r.TLS + r.Send; before > r.First || min(r.Queue, r.Connect, r.TLS, r.Send) < 0 ||
			r.TLS > 0 {
			t.Errorf("its first byte came after %s, of which its phases took %s: %+v", r.First, before, r)
		}
		step := g.steps[r.Step]
		wrong := map[string]int{"login / form": 1}[step]
		checks := map[string]int{"login / form": 1, "GET /posts/*": 2}[step]
		if r.Failed != (step == "bad") || !r.Answered || r.Checks != checks || r.Wrong != wrong ||
			wrong > 0 && g.checks[r.Check] != "never" || r.Service <= 0 || r.First > r.Service || r.End < r.Service {
			t.Errorf("%s: %+v", step, r)
		}
	}
	if opened == 0 || opened == len(g.requests) {
		t.Errorf("%d of %d requests opened a connection, want those that found none", opened, len(g.requests))
	}
	if len(g.iterations) != 10 || len(g.exceptions) != 2 || !strings.HasPrefix(g.exceptions[0], "Error: the last one") {
		t.Errorf("%d iterations, %q", len(g.iterations), g.exceptions)
	}
	var marks []string
	for _, n := range g.notes {
		if n.Mark != nil {
			marks = append(marks, fmt.Sprint(n.Mark.Phase, n.Mark.Text, n.Mark.Data))
		}
	}
	if want := []string{"falsefirstmap[a:1]", "truecheckoutmap[]"}; !reflect.DeepEqual(marks, want) {
		t.Errorf("marks %q", marks)
	}
	last := g.last()
	if last.End == nil || last.End.Error != "" {
		t.Errorf("the end is %+v", last.End)
	}
	got := map[string]string{}
	for _, x := range last.Thresholds {
		got[x.Metric+" "+x.Source] = fmt.Sprint(x.Holds, x.Count)
	}
	if want := map[string]string{
		"http_req_duration p(95)<60000": "true 42", "http_req_duration max<0": "false 42",
		"http_req_failed{name:bad} rate<0.5": "false 10", "own_counter count==10": "true 10",
		"vus_max value==2": got["vus_max value==2"],
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("thresholds %v", got)
	}
	metrics := map[string]Metric{}
	for _, m := range last.Metrics {
		metrics[m.Name] = m
	}
	if m := metrics["own_trend"]; m.Type != "trend" || m.Contains != "time" || m.Count != 10 || m.Max != 4 || m.P50 != 2 {
		t.Errorf("%+v", m)
	}
	if m := metrics["checks"]; m.Count != 30 || m.Sum != 20 {
		t.Errorf("%+v", m)
	}
}

// TestPlay_Scripts checks other kinds of script: CommonJS, an async setup, imports of files
// beside the script.
func TestPlay_Scripts(t *testing.T) {
	for _, c := range []struct {
		name, text string
		exceptions int
	}{
		{"CommonJS", `const http = require('k6/http'); exports.options = { vus: 1, iterations: 3 }; exports.default = function () { http.get(__ENV.URL); };`, 0},
		{"only default", `import http from 'k6/http'; export default () => { http.get(__ENV.URL); http.get(__ENV.URL); http.get(__ENV.URL); }`, 0},
		{"async", `import http from 'k6/http'; export const options = { iterations: 3 };
			export async function setup() { return (await http.asyncRequest('GET', __ENV.URL + '/setup')).status; }
			export default async function (status) { if (status !== 200) throw new Error('status ' + status); await http.asyncRequest('GET', __ENV.URL); }`, 0},
		{"beside it", `import http from 'k6/http'; import { n } from './lib/n.js'; const more = open('./lib/more.txt');
			export default function () { for (let i = 0; i < n + more.length; i++) http.get(__ENV.URL); }`, 0},
		{"a batch", `import http from 'k6/http'; export default function () { http.batch([['GET', __ENV.URL], ['GET', __ENV.URL], __ENV.URL]); }`, 0},
		{"a redirect, a timeout and a refusal", `import http from 'k6/http'; export default function () {
			http.get(__ENV.URL + '/slow', { timeout: 1 }); http.get('http://127.0.0.1:1'); http.get('http://no.such.host.invalid'); }`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := server(t)
			conf := script(t, c.text)
			lib := filepath.Join(filepath.Dir(conf.Script), "lib")
			if err := os.Mkdir(lib, 0o700); err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string]string{"n.js": "export const n = 1;", "more.txt": "xy"} {
				if err := os.WriteFile(filepath.Join(lib, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			conf.Env = map[string]string{"URL": s.URL}
			g, exit := play(t, conf)
			if exit.Code != 0 || len(g.requests) != 3 || len(g.exceptions) != 0 {
				t.Errorf("%d requests, %q", len(g.requests), g.exceptions)
			}
			for _, r := range g.requests {
				if r.Failed != strings.Contains(c.name, "refusal") || r.Answered == r.Failed {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

func TestInspect(t *testing.T) {
	p, err := inspect(t, script(t, typical))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Scenarios) != 1 || p.Scenarios[0].Name != "a" || p.Users != 2 || p.End != 10*time.Minute ||
		len(p.Thresholds) != 5 {
		t.Errorf("%+v", p)
	}
	for _, c := range []struct{ name, text, want string }{
		{"no JavaScript", "export default function ( {", "script.js: Line 1:28 Unexpected end of input"},
		{"an exception", "throw new Error('no init'); export default function () {}", "no init"},
		{"nothing to run", "export const x = 1;", "default"},
		{
			"no such function",
			"export const options = { scenarios: { a: { executor: 'shared-iterations', exec: 'x' } } }; export function y() {}",
			"x",
		},
		{"no such module", "import './nowhere.js'; export default function () {}", "nowhere.js"},
		{
			"no such threshold", "export const options = { thresholds: { checks: ['p95<1'] } }; export default function () {}",
			"p95<1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := inspect(t, script(t, c.text)); err == nil || !strings.Contains(err.Error(), c.want) ||
				strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestStart_Gone checks that the process ends with the process that started it, when its standard
// input ends.
func TestStart_Gone(t *testing.T) {
	s := server(t)
	c := script(t, `import http from 'k6/http'; export const options = { vus: 1, duration: '5m' }; export default function () { http.get(__ENV.URL); }`)
	c.Env = map[string]string{"URL": s.URL}
	g := newGot()
	k := New(program(t), c, nil, g)
	if err := k.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Kill)
	<-g.ready
	if err := k.Send(Command{Begin: true}); err != nil {
		t.Fatal(err)
	}
	_ = k.in.Close()
	select {
	case <-k.Ended():
	case <-time.After(time.Minute):
		t.Fatal("it goes on")
	}
	if k.Exit().Code != ExitAborted {
		t.Errorf("%+v", k.Exit())
	}
	if err := k.Send(Command{Stop: true}); !errors.Is(err, errEnded) {
		t.Errorf("it is reported: %v", err)
	}
}

// answering sends a command to its process as soon as the process sends a message.
type answering struct {
	*got
	child    *Child
	reported chan error
}

func (a *answering) Note(n *Note) {
	a.got.Note(n)
	a.reported <- a.child.Send(Command{Fault: &FaultAnswer{ID: 1}})
}

// TestStart_AnswersAtOnce has a process send a message before it has read anything. The handler
// can answer at once, and the answer follows the config. It shows a race only under -race.
func TestStart_AnswersAtOnce(t *testing.T) {
	dir := t.TempDir()
	says := appendNote(appendHello(nil, time.Now()), &Note{Fault: &FaultAsk{ID: 1, Name: "it"}})
	if err := os.WriteFile(filepath.Join(dir, "says"), says, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ncat says\nread first\nread second\necho \"$first\" >first\n"+
		"echo \"$second\" >second\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	a := &answering{got: newGot(), reported: make(chan error, 1)}
	a.child = New(program, Config{Script: filepath.Join(dir, "script.js")}, nil, a)
	if err := a.child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.child.Kill)
	if err := <-a.reported; err != nil {
		t.Error(err)
	}
	if exit := a.child.Exit(); exit.Code != 0 {
		t.Errorf("%+v", exit)
	}
	for name, want := range map[string]string{"first": `"script":`, "second": `"fault":`} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(strings.ToLower(string(b)), want) {
			t.Errorf("the %s line that it reads is %s, %v", name, b, err)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	name := Binary
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	path := filepath.Join(dir, name)
	t.Setenv("PATH", t.TempDir())
	env := map[string]string{}
	lookupEnv := func(k string) (string, bool) { v, ok := env[k]; return v, ok }
	if _, err := Find(filepath.Join(dir, "brunt"), lookupEnv); !errors.Is(err, errNotFound) ||
		!strings.Contains(err.Error(), Build) {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o700); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	self := filepath.Join(dir, "brunt")
	if err := os.WriteFile(self, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	for what, find := range map[string]func() (string, error){
		"beside brunt": func() (string, error) { return Find(self, lookupEnv) },
		"in PATH":      func() (string, error) { t.Setenv("PATH", dir); return Find("/nowhere/brunt", lookupEnv) },
		"by BRUNT_K6":  func() (string, error) { env["BRUNT_K6"] = path; return Find("", lookupEnv) },
	} {
		if got, err := find(); got != path && got != real {
			t.Errorf("%s: %s, %v", what, got, err)
		}
	}
	env["BRUNT_K6"] = filepath.Join(dir, "nowhere")
	if _, err := Find(self, lookupEnv); err == nil {
		t.Error("what BRUNT_K6 names is not there, and another is taken")
	}
}

func TestEnvironment(t *testing.T) {
	got := environment([]string{
		"A=1", "K6_VUS=5", "K6_BROWSER_HEADLESS=true", "HTTP_PROXY=http://x", "https_proxy=y", "NO_PROXY=z",
	})
	want := []string{
		"A=1", "K6_BROWSER_HEADLESS=true", "NO_PROXY=z", "K6_NO_USAGE_REPORT=true",
		"K6_AUTO_EXTENSION_RESOLUTION=false", "NO_COLOR=1",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

func TestWrapper(t *testing.T) {
	for path, want := range map[string]string{
		"/a b/s.js": `"file:///a%20b/s.js"`, `C:/x/"q".js`: `"file:///C:/x/%22q%22.js"`,
		"/a/${x}`.js": "\"file:///a/$%7Bx%7D%60.js\"",
	} {
		if got := Wrapper(path); !strings.HasPrefix(got, "import * as script from "+want+";\n") ||
			strings.Contains(got, "SCRIPT") {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestCodeOf(t *testing.T) {
	for _, c := range []struct {
		code     int
		text     string
		want     int
		sent     bool
		outsider bool
	}{
		{1212, "dial: connection refused", 1212, false, false},
		{1220, "read: connection reset by peer", 1220, true, false},
		{1050, "request timeout", 1050, true, false},
		{1000, "unexpected EOF", CodeClosed, true, false},
		{1000, "something else", 1000, false, false},
		{1210, "dial tcp 10.1.2.3:80: 10.1.2.3 " + NotAllowed, CodeNotAllowed, false, true},
		{1503, "", 1503, true, false},
		{CodeCut, "", CodeCut, true, false},
	} {
		if got := CodeOf(c.code, c.text); got != c.want || WasSent(got) != c.sent || isNotAllowed(c.text) != c.outsider {
			t.Errorf("%d %s: %d, sent %v", c.code, c.text, got, WasSent(got))
		}
	}
}
