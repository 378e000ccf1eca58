package policy

// A row is a hostile scenario for a key. In its text these words stand for things that are watched, of its own:
//
//	FAR    a host:port beyond the machine: an address in one play, a name in another
//	HOST   FAR without the port
//	READ   a file outside the scenario's folder; DIR is its folder, and NAME its name there
//	MADE   a file that a command makes
//	NEAR   a server of this machine, which answers 200 to all, and follows /to/FAR by a redirect
//	UNIT   the command of a unit that answers 200
//	GIVEN  a name, which the name server OTHERDNS of the scenario gives another address than the system's
//	CLUSTER a context of the kubeconfig, whose API server is beyond the machine
//	PORT   a port of this machine
type row struct {
	field  string // the field of addressFields or hostileFields of scenarios/structure
	name   string // what else is special about it
	parts  string // top-level keys of the scenario
	holds  string // what READ holds
	policy string // the policy; empty is the strictest one, and the only rule of it that is of this kind
	script string // the text of script.js beside the scenario, which wants brunt-k6
}

// rows has at least one row for each key that a policy binds.
var rows = []row{
	// first, as its reads go on for 10 s
	{
		field: "scenarios.Ledger.at",
		parts: `ledger: {write: w, id: "${ledger.id}", read: {get: "/${id}"}, at: ["http://FAR"], within: 1s}` +
			step(`{name: w, post: /, json: {a: "${ledger.id}"}}`),
	},

	// questions
	{field: "chaos/probe.Asking.scrape", parts: `metrics: {x: {scrape: "http://FAR/", metric: a, every: 100ms}}`},
	{field: "chaos/probe.Asking.get", parts: `metrics: {x: {get: "http://FAR/", every: 100ms}}`},
	{field: "chaos/probe.Asking.get", name: "watch", parts: `watch: {x: {of: web, get: "http://FAR/", every: 100ms}}`},
	{
		field: "chaos/probe.Asking.get", name: "leader",
		parts: freeze(`pick: leader, leader: {get: "http://FAR/"}`, ""),
	},
	{field: "chaos/probe.Asking.get", name: "detect", parts: freeze("", `, detect: {get: "http://FAR/"}`)},
	{
		field: "chaos/probe.Asking.get", name: "ready of a unit",
		parts: `target: {processes: {web: {command: UNIT, ready: {get: "http://FAR/", within: 1s, check: {status: 200}}}}}`,
	},
	{
		field: "chaos/probe.Asking.get", name: "ready", policy: "allow: {load: [], chaos: []}",
		parts: `target: {url: "http://NEAR", ready: {get: "http://FAR/", within: 1s}}`,
	},
	{
		field: "chaos/probe.Asking.get", name: "verify",
		parts: `chaos: {it: {at: 100ms, for: 100ms, webhook: {inject: {post: "http://NEAR/"}, ` +
			`verify: {get: "http://FAR/"}, revert: {post: "http://NEAR/"}}}}`,
	},
	{
		field: "chaos/probe.Asking.prometheus",
		parts: `metrics: {x: {prometheus: "http://FAR", query: a, every: 100ms}}`,
	},
	{field: "chaos/probe.Query.url", parts: `metrics: {x: {query: {url: "http://FAR", promql: a}, every: 100ms}}`},
	{field: "chaos/probe.Metric.get", parts: `metrics: {x: {metric: {get: "http://FAR/", name: a}, every: 100ms}}`},
	{field: "chaos/probe.Alert.prometheus", parts: `alerts: {X: {prometheus: "http://FAR", every: 100ms}}`},
	{field: "chaos/probe.Alert.alertmanager", parts: `alerts: {X: {alertmanager: "http://FAR", every: 100ms}}`},
	{field: "chaos/probe.Call.get", parts: call(`get: "http://FAR/"`)},
	{field: "chaos/probe.Call.post", parts: call(`post: "http://FAR/", body: a`)},
	{field: "chaos/probe.Call.put", parts: call(`put: "http://FAR/", json: {a: 1}`)},
	{field: "chaos/probe.Call.patch", parts: call(`patch: "http://FAR/"`)},
	{field: "chaos/probe.Call.delete", parts: call(`delete: "http://FAR/"`)},

	// the load
	{field: "scenarios.Target.url", parts: `target: {url: "http://FAR"}`},
	{field: "scenarios.Ready.get", parts: `target: {url: "http://NEAR", ready: {get: "http://FAR/", within: 1s}}`},
	{field: "targets/http.requestStep.get", parts: step(`{get: "http://FAR/"}`)},
	{field: "targets/http.requestStep.get", name: "https", parts: step(`{get: "https://FAR/"}`)},
	{field: "targets/http.requestStep.get", name: "redirect", parts: step(`{get: "/to/FAR"}`)},
	{
		field: "targets/http.requestStep.get", name: "data",
		parts: "data: {to: {inline: [FAR]}}" + step(`{get: "http://${data.to.value}/"}`),
	},
	{
		field: "targets/http.requestStep.get", name: "a value of an answer",
		parts: step(`{get: /say/FAR, extract: {to: "$.to"}}, {get: "http://${var.to}/"}`),
	},
	{
		field: "targets/http.requestStep.get", name: "a metric's step",
		parts: `metrics: {x: {ask: {get: "http://FAR/", extract: {value: "$"}}, every: 100ms}}`,
	},
	{
		field: "targets/http.requestStep.get", name: "HTTP/3",
		parts: `target: {url: "https://127.0.0.1:9"}` + with("connections: {http: 3}", `{get: "https://FAR/"}`),
	},
	{
		field: "targets/http.requestStep.get", name: "vegeta",
		parts: with("engine: vegeta", `{get: "http://FAR/"}`),
	},
	{field: "targets/http.requestStep.post", parts: step(`{post: "http://FAR/", body: a}`)},
	{field: "targets/http.requestStep.put", parts: `setup: [{put: "http://FAR/"}]`},
	{field: "targets/http.requestStep.patch", parts: `teardown: [{patch: "http://FAR/"}]`},
	{field: "targets/http.requestStep.delete", parts: `init: [{delete: "http://FAR/"}]`},
	{field: "targets/http.requestStep.head", parts: step(`{head: "http://FAR/"}`)},
	{field: "targets/http.requestStep.options", parts: step(`{options: "http://FAR/"}`)},
	{field: "targets/http.graphQLStep.graphql", parts: step(`{graphql: "http://FAR/", query: "{a}"}`)},
	{field: "targets/http.sseStep.sse", parts: step(`{sse: "http://FAR/", events: 1}`)},
	{
		field: "targets/http/auth.OAuth2.token_url",
		parts: `auth: {oauth2: {token_url: "http://FAR/", client_id: a, client_secret: b}}`,
	},
	{
		field: "scenarios.Load.targets", holds: "GET http://FAR/\n", policy: "allow: {load: [], chaos: []}",
		parts: "load: {a: {" + shape + ", targets: READ}}",
	},
	{field: "scenarios.Load.resolve", parts: with("resolve: {a.test: FAR}", `{get: "http://a.test/"}`)},
	{
		field: "scenarios.Load.resolve", name: "a name of the policy", policy: "allow: {load: [a.test], chaos: []}",
		parts: with("resolve: {a.test: FAR}", `{get: "http://a.test/"}`),
	},
	{field: "scenarios.Connections.dns", parts: with(`connections: {dns: "HOST"}`, `{get: "http://a.test/"}`)},
	{
		field: "scenarios.Connections.dns", name: "a name of the policy", policy: "allow: {load: [GIVEN], chaos: []}",
		parts: with(`connections: {dns: "OTHERDNS"}`, `{get: "http://GIVEN/"}`),
	},
	{
		field: "scenarios.Connections.dns", name: "a name of the policy, behind a link",
		policy: "allow: {load: [GIVEN], chaos: []}",
		parts: `target: {url: "http://GIVEN"}` + "\n" + `chaos: {it: {at: 100ms, for: 100ms, network.latency: ` +
			`{from: load, to: target, delay: 50ms}}}` + with(`connections: {dns: "OTHERDNS"}`, `{get: /}`),
	},
	{field: "scenarios.Connections.proxy", parts: with(`connections: {proxy: "http://FAR"}`, `{get: "http://NEAR/"}`)},
	{
		field: "scenarios.Trace.forward",
		parts: `trace: {listen: "127.0.0.1:PORT", forward: "http://FAR"}` + step(`{get: "/spans/PORT"}`),
	},
	{field: "targets/stream.step.ws", parts: endpoint("ws://FAR", "{ws: /}")},

	// the endpoints of each protocol
	{field: "scenarios.Target.endpoints", name: "amqp", parts: endpoint("amqp://FAR", "{amqp.publish: a, mandatory: off}")},
	{field: "scenarios.Target.endpoints", name: "dns", parts: endpoint("dns://FAR", "{dns: a.test A}")},
	{field: "scenarios.Target.endpoints", name: "grpc", parts: endpointOf(`{url: "grpc://FAR", protos: s.proto}`, "{grpc: p.S/C}")},
	{field: "scenarios.Target.endpoints", name: "kafka", parts: endpoint("kafka://FAR", "{kafka.produce: t, key: k, text: a}")},
	{
		field: "scenarios.Target.endpoints", name: "memcached",
		parts: endpoint("memcached://FAR", "{memcached.set: k, message: a}"),
	},
	{field: "scenarios.Target.endpoints", name: "mongo", parts: endpoint("mongodb://FAR", "{mongo: {ping: 1}}")},
	{field: "scenarios.Target.endpoints", name: "mqtt", parts: endpoint("mqtt://FAR", "{mqtt.publish: a}")},
	{field: "scenarios.Target.endpoints", name: "nats", parts: endpoint("nats://FAR", "{nats.publish: a}")},
	{field: "scenarios.Target.endpoints", name: "redis", parts: endpoint("redis://FAR", "{redis: [PING]}")},
	{
		field: "scenarios.Target.endpoints", name: "a further host of redis",
		parts: endpoint("redis+cluster://NEAR?addr=FAR", "{redis: [PING]}"),
	},
	{
		field: "scenarios.Target.endpoints", name: "smtp",
		parts: endpoint("smtp://FAR", "{smtp.send: a@example.test, subject: a}"),
	},
	{field: "scenarios.Target.endpoints", name: "sql", parts: endpoint("postgres://u@FAR/d", "{sql: select 1}")},
	{field: "scenarios.Target.endpoints", name: "mysql", parts: endpoint("mysql://u@FAR/d", "{sql: select 1}")},
	{field: "scenarios.Target.endpoints", name: "stream", parts: endpoint("tcp://FAR", "{tcp: lines, send: a}")},
	{field: "scenarios.Target.endpoints", name: "udp", parts: endpoint("udp://FAR", "{udp: a}")},

	// commands
	{
		field: "chaos/fault/custom.Exec.inject",
		parts: execFault("inject: [touch, MADE], verify: {get: \"http://NEAR/off\"}, revert: [\"true\"]"),
	},
	{
		field: "chaos/fault/custom.Exec.revert",
		parts: execFault("inject: [\"true\"], verify: {get: \"http://NEAR/off\"}, revert: [touch, MADE]"),
	},
	{
		field: "chaos/fault/custom.Exec.dir",
		parts: execFault("inject: [touch, NAME], verify: {get: \"http://NEAR/off\"}, revert: [\"true\"], dir: DIR"),
	},
	{field: "chaos/fault/custom.Action.run", parts: `chaos: {it: {at: 100ms, action.run: {run: [touch, MADE]}}}`},
	{
		field: "chaos/fault/custom.Action.undo",
		parts: `chaos: {it: {at: 100ms, for: 100ms, action.run: {run: ["true"], undo: [touch, MADE]}}}`,
	},
	{
		field: "chaos/fault/custom.Action.dir",
		parts: `chaos: {it: {at: 100ms, action.run: {run: [touch, NAME], dir: DIR}}}`,
	},
	{field: "chaos/probe.Asking.command", parts: "metrics: {x: {command: touch MADE, every: 100ms}}"},
	{
		field: "chaos/probe.Asking.command", name: "ready",
		parts: `target: {url: "http://NEAR", ready: {command: touch MADE, within: 1s}}`,
	},
	{
		field: "chaos/probe.Asking.command", name: "verify",
		parts: `chaos: {it: {at: 100ms, for: 100ms, webhook: {inject: {post: "http://NEAR/"}, ` +
			`verify: [touch, MADE], revert: {post: "http://NEAR/"}}}}`,
	},
	{field: "chaos/probe.Once.command", parts: "setup: [{command: [touch, MADE]}]"},
	{field: "chaos/probe.Once.command", name: "teardown", parts: "teardown: [{command: [touch, MADE]}]"},
	{field: "chaos/probe.Once.dir", parts: "setup: [{command: [touch, NAME], dir: DIR}]"},
	{
		field: "scenarios.Target.processes",
		parts: "target: {processes: {api: {command: [touch, MADE], ready: {within: 300ms}}}}",
	},
	{
		field: "targets/platform.Process.command",
		parts: "target: {processes: {api: {command: touch MADE, ready: {within: 300ms}}}}",
	},
	{
		field: "targets/platform.Process.dir",
		parts: "target: {processes: {api: {command: [touch, NAME], dir: DIR, ready: {within: 300ms}}}}",
	},
	{
		field: "targets/plugin.endpointSettings.command",
		parts: endpointOf(`{url: "plugin://NEAR", command: [touch, MADE]}`, "{plugin: get}"),
	},

	// files
	{field: "scenarios.document.extends", holds: "seed: 1\n", parts: "extends: READ"},
	{
		field: "scenarios.Load.targets", holds: "GET http://127.0.0.1:9/\n",
		parts: "load: {a: {" + shape + ", targets: READ}}",
	},
	{
		field: "scenarios/load.Replay.from", parts: "load: {a: {executor: replay, from: READ}}",
		holds: "time,method,path\n2026-01-01T00:00:00Z,GET,/a\n2026-01-01T00:00:01Z,GET,/b\n",
	},
	{field: "scenarios.TLS.ca", holds: "x", parts: secure("ca: READ")},
	{field: "scenarios.TLS.cert", holds: "x", parts: secure("cert: READ, key: own.txt")},
	{field: "scenarios.TLS.key", holds: "x", parts: secure("key: READ, cert: own.txt")},
	{field: "scenarios/template.tableSource.csv", holds: "a\n1\n", parts: "data: {a: {csv: READ}}" + step("{get: /}")},
	{
		field: "scenarios/template.tableSource.csv", name: "a link", holds: "a\n1\n",
		parts: "data: {a: {csv: link.txt}}" + step("{get: /}"),
	},
	{field: "scenarios/template.tableSource.json", holds: `[{"a":1}]`, parts: "data: {a: {json: READ}}" + step("{get: /}")},
	{field: "targets.expectedSource.schema", holds: `{"type": "object"}`, parts: step("{get: /, check: {schema: READ}}")},
	{field: "targets/stream.MessageSource.file", holds: "x", parts: endpoint("udp://127.0.0.1:9", "{udp: {file: READ}}")},
	{field: "targets/http.fileSource.file", holds: "x", parts: step("{post: /, body: {file: READ}}")},
	{field: "targets/http.partSource.file", holds: "x", parts: step("{post: /, multipart: {a: {file: READ}}}")},
	{
		field: "targets/http/auth.keySource.file", holds: "0123456789abcdef0123456789abcdef",
		parts: "auth: {jwt: {alg: HS256, key: {file: READ}, claims: {sub: a}}}" + step("{get: /}"),
	},
	{
		field: "targets/grpc.endpoint.protos", holds: service,
		parts: endpointOf(`{url: "grpc://127.0.0.1:9", protos: READ}`, "{grpc: p.S/C}"),
	},
	{
		field: "targets/grpc.endpoint.protoset", holds: "x",
		parts: endpointOf(`{url: "grpc://127.0.0.1:9", protoset: READ}`, "{grpc: p.S/C}"),
	},
	{
		field: "targets/grpc.endpoint.import_paths", holds: service,
		parts: endpointOf(`{url: "grpc://127.0.0.1:9", protos: NAME, import_paths: DIR}`, "{grpc: p.S/C}"),
	},
	{
		field: "targets/sql.copyRows.csv", holds: "a\n1\n",
		parts: endpoint("postgres://u@127.0.0.1:9/d", "{sql.copy: {into: t, rows: {csv: READ}}}"),
	},
	{field: "scenarios.Compose.file", holds: "services: {}\n", parts: "target: {compose: {file: READ}, entry: api}"},
	{field: "scenarios.Target.compose", holds: "services: {}\n", parts: "target: {compose: READ, entry: api}"},
	{name: "${file}", holds: "x", parts: step(`{post: /, body: "${file.READ}"}`)},
	{name: "${file} in a param", holds: "x", parts: "params: {a: \"${file.READ}\"}" + step(`{post: /, body: "${a}"}`)},

	// clusters: the address is that of the API server
	{field: "scenarios.Workers.image", parts: "workers: {count: 2, on: kubernetes, context: CLUSTER, namespace: load, image: evil}" + reached},
	{field: "scenarios.Workers.image", name: "brunt's own", parts: "workers: {count: 2, on: kubernetes, context: CLUSTER, namespace: load}" + reached},
	{
		field: "scenarios.Kubernetes.image",
		parts: "target: {stack: demo, platform: kubernetes, kubernetes: {context: CLUSTER, image: evil}}",
	},

	// scripts of k6
	{field: "scenarios.Script.k6", script: "import http from 'k6/http';\nexport default () => http.get('http://FAR/');" + once},
	{
		field: "scenarios.Script.k6", name: "a name of the policy that the script resolves", policy: "allow: {load: [a.test]}",
		script: "import http from 'k6/http';\nexport default () => http.get('http://a.test/');\n" +
			"export const options = {vus: 1, iterations: 1, hosts: {'a.test': 'HOST'}};",
	},
	{
		field: "scenarios.Script.resolve", script: "import http from 'k6/http';\nexport default () => http.get('http://a.test/');" + once,
		parts: "load: {a: {k6: script.js, resolve: {a.test: FAR}}}",
	},
	{
		field: "scenarios.Script.k6", name: "a socket", policy: "allow: {load: [], chaos: []}",
		script: "import { WebSocket } from 'k6/websockets';\nexport default () => { new WebSocket('ws://FAR/'); };" + once,
	},
	{
		field: "scenarios.Script.k6", name: "gRPC", policy: "allow: {load: [], chaos: []}",
		script: "import grpc from 'k6/net/grpc';\nconst c = new grpc.Client();\n" +
			"export default () => c.connect('FAR', {plaintext: true, timeout: '500ms'});" + once,
	},
	{
		field: "scenarios.Script.k6", name: "an import from elsewhere", policy: "allow: {load: [], chaos: []}",
		script: "import 'https://FAR/a.js';\nexport default () => {};" + once,
	},
	{
		field: "scenarios.Script.k6", name: "open", holds: "x", policy: "files: []",
		script: "open('READ');\nexport default () => {};" + once,
	},
	{
		field: "scenarios.Script.k6", name: "import", holds: "export const a = 1;", policy: "files: []",
		script: "import { a } from 'READ';\nexport default () => a;" + once,
	},
	{
		field: "scenarios.Script.k6", name: "require", holds: "exports.a = 1;", policy: "files: []",
		script: "const a = require('READ');\nexport default () => a;" + once,
	},
}

// unplayed says why a key that a policy binds has no row.
var unplayed = map[string]string{
	"scenarios.Target.containers":           ofEngine,
	"targets/platform.Container.image":      ofEngine,
	"targets/platform.Container.command":    ofEngine,
	"targets/platform.Container.entrypoint": ofEngine,
	"targets/platform.Container.mounts":     ofEngine,
	"targets/platform.Health.command":       ofEngine,
	"chaos/probe.Asking.exec":               ofEngine,
	"scenarios.Compose.build":               ofEngine,
	"chaos/fault/kubernetes.Apply.manifest": "a cluster of tests has to answer before it is sent; TestHostile compiles it",
	"chaos/probe.Asking.path":               "a path of a unit, which begins with /",
}

// ofEngine is the reason of what an engine does, outside of any namespace of brunt's.
const ofEngine = "the engine of containers does it, in another namespace: TestHostile compiles it"

const (
	shape   = "executor: constant-arrival-rate, rate: 20/s, duration: 1s, timeout: 500ms"
	service = `syntax = "proto3"; package p; message M {} service S { rpc C(M) returns (M); }`
	once    = "\nexport const options = {vus: 1, iterations: 1};"
	// a target that pods could reach
	reached = "\ntarget: {url: \"http://10.80.0.1\"}"
)

// with is a load with a setting and steps.
func with(setting, steps string) string {
	return "\nload: {a: {" + shape + ", " + setting + ", flow: [" + steps + "]}}"
}

// step is a load with steps.
func step(steps string) string { return with("grace: 1s", steps) }

// endpoint is a target with an endpoint, and a load with a step.
func endpoint(url, steps string) string { return endpointOf(`"`+url+`"`, steps) }

func endpointOf(settings, steps string) string {
	return "target: {url: \"http://NEAR\", endpoints: {e: " + settings + "}}" + step(steps)
}

func secure(tls string) string { return `target: {url: "https://127.0.0.1:9", tls: {` + tls + "}}" }

// call is a fault that makes a call.
func call(call string) string {
	return `chaos: {it: {at: 100ms, for: 100ms, webhook: {inject: {` + call +
		`}, verify: {get: "http://NEAR/off"}, revert: {post: "http://NEAR/"}}}}`
}

func execFault(settings string) string {
	return "chaos: {it: {at: 100ms, for: 100ms, exec: {" + settings + "}}}"
}

// freeze is a fault on the unit web.
func freeze(settings, beside string) string {
	if settings != "" {
		settings = ", " + settings
	}
	return "chaos: {it: {at: 100ms, for: 200ms, process.freeze: {service: web" + settings + "}" + beside + "}}"
}
