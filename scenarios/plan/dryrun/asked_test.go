package dryrun_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/suite"
)

// TestTry tries questions before a run: a command that can't run is an error that names its place, and what runs
// already is asked.
func TestTry(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/depth" {
			_, _ = w.Write([]byte("12\n"))
			return
		}
		http.Error(w, "no such page", http.StatusNotFound)
	}))
	defer server.Close()
	t.Chdir(t.TempDir())
	script(t, "seven.sh", "echo 7")
	script(t, "own/eight.sh", "echo 8")
	const stack = "target: {stack: demo, with: {posts: {replicas: 3}}}\n"
	const load = "load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /posts}]}}\n"
	crash := func(leader string) string {
		return stack + load + "chaos: {x: {at: 5s, process.crash: {service: posts, pick: leader, leader: " + leader + "}}}\n"
	}
	running := "target: {url: \"" + server.URL + "\"}\n" + load
	for _, c := range []struct {
		name, text string
		want       string // in the trial
		fails      bool   // the run would
	}{
		{
			"a program that is not there", crash(`{command: "redis-cly -p ${self.port} role | grep master"}`),
			`there is no program "redis-cly"`, true,
		},
		{"the second one is not there", crash(`{command: "true && A=b grp -q master"}`), `there is no program "grp"`, true},
		{
			"a program in a container",
			crash(`{command: "true $(printf %s db | head -1) mariadb-nothere -e 'a; b' && greet() { true; }; greet"}`),
			"asked during the run", false,
		},
		{"a program in a substitution", crash(`{command: "true $(grp x)"}`), `there is no program "grp"`, true},
		{"no syntax of sh", crash(`{command: "echo 'x"}`), "sh refuses it", true},
		{"a list whose program is not there", crash(`{command: [redis-cly, role]}`), "redis-cly", true},
		{
			"a good pipeline", crash(`{command: "if ! echo \"a;nothere b\" | grep -q x; then exit 1; fi"}`),
			"asked during the run", false,
		},
		{"a case", crash(`{command: "case $BRUNT_UNIT in nothere) true;; esac"}`), "asked during the run", false},
		{"a path", crash(`{path: /role}`), "asked during the run", false},
		{
			"a metric that answers", running + `metrics: {d: {get: "` + server.URL + `/depth"}}`,
			"GET " + server.URL + "/depth: 12", false,
		},
		{"a metric that does not", running + `metrics: {d: {get: "` + server.URL + `/nothere"}}`, "no answer now", false},
		{"a command that answers", running + `metrics: {d: {command: "echo 7; echo 8"}}`, "echo 7; echo 8: 7", false},
		{
			"a watch", stack + load + "watch: {role: {of: posts, command: \"redis-cly role\"}}",
			`watch role asks by redis-cly role: it would fail`, true,
		},
		{
			"an alarm", running + `chaos: {x: {at: 5s, for: 1s, network.stall: {to: target}, detect: {command: "pagerdutty"}}}`,
			`detect of x asks by pagerdutty: it would fail: there is no program "pagerdutty"`, true,
		},
		{"a program of the directory", running + `metrics: {d: {command: [./seven.sh]}}`, "./seven.sh: 7", false},
		{"a command that warns", running + `metrics: {d: {command: "echo a warning >&2; echo 9"}}`, ": 9", false},
		{
			"ready of a target that runs", "target: {url: \"" + server.URL +
				"\", ready: {path: /depth, check: {body: \"~ 12\"}}}\n" + load,
			"ready of target asks by GET /depth: yes (GET /depth: status 200", false,
		},
		{
			"ready by no program", strings.Replace(stack, "}}}", "}}, ready: {command: \"redis-cly ping\"}}", 1) + load,
			"ready of gateway asks by redis-cly ping: it would fail: there is no program", true,
		},
		{
			"a long answer", running +
				`metrics: {d: {command: "echo '{\"a\": [1,'; yes 2, | head -20000; echo '2], \"b\": 10}'", value: "$.b"}}`,
			": 10", false,
		},
		{"a program after a cd", running + `metrics: {d: {command: "cd own && ./eight.sh"}}`, "./eight.sh: 8", false},
		{"a program of no directory", running + `metrics: {d: {command: [./eight.sh]}}`, "it would fail", true},
		{
			"verify of a directory",
			running + `chaos: {x: {at: 5s, for: 1s, exec: {inject: ["true"], verify: [./eight.sh], revert: ["true"], dir: own}}}`,
			"verify of x asks by ./eight.sh: yes", false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := plantest.CompileText("version: 1\n" + c.text)
			if err != nil {
				t.Fatal(plantest.Explained(err))
			}
			trials := dryrun.Try(t.Context(), p)
			if len(trials) != 1 {
				t.Fatalf("%+v", trials)
			}
			got := trials[0].String()
			if !strings.Contains(got, c.want) || (trials[0].Err != nil) != c.fails ||
				!strings.Contains(got, "s.yaml:") && !strings.Contains(got, ".yaml:") {
				t.Errorf("%q, want %q", got, c.want)
			}
			lines, err := dryrun.Run(t.Context(), p)
			if (err != nil) != c.fails || !strings.Contains(strings.Join(lines, "\n"), c.want) {
				t.Errorf("a dry run: %v\n%s", err, strings.Join(lines, "\n"))
			}
		})
	}
}

// script writes a program.
func script(t *testing.T, name, text string) {
	t.Helper()
	suite.Executable(t, name, []byte("#!/bin/sh\n"+text+"\n"))
}

// TestTry_Addresses: what a run may ask is asked before the run, too: the monitoring where load may go, and metrics
// anywhere.
func TestTry_Addresses(t *testing.T) {
	host := ""
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			host = n.IP.String()
		}
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if host == "" || err != nil {
		t.Skip("this machine has no address but loopback")
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_,
			_ = w.Write([]byte("12\n"))
	}))
	_ = server.Listener.Close()
	server.Listener = l
	server.Start()
	defer server.Close()
	p, err := plantest.CompileText("version: 1\ntarget: {url: \"" + server.URL + "\"}\nguard: {allow: {load: [\"" + host +
		"\"]}}\n" +
		"load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /posts}]}}\n" +
		"metrics: {d: {get: \"" + server.URL + "\"}}\n" +
		`chaos: {x: {at: 5s, for: 1s, exec: {inject: ["true"], verify: ["false"], revert: ["true"]}, detect: {get: "` +
		server.URL + `"}}}`)
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	for _, trial := range dryrun.Try(t.Context(), p) {
		if trial.Mute != nil || trial.Err != nil {
			t.Errorf("%s", &trial)
		}
	}
}
