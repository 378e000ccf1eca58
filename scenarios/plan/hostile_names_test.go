package plan_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/plantest"
)

// mistakesOf returns what a scenario is refused for under a policy. TOKEN is a variable of the environment.
func mistakesOf(t *testing.T, parts, policy string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	text := "version: 1\nname: hostile\n" + parts + "\n"
	for key, part := range map[string]string{
		"target": `{url: "http://127.0.0.1:9"}`, "load": "{a: {" + open + ", flow: [{get: /}]}}",
	} {
		if !strings.Contains(text, "\n"+key+":") {
			text += key + ": " + part + "\n"
		}
	}
	for name, holds := range map[string]string{file: text, filepath.Join(filepath.Dir(file), "script.js"): "x"} {
		if err := os.WriteFile(name, []byte(holds), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := func(name string) (string, bool) {
		return map[string]string{
			"TOKEN": "s3cretvalue", "BASE": "http://127.0.0.1:9", "USER": "ann", "FAR": "http://shop.example.com",
		}[name], name != "BRUNT_K6"
	}
	var limits []string
	if policy != "" {
		limits = []string{plantest.WritePolicy(t, policy)}
	}
	read, err := plan.ReadPolicies(limits, nil)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Parse(file, scenarios.Options{Env: env})
	if sc != nil {
		_, err = plan.Compile(sc, plan.CompileOptions{Self: []string{os.Args[0]}, Policies: read, Env: env})
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestHostile_SecretHosts: a secret that is a part of a host's name is a mistake at its place, as every name server
// sees the name. It may stand before the @ and behind the host; a host that is not looked up may come from a variable.
func TestHostile_SecretHosts(t *testing.T) {
	const secret = "${env.TOKEN}.example.com"
	place := regexp.MustCompile(`scenario\.yaml:\d+:\d+: \$\{`)
	allowed := "guard: {allow: {load: [10.0.0.0/8], chaos: [10.0.0.0/8]}}\n"
	for _, c := range []struct {
		name, parts string
		fine        bool
	}{
		{"a step", asks(`{get: "http://` + secret + `/"}`), false},
		{"a part of the host", asks(`{post: "http://a-${base64(env.TOKEN)}.example.com/"}`), false},
		{"a param", "params: {h: \"" + secret + "\"}" + asks(`{get: "http://${h}/"}`), false},
		{"a host that is not known whole", "data: {d: {inline: [x]}}" +
			asks(`{get: "http://${env.TOKEN}.${data.d.value}/"}`), false},
		{"a whole URL", asks(`{get: "${env.FAR}/"}`), false},
		{"the target", `target: {url: "http://` + secret + `"}`, false},
		{"an endpoint", `target: {endpoints: {r: "redis://` + secret + `:6379"}}` + asks("{redis: [PING]}"), false},
		{"one host of several", `target: {endpoints: {k: "kafka://127.0.0.1:9,` + secret + `:9"}}` +
			asks("{kafka: t, value: x}"), false},
		{"a further host", `target: {endpoints: {r: "redis+cluster://127.0.0.1:1?addr=` + secret + `:1"}}` +
			asks("{redis: [PING]}"), false},
		{"a token's URL", `auth: {oauth2: {token_url: "http://` + secret + `/", client_id: a, client_secret: b}}`, false},
		{"a question", `metrics: {x: {get: "http://` + secret + `/", every: 1s}}`, false},
		{"a proxy", "load: {a: {" + open + `, connections: {proxy: "http://` + secret + `:1"}, flow: [{get: /}]}}`, false},
		{"resolve", "load: {a: {" + open + `, resolve: {a.test: "` + secret + `"}, flow: [{get: "http://a.test/"}]}}`, false},
		{"a collector", `trace: {listen: ":0", forward: "http://` + secret + `"}`, false},
		{"readiness", `target: {url: "http://127.0.0.1:9", ready: {get: "http://` + secret + `/"}}`, false},
		{"a ledger", `ledger: {write: w, id: "${ledger.id}", read: {get: "/${id}"}, at: ["http://` + secret + `"]}` +
			asks(`{name: w, post: /, json: {a: "${ledger.id}"}}`), false},
		{"a peer of a fault", "target: {containers: {web: {image: a, ports: [80]}}}\n" +
			"chaos: {f: {at: 1s, for: 1s, network.loss: {from: web, to: \"" + secret + "\", percent: 50%}}}", false},

		{"a path", asks(`{get: "http://127.0.0.1:9/${env.TOKEN}"}`), true},
		{"a password", `target: {url: "http://${env.USER}:${env.TOKEN}@127.0.0.1:9"}`, true},
		{"this machine", asks(`{get: "${env.BASE}/x"}`), true},
		{"a path after a URL", asks(`{get: "${env.BASE}/${env.TOKEN}"}`), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			why := mistakesOf(t, allowed+c.parts, "")
			refused := strings.Contains(why, "would be a part of a host's name")
			if refused == c.fine || refused && !place.MatchString(why) {
				t.Errorf("refused %v: %s", refused, why)
			}
			if strings.Contains(why, "s3cretvalue") {
				t.Errorf("it shows the secret: %s", why)
			}
		})
	}
}

// TestHostile_Peers: a policy says which names are looked up for the peers of a fault on packets.
func TestHostile_Peers(t *testing.T) {
	const parts = "target: {containers: {web: {image: a, ports: [80]}}}\n" +
		"chaos: {f: {at: 1s, for: 1s, network.loss: {from: web, to: api.example.com, percent: 50%}}}"
	for policy, want := range map[string]string{
		"":                                       "",
		"max_units: 3":                           "",
		"allow: {load: [], chaos: []}":           "does not let load go to api.example.com",
		"allow: {chaos: []}":                     "does not let a fault go to api.example.com",
		"allow: {load: [api.example.com]}":       "",
		"allow: {load: [], chaos: [10.0.0.0/8]}": "",
		"allow: {load: [], chaos: [a.example.com]}": "does not let load go to api.example.com",
	} {
		why := mistakesOf(t, parts, policy)
		if got := strings.Contains(why, "api.example.com"); got != (want != "") || !strings.Contains(why, want) {
			t.Errorf("under %q: %s", policy, why)
		}
	}
}

// TestHostile_Pods: under a policy pods are made only in namespaces that it names, and Secrets of a namespace count as
// secrets.
func TestHostile_Pods(t *testing.T) {
	const (
		target  = "target: {url: \"http://10.1.2.3:9\"}\nguard: {allow: {load: [10.1.2.3]}}\n"
		workers = target + "workers: {count: 2, on: kubernetes, context: c, namespace: load}"
		stack   = "target: {stack: demo, platform: kubernetes, kubernetes: {context: c"
		guard   = "\nguard: {allow: {chaos: [kubernetes/c/shop]}}"
	)
	for _, c := range []struct{ name, parts, policy, want string }{
		{"no policy", workers, "", ""},
		{"a policy that names no namespace", workers, "max_rate: 100/s", "a worker would be a pod of kubernetes/c/load"},
		{"the hostile one", workers, "targets: [url]\nforbid: [commands]", "workers are pods of a cluster"},
		{"another namespace", workers, "allow: {load: [10.1.2.3, kubernetes/c/other]}", "a pod of kubernetes/c/load"},
		{"another cluster", workers, "allow: {load: [10.1.2.3, kubernetes/d/load]}", "a pod of kubernetes/c/load"},
		{"named for load", workers, "allow: {load: [10.1.2.3, kubernetes/c/load]}\ntargets: [url, kubernetes]", ""},
		{"named for chaos", workers, "allow: {chaos: [kubernetes/c/load]}", ""},
		{
			"protected", workers, "allow: {load: [10.1.2.3, kubernetes/c/load]}\nprotect: {namespaces: [load]}",
			"the namespace load is protected",
		},
		{
			"no context", target + "workers: {count: 2, on: kubernetes, namespace: load}", "max_rate: 100/s",
			"a worker would be a pod in a namespace that",
		},
		{
			"the cluster's own", target + "workers: {count: 2, on: kubernetes, context: c, namespace: kube-system}", "",
			"namespace kube-system",
		},
		{"processes", target + "workers: 2", "max_rate: 100/s", ""},
		{"a stack that makes its namespace", stack + "}}", "max_rate: 100/s", "the target would be a pod in a namespace that"},
		{"a stack in a namespace", stack + ", namespace: shop}}" + guard, "allow: {chaos: [kubernetes/c/shop]}", ""},
		{
			"agents elsewhere", stack + ", namespace: shop, agent_namespace: own}}" + guard,
			"allow: {chaos: [kubernetes/c/shop]}", "an agent would be a pod of kubernetes/c/own",
		},
		{"a Secret", workers + "\n" + `init: [{get: "/"}]`, "allow: {load: [10.1.2.3, kubernetes/c/load], secrets: []}", ""},
		{
			"a Secret that is used",
			target + "workers: {count: 2, on: kubernetes, context: c, namespace: load, env: {A: {secret: s, key: k}}}",
			"allow: {load: [10.1.2.3, kubernetes/c/load], secrets: []}",
			"such as the key k of the Secret s",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if why := mistakesOf(t, c.parts, c.policy); (why == "") != (c.want == "") || !strings.Contains(why, c.want) {
				t.Errorf("%q, want %q", why, c.want)
			}
		})
	}
}

// TestHostile_ScriptArgs: only arguments that neither write a file nor connect to anything are passed on to k6, joined
// with their values or not.
func TestHostile_ScriptArgs(t *testing.T) {
	for args, refused := range map[string]string{
		"--tag, a=b":                             "",
		"--tag=a=b, --rps, 10, -w, --http-debug": "",
		"--tag, --console-output=/x":             "", // the value of the tag
		"--console-output=/x, --log-format=raw":  "--console-output",
		"--http-debug, --console-output, /x":     "--console-output",
		"--log-output=file=/x":                   "--log-output",
		"--secret-source=url=http://a":           "--secret-source",
		"--traces-output=otel=http://a":          "--traces-output",
		"--summary-export=/x":                    "--summary-export",
		"-o, json=/x":                            "-o",
		"-ojson=/x":                              "-ojson",
		"-wo, json=/x":                           "-wo",
		"--config, /x":                           "--config",
		"--profiling-enabled":                    "--profiling-enabled",
		"--, other.js":                           "--",
		"other.js":                               "other.js",
	} {
		why := mistakesOf(t, "load: {a: {k6: script.js, args: ['"+strings.ReplaceAll(args, ", ", "', '")+"']}}", "")
		said := strings.Contains(why, "the argument "+refused+" is not one that a scenario may pass to k6")
		if said != (refused != "") || refused == "" && strings.Contains(why, "the argument") {
			t.Errorf("%s: %s", args, why)
		}
	}
}
