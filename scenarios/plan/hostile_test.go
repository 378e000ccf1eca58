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

// strictest is a policy under which nothing of a scenario leaves this machine, no program of its author is started, and
// no file outside its folder is read.
const strictest = "allow: {load: [], chaos: [], secrets: []}\nforbid: [commands]\nfiles: []"

// A hostile scenario starts a program of its author's, or reads a file outside its folder, FILE in its text.
type hostile struct {
	field string // the field of hostileFields that holds the command or the file
	parts string // top-level keys of the scenario
	holds string // what the file holds; empty: the field starts a program
}

// hostiles has a scenario for each field that can hold a command, a program or a file.
var hostiles = []hostile{
	{
		field: "chaos/fault/custom.Exec.inject",
		parts: execFault("inject: [touch, FILE], verify: {get: /}, revert: [b]"),
	},
	{
		field: "chaos/fault/custom.Exec.revert",
		parts: execFault("inject: [a], verify: {get: /}, revert: [touch, FILE]"),
	},
	{field: "chaos/fault/custom.Exec.dir", parts: execFault("inject: [a], verify: {get: /}, revert: [b], dir: /tmp")},
	{field: "chaos/fault/custom.Action.run", parts: `chaos: {it: {at: 1s, action.run: {run: "touch FILE"}}}`},
	{
		field: "chaos/fault/custom.Action.undo",
		parts: `chaos: {it: {at: 1s, for: 1s, action.run: {run: [a], undo: [touch, FILE]}}}`,
	},
	{field: "chaos/fault/custom.Action.dir", parts: `chaos: {it: {at: 1s, action.run: {run: [a], dir: /tmp}}}`},
	{
		field: "chaos/fault/kubernetes.Apply.manifest",
		parts: "target: {url: \"http://127.0.0.1:9\", kubernetes: {context: c, namespace: shop}}\n" +
			"guard: {allow: {chaos: [kubernetes/c/shop]}}\n" +
			`chaos: {it: {at: 1s, for: 1s, kube.apply: {manifest: {apiVersion: v1, kind: Pod, metadata: {name: a}, ` +
			`spec: {containers: [{name: a, image: a}]}}, until: {"$.status.phase": Running}}}}`,
	},
	{field: "chaos/probe.Asking.command", parts: "metrics: {x: {command: touch FILE}}"},
	{field: "chaos/probe.Asking.command", parts: "target: {url: \"http://127.0.0.1:9\", ready: {command: touch FILE}}"},
	{field: "chaos/probe.Asking.command", parts: "target: {stack: demo}\nwatch: {x: {of: posts, command: touch FILE}}"},
	{
		field: "chaos/probe.Asking.command",
		parts: "target: {stack: demo}\nchaos: {it: {at: 1s, for: 1s, process.freeze: {service: posts, pick: leader, " +
			"leader: {command: touch FILE}}}}",
	},
	{
		field: "chaos/probe.Asking.command",
		parts: "target: {stack: demo}\nchaos: {it: {at: 1s, for: 1s, process.freeze: {service: posts}, " +
			"detect: {command: touch FILE}}}",
	},
	{
		field: "chaos/probe.Asking.command",
		parts: `chaos: {it: {at: 1s, for: 1s, webhook: {inject: {post: "http://127.0.0.1:9/"}, ` +
			`verify: [touch, FILE], revert: {post: "http://127.0.0.1:9/"}}}}`,
	},
	{
		field: "chaos/probe.Asking.command",
		parts: `chaos: {it: {at: 1s, for: 1s, webhook: {inject: {post: "http://127.0.0.1:9/"}, ` +
			`verify: {get: "http://127.0.0.1:9/"}, gone: [touch, FILE], revert: {post: "http://127.0.0.1:9/"}}}}`,
	},
	{
		field: "chaos/probe.Asking.command",
		parts: "target: {stack: demo}\nchaos: {it: {at: 1s, steps: [{after: 0s, exec: {inject: [touch, FILE], " +
			"verify: {get: \"http://127.0.0.1:9/\"}, revert: [b]}, for: 1s}]}}",
	},
	{
		field: "chaos/probe.Asking.exec",
		parts: "target: {containers: {api: {image: a, ports: [80]}}}\nwatch: {x: {of: api, exec: touch FILE}}",
	},
	{field: "chaos/probe.Once.command", parts: "setup: [{command: touch FILE}]"},
	{field: "chaos/probe.Once.command", parts: "teardown: [{command: [touch, FILE]}]"},
	{field: "chaos/probe.Once.dir", parts: "setup: [{command: [a], dir: /tmp}]"},
	{field: "scenarios.Target.processes", parts: "target: {processes: {api: {command: [touch, FILE]}}}"},
	{field: "targets/platform.Process.command", parts: "target: {processes: {api: {command: touch FILE}}}"},
	{field: "targets/platform.Process.dir", parts: "target: {processes: {api: {command: [a], dir: /tmp}}}"},
	{field: "scenarios.Target.containers", parts: "target: {containers: {api: {image: a, ports: [80]}}}"},
	{field: "targets/platform.Container.image", parts: "target: {containers: {api: {image: a, ports: [80]}}}"},
	{
		field: "targets/platform.Container.command",
		parts: "target: {containers: {api: {image: a, command: [b], ports: [80]}}}",
	},
	{
		field: "targets/platform.Container.entrypoint",
		parts: "target: {containers: {api: {image: a, entrypoint: [b], ports: [80]}}}",
	},
	{
		field: "targets/platform.Container.mounts",
		parts: "target: {containers: {api: {image: a, mounts: {/: /host}, ports: [80]}}}",
	},
	{
		field: "targets/platform.Health.command",
		parts: "target: {containers: {api: {image: a, health: {command: [b]}, ports: [80]}}}",
	},
	{field: "scenarios.Target.compose", parts: "target: {compose: compose.yaml, entry: api}"},
	{field: "scenarios.Compose.file", parts: "target: {compose: {file: compose.yaml}, entry: api}"},
	{field: "scenarios.Compose.build", parts: "target: {compose: {file: compose.yaml, build: true}, entry: api}"},
	{
		field: "scenarios.Kubernetes.image",
		parts: "target: {stack: demo, platform: kubernetes, kubernetes: {context: c, image: evil}}",
	},
	{
		field: "scenarios.Workers.image",
		parts: "workers: {count: 2, on: kubernetes, context: c, image: evil}\n" +
			"target: {url: \"http://192.0.2.1:9\"}\nguard: {allow: {load: [\"192.0.2.1:9\"]}}",
	},
	{
		field: "targets/plugin.endpointSettings.command",
		parts: "target: {endpoints: {a: {url: \"plugin://127.0.0.1:9\", command: [touch, FILE]}}}" + asks("{plugin: get}"),
	},
	{field: "scenarios.Script.k6", parts: "load: {a: {k6: script.js}}"},

	{field: "scenarios.document.extends", holds: "seed: 1\n", parts: "extends: FILE"},
	{
		field: "scenarios.Load.targets", holds: "GET http://127.0.0.1:9/\n",
		parts: "load: {a: {" + open + ", targets: FILE}}",
	},
	{field: "scenarios/load.Replay.from", holds: accesses, parts: "load: {a: {executor: replay, from: FILE}}"},
	{field: "scenarios.TLS.ca", holds: "x", parts: secureTarget("ca: FILE")},
	{field: "scenarios.TLS.cert", holds: "x", parts: secureTarget("cert: FILE, key: own.txt")},
	{field: "scenarios.TLS.key", holds: "x", parts: secureTarget("key: FILE, cert: own.txt")},
	{field: "scenarios/template.tableSource.csv", holds: "a\n1\n", parts: "data: {a: {csv: FILE}}" + asks("{get: /}")},
	{
		field: "scenarios/template.tableSource.json", holds: `[{"a":1}]`,
		parts: "data: {a: {json: FILE}}" + asks("{get: /}"),
	},
	{
		field: "targets.expectedSource.schema", holds: `{"type": "object"}`,
		parts: asks("{get: /, check: {schema: FILE}}"),
	},
	{
		field: "targets/stream.MessageSource.file", holds: "x",
		parts: `target: {endpoints: {u: "udp://127.0.0.1:9"}}` + asks("{udp: {file: FILE}}"),
	},
	{field: "targets/http.fileSource.file", holds: "x", parts: asks("{post: /, body: {file: FILE}}")},
	{field: "targets/http.partSource.file", holds: "x", parts: asks("{post: /, multipart: {a: {file: FILE}}}")},
	{
		field: "targets/http/auth.keySource.file", holds: "0123456789abcdef0123456789abcdef",
		parts: "auth: {jwt: {alg: HS256, key: {file: FILE}, claims: {sub: a}}}" + asks("{get: /}"),
	},
	{
		field: "targets/grpc.endpoint.protos", holds: service,
		parts: "target: {endpoints: {g: {url: \"grpc://127.0.0.1:9\", protos: FILE}}}" + asks("{grpc: p.S/C}"),
	},
	{
		field: "targets/grpc.endpoint.protoset", holds: "x",
		parts: "target: {endpoints: {g: {url: \"grpc://127.0.0.1:9\", protoset: FILE}}}" + asks("{grpc: p.S/C}"),
	},
	{
		field: "targets/grpc.endpoint.import_paths",
		holds: service,
		parts: "target: {endpoints: {g: {url: \"grpc://127.0.0.1:9\", protos: NAME, import_paths: FOLDER}}}" +
			asks("{grpc: p.S/C}"),
	},
	{
		field: "targets/sql.copyRows.csv", holds: "a\n1\n",
		parts: "target: {endpoints: {db: {url: \"postgres://u@127.0.0.1:9/d\"}}}" +
			asks("{sql.copy: {into: t, rows: {csv: FILE}}}"),
	},
	{parts: asks(`{post: /, body: "${file.FILE}"}`), holds: "x"},
	{parts: "params: {a: \"${file.FILE}\"}" + asks(`{post: /, body: "${a}"}`), holds: "x"},
	{parts: "data: {a: {csv: link.txt}}" + asks("{get: /}"), holds: "a\n1\n"}, // a link in the scenario's own folder
}

const (
	open     = "executor: constant-arrival-rate, rate: 10/s, duration: 5s"
	service  = `syntax = "proto3"; package p; message M {} service S { rpc C(M) returns (M); }`
	accesses = "time,method,path\n2026-01-01T00:00:00Z,GET,/a\n2026-01-01T00:00:01Z,GET,/b\n"
)

func execFault(settings string) string {
	settings = strings.ReplaceAll(settings, "get: /", `get: "http://127.0.0.1:9/"`)
	return "chaos: {it: {at: 1s, for: 1s, exec: {" + settings + "}}}"
}

func secureTarget(tls string) string {
	return `target: {url: "https://127.0.0.1:9", tls: {` + tls + "}}"
}

// asks is a load with a step.
func asks(step string) string { return "\nload: {a: {" + open + ", flow: [" + step + "]}}" }

// compile compiles the scenario under a policy; empty means no policy. It returns what the scenario is refused for, and
// the files outside its folder that were read.
func (h hostile) compile(t *testing.T, policy string) (why string, read []string) {
	t.Helper()
	outside, folder := t.TempDir(), t.TempDir()
	file := filepath.Join(outside, "other.txt")
	text := "version: 1\nname: hostile\n" + h.parts + "\n"
	for key, part := range map[string]string{
		"target": `{url: "http://127.0.0.1:9"}`, "load": "{a: {" + open + ", flow: [{get: /}]}}",
	} {
		if !strings.Contains(text, "\n"+key+":") {
			text += key + ": " + part + "\n"
		}
	}
	text = strings.NewReplacer("FILE", file, "FOLDER", outside, "NAME", filepath.Base(file)).Replace(text)
	main := filepath.Join(folder, "scenario.yaml")
	for name, holds := range map[string]string{
		main: text, file: h.holds, filepath.Join(folder, "own.txt"): "x",
		filepath.Join(folder, "script.js"):    "export default function () {}",
		filepath.Join(folder, "compose.yaml"): "services: {api: {image: a, privileged: true, ports: ['80']}}\n",
	} {
		if err := os.WriteFile(name, []byte(holds), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(file, filepath.Join(folder, "link.txt")); err != nil {
		t.Skip(err)
	}
	var files []string
	if policy != "" {
		files = []string{plantest.WritePolicy(t, policy)}
	}
	limits, err := plan.ReadPolicies(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Parse(main, scenarios.Options{CheckFile: plan.CheckFile(limits)})
	if sc == nil { // the file that it extends can't be read
		return err.Error(), nil
	}
	if _, err := plan.Compile(sc, plan.CompileOptions{
		Self: []string{os.Args[0]}, Policies: limits, Env: func(string) (string, bool) { return "", false },
	}); err != nil {
		why = err.Error()
	}
	for _, f := range sc.Files() {
		if followed := scenarios.Followed(f.Path); !strings.HasPrefix(followed, scenarios.Followed(folder)) {
			read = append(read, followed)
		}
	}
	return why, read
}

// TestHostile compiles a scenario for each field that can hold a command, a program or a file: the strictest policy
// refuses it at its place before it is read or started. Without a policy it is what it claims to be: a scenario without
// other mistakes, or one that reads the file.
func TestHostile(t *testing.T) {
	place := regexp.MustCompile(`scenario\.yaml:\d+:\d+: `)
	for _, h := range hostiles {
		t.Run(h.field, func(t *testing.T) {
			rule := "policy.yaml:3:10 says forbid: [commands]"
			if h.holds != "" {
				rule = "policy.yaml:4:1 says files: []"
			}
			why, read := h.compile(t, strictest)
			if !strings.Contains(why, rule) || !place.MatchString(why) {
				t.Errorf("%q does not say its place and %s", why, rule)
			}
			if len(read) > 0 {
				t.Errorf("%v was read", read)
			}
			switch why, read = h.compile(t, ""); {
			case h.holds != "" && len(read) == 0:
				t.Errorf("no policy, and nothing is read: %s", why)
			case h.holds == "" && why != "":
				t.Errorf("it has other mistakes: %s", why)
			}
		})
	}
}

// TestHostile_Own: a policy that forbids commands and files allows what needs neither: the built-in stack, faults of
// brunt's own, and files of the scenario's folder, or of a folder that the policy names.
func TestHostile_Own(t *testing.T) {
	for _, h := range []hostile{
		{parts: "target: {stack: demo}\nchaos: {it: {at: 1s, for: 1s, process.freeze: {service: posts}}}"},
		{parts: asks("{post: /, body: {file: own.txt}}")},
		{parts: "workers: 2"},
	} {
		if why, _ := h.compile(t, strictest); why != "" {
			t.Errorf("%s: %s", h.parts, why)
		}
	}
	allowed := hostile{parts: asks("{post: /, body: {file: FILE}}"), holds: "x"}
	why, read := allowed.compile(t, "files: [/]")
	if why != "" || len(read) != 1 || filepath.Base(read[0]) != "other.txt" {
		t.Errorf("%s, read %v", why, read)
	}
}
