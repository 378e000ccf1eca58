package leaks

import (
	"bytes"
	"debug/elf"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// ofScript is a load that a script of k6 makes.
const ofScript = `
version: 1
name: leaks of a script
target: {url: "http://@OUTSIDE@"}
load:
  users: {k6: script.js, vus: 2, duration: 1500ms, env: {PASSWORD: "{{variable of a script}}", PLAIN: "${env.LEAK_SCRIPT}"}}
slo: [ok.p50 < 10s]
`

// script prints what it was given and what it got, and has secrets of its own.
const script = `
import http from 'k6/http';
import { check, sleep } from 'k6';
export function setup() {
  console.warn('api_key={{key of a script}}');
}
export default function () {
  console.log('password=' + __ENV.PASSWORD + ' and ' + __ENV.PLAIN);
  console.error(JSON.stringify({ token: '{{token of a script}}', plain: __ENV.PLAIN }));
  const r = http.post(__ENV.BRUNT_URL + '/fail/script?as=text&token=' + __ENV.PASSWORD, JSON.stringify({ password: __ENV.PASSWORD, note: __ENV.PLAIN }),
    { headers: { Authorization: 'Bearer ' + __ENV.PASSWORD, 'X-Plain': __ENV.PLAIN } });
  console.log(r.body);
  check(r, { 'is well': (r) => r.status === 200 });
  http.get(__ENV.BRUNT_URL + '/fail/own?token={{query of a script}}', { headers: { Authorization: 'Bearer {{header of a script}}' } });
  http.get('http://ann:{{userinfo of a script}}@127.0.0.1:1/?token={{query of a refused request}}');
  sleep(0.3);
  if (__ITER === 2) throw new Error('login?token=' + __ENV.PASSWORD + ' failed');
}
`

// ofLog replays a log of requests.
const ofLog = `
version: 1
name: leaks of a log
target: {url: "http://@OUTSIDE@"}
load:
  said: {executor: replay, from: access.log, timeout: 2s, request: {headers: {Authorization: "Bearer {{header of a replay}}"}}}
  lines: {executor: replay, from: lines.json, timeout: 2s}
`

// logs are what it replays.
var logs = map[string]string{
	"access.log": `192.0.2.1 - ann [10/Oct/2026:13:55:36 +0200] "GET /fail/said?token={{query of a log}} HTTP/1.1" 200 1 "http://x/?api_key={{referrer}}" "-"
192.0.2.1 - ann [10/Oct/2026:13:55:37 +0200] "GET /fail/said?as=text&password={{password of a log}} HTTP/1.1" 200 1 "-" "-"
192.0.2.1 - ann [10/Oct/2026:13:55:37 +0200] "POST no-path?token={{query of a bad line}} HTTP/1.1" 200 1 "-" "-"
`,
	"lines.json": `{"time": "2026-10-10T13:55:36Z", "method": "GET", "path": "/fail/lines?session_id={{query of a line}}"}
{"time": "2026-10-10T13:55:37Z", "method": "GET", "path": "/fail/lines?as=text&token={{token of a line}}"}
`,
}

// ofProject has a target that Compose brings up.
const ofProject = `
version: 1
name: leaks of a project
target: {compose: compose.yaml, entry: web}
load:
  main: {executor: constant-arrival-rate, rate: 20/s, duration: 2s, timeout: 2s, flow: [
    {get: "/fail/composed?token={{query to a container}}", headers: {X-Plain: "${env.LEAK_HEADER}"}}]}
chaos:
  crash: {at: 500ms, within: 20s, process.crash: {service: web}}
slo: [ok.p50 < 10s]
`

// project is its file.
const project = `
version: "3.8"
services:
  web:
    image: @IMAGE@
    restart: always
    command: ["--token={{flag of a container}}", --password, "{{argument of a container}}"]
    environment: {BRUNT_ADDR: ":8080", LEAKS_OWN: /own.json, DB_PASSWORD: "{{variable of a container}}"}
    volumes: ["@OWN@:/own.json:ro"]
    ports: ["127.0.0.1::8080"]
`

// run runs the scenario, and adds what the run gives away while it goes on and at its end.
func (x *tried) run(args ...string) (said string) {
	x.t.Helper()
	out := filepath.Join(x.dir, "folder")
	c := x.command(append([]string{"run", x.file, "-o", out, "--requests", "--log-level", "debug"}, args...)...)
	var both bytes.Buffer
	c.Stdout, c.Stderr = &both, &both
	if err := c.Start(); err != nil {
		x.t.Fatal(err)
	}
	end := x.follow(c.Process.Pid, nil)
	_ = c.Wait() // what it says counts
	end()
	x.add("output", both.String())
	x.folder("folder", out)
	return both.String()
}

// reaches fails unless requests with a path came to a server and were answered as failed.
func (x *tried) reaches(said, path string) {
	x.t.Helper()
	if _, came := x.outside.pushed()[path]; !came {
		x.t.Errorf("nothing came to %s:\n%s", path, said)
	}
}

// tryWith tries a scenario with an echo outside of it, and files beside it.
func tryWith(t *testing.T, text string, files map[string]string, words ...string) *tried {
	t.Helper()
	alone(t)
	e := &echo{}
	l, err := e.serve("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	x := newTried(t, e, write(t, text, append([]string{"@OUTSIDE@", l.Addr().String()}, words...)...))
	e.own = x.own
	for name, text := range files {
		x.save(t, name, x.fill(text, words...))
	}
	x.secrets["note"], x.secrets["cookie of a note"] = newSecret(false), newSecret(false)
	return x
}

// TestLeaks_Script searches what a script of k6 prints and fails with.
func TestLeaks_Script(t *testing.T) {
	x := tryWith(t, ofScript, map[string]string{"script.js": script})
	said := x.run()
	if strings.Contains(said, "brunt-k6 is neither beside brunt nor in PATH") {
		suite.Lack(t, "%v", said)
	}
	x.reaches(said, "/fail/script")
	x.report(t, x.secrets)
	if out := strings.Join(x.texts["folder/logs/k6-users.log"], ""); !strings.Contains(out, "password=***") ||
		!strings.Contains(out, "value 0, hex") {
		t.Errorf("the log of the script lacks what it printed:\n%.4000s", out)
	}
}

// TestLeaks_Replay searches a run of requests that logs hold.
func TestLeaks_Replay(t *testing.T) {
	x := tryWith(t, ofLog, logs)
	said := x.run()
	for _, path := range []string{"/fail/said", "/fail/lines"} {
		x.reaches(said, path)
	}
	x.say("validate", x.file)
	x.say("validate", x.file, "--explain")
	x.report(t, x.secrets)
}

// TestLeaks_Import searches the reports of what vegeta measured.
func TestLeaks_Import(t *testing.T) {
	x := tryWith(t, ofLog, logs)
	x.secrets = map[string]string{}
	secret := func(name string) string {
		x.secrets[name] = newSecret(false)
		return x.secrets[name]
	}
	var lines strings.Builder
	for i, r := range []map[string]any{
		{
			"code": 500, "error": "500 said token=" + secret("error"),
			"body": base64.StdEncoding.EncodeToString([]byte(`{"password": "` + secret("answer") + `"}`)),
		},
		{"code": 0, "error": `Get "http://ann:` + secret("userinfo of an error") + `@127.0.0.1:1/?api_key=` +
			secret("query of an error") + `": connection refused`},
		{"code": 200, "headers": map[string]any{"Set-Cookie": []string{"session_id=" + secret("cookie")}}},
	} {
		maps.Copy(r, map[string]any{
			"attack": "login", "seq": i, "timestamp": "2026-10-10T13:55:36Z", "latency": 1e6, "method": "GET",
			"url": fmt.Sprintf("http://ann:%s@127.0.0.1:1/login/%d?token=%s", secret(fmt.Sprint("userinfo ", i)), i,
				secret(fmt.Sprint("query ", i))),
		})
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&lines, string(b))
	}
	out := filepath.Join(x.dir, "folder")
	said := x.say("import", "vegeta", x.save(t, "results.json", lines.String()), "-o", out, "--slo", "errors < 1%")
	x.folder("folder", out)
	if len(x.texts["folder/result.json"]) == 0 {
		t.Errorf("it was not imported:\n%s", said)
	}
	x.report(t, x.secrets)
}

// selfImage makes an image FROM scratch whose program is this test, until the test ends.
func selfImage(t *testing.T) string {
	t.Helper()
	docker := func(args ...string) error {
		c := exec.Command("docker", args...)
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("docker %s: %w: %s", args[0], err, out)
		}
		return nil
	}
	if err := docker("version"); err != nil {
		suite.Lack(t, "needs a Docker engine, such as Debian's docker.io: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, name := t.TempDir(), "brunt-leaks-"+strings.ToLower(newSecret(false))
	if linked(t, self) { // an image from scratch has no libraries
		self = filepath.Join(t.TempDir(), "static")
		c := exec.Command("go", "test", "-c", "-o", self, ".")
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("go test -c: %v: %s", err, out)
		}
	}
	program, err := os.ReadFile(self)
	if err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(dir, "leaks"), program, 0o700),
			os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCOPY leaks /leaks\nENTRYPOINT [\"/leaks\"]\n"),
				0o600))
	}
	if err == nil {
		err = docker("build", "-q", "-t", name, dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := docker("rmi", "-f", name); err != nil {
			t.Error(err)
		}
	})
	return name
}

// linked reports whether a program is linked with shared libraries, as it is where cgo is on.
func linked(t *testing.T, program string) bool {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

// TestLeaks_Compose searches a run whose target Compose brings up.
func TestLeaks_Compose(t *testing.T) {
	alone(t)
	suite.Needs(t, suite.Compose)
	image := selfImage(t)
	x := tryWith(t, ofProject, nil)
	x.save(t, "compose.yaml", x.fill(project, "@IMAGE@", image, "@OWN@", filepath.Join(x.dir, "own.json")))
	began := time.Now()
	said := x.run()
	if log := strings.Join(x.texts["folder/logs/web-N.log"], "") +
		strings.Join(x.texts["folder/logs/web-0.log"], ""); !strings.Contains(log, "/fail/composed") {
		t.Errorf("the log of the container lacks its requests, after %s:\n%.2000s\n%s", time.Since(began), log, said)
	}
	x.report(t, x.secrets)
}
