package drills_test

import (
	"fmt"
	"strings"
	"testing"

	"brunt/scenarios/plan/plantest"
)

// A fragment is what the design of drills writes within a sentence or a row of its table.
type fragment struct {
	of   string // its row, or its number among what brunt lacked
	text string // what the design says, as the language has it: a fault, an objective, or keys
	// what the design writes otherwise, and why; empty: it stands there so
	otherwise string
}

// inlineFaults are faults of the built-in system, without their time.
var inlineFaults = []fragment{
	{of: "10", text: "network.bandwidth: {from: load, to: gateway, rate: 1Mbit/s}"},
	{of: "10", text: "tcp.slicer: {from: load, to: gateway, size: 64B, delay: 10ms}"},
	{of: "15", text: "stress.cpu: {service: store, load: 50%}"},
	{of: "15", text: "stress.io: {service: store, path: /tmp}"},
	{of: "16", text: "process.crash: {service: posts, pick: one}"},
	{of: "17", text: "process.freeze: {service: posts, pick: one}"},
	{of: "18", text: `http.delay: {from: gateway, to: "posts[1]", path: /posts*, delay: 400ms}`},
	{of: "18", text: `http.error: {from: gateway, to: "posts[1]", path: /posts*, status: 503}`},
	{of: "19, 38", text: "process.stop: {service: users}"},
	{of: "21", text: `process.restart: {unit: "posts[1]"}`},
	{of: "22", text: "process.stop: {zone: a}"},
	{of: "26", text: "process.crash: {service: posts, signal: ABRT}"},
	{
		of: "27", text: "steps: [{process.crash: {service: posts, pick: all}}, {process.crash: {service: users}}, " +
			"{process.crash: {service: store}}]",
		otherwise: "`zone: all`: a zone has a name, and everything at once is a group",
	},
	{of: "32", text: "network.latency: {from: gateway, to: users, delay: 2s}"},
	{of: "33", text: "network.blackhole: {from: gateway, to: users}"},
	{of: "36", text: "http.error: {from: gateway, to: posts, path: /posts*, status: 500, percent: 5%}"},
	{of: "42", text: "network.reset: {from: gateway, to: posts}"},
	{of: "46", text: `exec: {inject: ["true"], revert: ["true"], verify: ["true"]}`},
	{of: "49", text: "network.partition: {from: gateway, to: users}"},
	{of: "59", text: `fd.exhaust: {unit: "posts[1]", leave: 0}`},
	{of: "60", text: `memory.limit: {unit: "posts[1]", bytes: 64MiB}`},
	{of: "60", text: `stress.memory: {unit: "posts[1]", percent: 100%, oom: unit}`},
	{of: "61", text: `cpu.throttle: {unit: "posts[1]", share: 2%}`},
	{of: "62", text: "disk.fill: {service: store, path: /data, percent: 100%}"},
	{of: "63", text: "disk.throttle: {service: store, path: /data, rate: 1MiB/s}"},
	{
		of: "65", text: "time.skew: {service: identity, offset: -5m}",
		otherwise: "`time.skew: -5m`: a fault says whose clock it is",
	},
	{of: "F16", text: `action.run: {run: ["true"]}`},
	{of: "F27", text: "steps: [{network.blackhole: {from: gateway, to: users}}, {after: 500ms, process.crash: " +
		"{service: users}}]"},
}

// containerFaults are those that containers alone have.
var containerFaults = []fragment{
	{of: "16", text: "container.kill: {service: posts, pick: one}"},
	{of: "17, 47", text: "container.pause: {service: posts, pick: one}"},
	{of: "37", text: "dns.fail: {service: gateway, names: [users]}"},
	{of: "37", text: "dns.timeout: {service: gateway, names: [users]}"},
	{of: "37", text: "dns.spoof: {service: gateway, names: [users], answers: [192.0.2.1]}"},
	{of: "42", text: "network.half_open: {from: gateway, to: posts}"},
}

// inlineObjectives are objectives over the loads main and other, the fault lose, the counters a and b, and the metrics
// asks and replicas.
var inlineObjectives = []fragment{
	{of: "2", text: "p95 < 200ms"},
	{of: "5", text: "slope(posts.memory) < 1MiB/m"},
	{of: "5, 10", text: "gateway.fds < 500"},
	{of: "5, 64", text: "gateway.threads < 100"},
	{of: "7", text: "errors < 1% of load other"},
	{of: "8", text: "shed > 50% of load other"},
	{of: "16", text: "availability > 99.9%"},
	{of: "16", text: "recover < 10s after lose"},
	{of: "17", text: "p90 < 500ms in lose"},
	{of: "22", text: "heal < 5s after lose"},
	{of: "24, 52, 54", text: "lost = 0"},
	{of: "24, 54", text: "duplicated = 0"},
	{of: "24", text: "rpo < 1s"},
	{of: "26", text: "posts.restarts = 1"},
	{of: "29", text: `errors < 1% of "my page"`},
	{of: "44", text: "mean(asks) < 40/s"},
	{of: "50", text: "metric(asks) <= 1"},
	{of: "71, F4", text: "p95 < 110% of baseline"},
	{of: "71, F4", text: "p95 < 110% of load other"},
	{of: "F4", text: "goodput > 10/s"},
	{of: "73", text: "alert(X) < 60s after lose"},
	{of: "73", text: "resolved(X) < 2m after lose"},
	{of: "F2", text: "increase(a) < 10"},
	{of: "F2", text: "ratio(a, b) > 80%"},
	{of: "F2", text: "per_request(a) < 1.5"},
	{of: "F15", text: "reach(metric(replicas) >= 4) < 60s after other.hold"},
	{of: "F15", text: "posts.units >= 1"},
}

// inlineKeys are keys of the scenario, or below `load.`, `users.` and `target.` of a load, of a load of users, and of
// the target.
var inlineKeys = []fragment{
	{of: "9", text: "load.connections: {source_addresses: [127.0.0.1]}"},
	{of: "11", text: "load.connections: {keep_alive: off}"},
	{of: "11", text: "load.connections: {reuse: 10, max_age: 5s}"},
	{of: "13", text: `load.flow: [{get: "/posts?page=${int(1,100000)}"}]`},
	{of: "35, F3", text: "load.retry: {times: 3, on: [error, 503], backoff: 100ms, jitter: 50%}"},
	{of: "F5", text: `load.flow: [{get: /posts, check: {status: 200}, want: {"$.items[0].author.name": exists}}]`},
	{of: "8", text: "load.flow: [{get: /posts, name: check, check: {status: 429, header: {Retry-After: exists}}}]"},
	{of: "12, F9", text: "data: {keys: {inline: [{k: a}, {k: b}], pick: {zipf: 1.1}}}"},
	{of: "50, F12", text: `metrics: {leaders: {command: "echo 1"}}`},
	{
		of: "51, F17", text: "conditions: {far: {network.latency: {from: gateway, to: users, delay: 20ms}}}",
		otherwise: "`links: {a->b: {delay: 20ms}}`: a lasting condition is a fault of any kind without a time",
	},
	{of: "66", text: `auth: {jwt: {alg: HS256, key: "not the right one", claims: {exp: 1}}}`},
	{of: "70", text: "target.tls: {max_version: 1.2}"},
	{of: "F6", text: "ledgers: {}"},
	{
		of: "4 (b)", text: "dependencies: {users: soft}",
		otherwise: "`expect: {users: soft}` in `roles`: it is about the system, whatever role a service plays",
	},
	{
		of: "75, F8", text: "trace: {listen: 127.0.0.1:4318}",
		otherwise: "`traces: {listen: …}`: what is sent and what is received of traces stand together",
	},
	{of: "F28", text: "users.every: 10s", otherwise: "`pace: 10s`: `pace` is of messages in a stream"},
	{of: "29", text: `load.flow: [{get: /posts, extract: {unit: "$.unit"}}, {get: /posts, check: {"$.unit": "${var.unit}"}}]`},
}

// notYet are fragments that the language does not have, with what the mistake names. The list may only shrink.
var notYet = []fragment{
	{of: "64, F19", text: "chaos: {a: {at: 1s, for: 1s, pids.limit: {service: posts, max: 10}}}", otherwise: "pids.limit"},
	{of: "F18", text: "chaos: {a: {at: 1s, for: 1s, if: platform, process.freeze: {service: posts}}}", otherwise: "if"},
	{of: "F22", text: "slo: [alerts(firing) <= 2]", otherwise: "firing"},
	{of: "F24", text: "slo: [certificate > 30d]", otherwise: "certificate"},
}

// built is a scenario of the built-in system that has what fragments name.
func built(platform, load, users, more string) string {
	if load == "" {
		load = "flow: [{get: /posts, name: my page}]"
	} else if !strings.HasPrefix(load, "flow:") {
		load += "\n    flow: [{get: /posts, name: my page}]"
	}
	key := ""
	if strings.Contains(more, "\nledger:") {
		key = `headers: {Idempotency-Key: "${ledger.id}"}, `
	}
	return fmt.Sprintf(`version: 1
target: {stack: demo, platform: %s, with: {identity: on, posts: {replicas: 2, zones: [a, b]}}}
load:
  main:
    executor: constant-arrival-rate
    rate: 100/s
    duration: 200s
    %s
  other:
    {executor: spike, base: 50/s, before: 20s, peak: 60/s, rise: 5s, hold: 30s, fall: 5s, after: 140s,
     flow: [{post: /posts, name: write, %scheck: {status: 201, shed: 429}}]}
  users: {executor: constant-vus, vus: 2, duration: 200s%s, flow: [{get: /posts}]}
%s
`, platform, load, key, users, more)
}

// faulted is a scenario with a fault.
func faulted(platform, fault string) string {
	return built(platform, "", "", "chaos:\n  lose:\n    at: 40s\n    for: 10s\n    "+fault)
}

// keyed is a scenario with keys.
func keyed(text string) string {
	switch key, rest, _ := strings.Cut(text, "."); key {
	case "load":
		return built("process", rest, "", "")
	case "users":
		return built("process", "", ", "+rest, "")
	case "target":
		return built("process, "+rest, "", "", "")
	}
	return built("process", "", "", text)
}

// TestDesign_Inline: each fault, objective and key that the design of drills names in its table and its lists is valid,
// or stands among those that are written otherwise or wait.
func TestDesign_Inline(t *testing.T) {
	valid := func(of fragment, text string) {
		if _, err := plantest.CompileText(text); err != nil {
			t.Errorf("%s: %s:\n%s", of.of, of.text, plantest.Explained(err))
		}
	}
	for platform, list := range map[string][]fragment{"process": inlineFaults, "docker": containerFaults} {
		for _, f := range list {
			text := faulted(platform, f.text)
			if _, err := plantest.CompileText(text); err != nil && strings.Contains(plantest.Explained(err), "`for`") {
				text = strings.Replace(text, "    for: 10s\n", "", 1) // it is over at once
			}
			valid(f, text)
		}
	}
	for _, f := range inlineObjectives {
		valid(f, built("process", "", "", `chaos: {lose: {at: 40s, for: 10s, process.freeze: {service: posts, pick: one}}}
alerts: {X: {prometheus: "http://127.0.0.1:9"}}
metrics:
  a: {scrape: "http://${unit.store.addr}/metrics", metric: a, labels: {route: x}, sum: true}
  b: {scrape: "http://${unit.store.addr}/metrics", metric: b, sum: true}
  asks: {scrape: "http://${unit.store.addr}/metrics", metric: a, rate: true, sum: true}
  replicas: {command: "echo 4"}
ledger: {write: write, ack: status 201, id: "${ledger.id}", read: {get: "/posts?key=${id}"}, count: "$.items"}
slo: ['`+f.text+`']`))
	}
	for _, f := range inlineKeys {
		valid(f, keyed(f.text))
	}
	for _, f := range notYet {
		if _, err := plantest.CompileText(keyed(f.text)); err == nil {
			t.Errorf("%s: %s is valid now: take it off the list", f.of, f.text)
		} else if said := plantest.Explained(err); !strings.Contains(said, f.otherwise) {
			t.Errorf("%s: %s: %s", f.of, f.text, said)
		}
	}
}
