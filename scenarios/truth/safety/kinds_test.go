//go:build linux

package safety

import "strings"

// A kind is a kind of fault with the settings that a program draws from.
type kind struct {
	kind     string
	once     bool // it is over at once
	slow     bool // it takes longer than a pulse to be injected
	settings []string
}

// boxes reports whether all its settings need a container.
func (k kind) boxes() bool {
	for _, s := range k.settings {
		if !strings.Contains(s, "BOX") {
			return false
		}
	}
	return true
}

// Settings on packets of a container.
func packets(more string) []string {
	return []string{
		"{container: BOX0" + more + "}", "{container: BOX1" + more + "}",
		"{from: container/BOX0, to: container/BOX1" + more + "}",
	}
}

// Settings on a link between processes, and on the connections of a container.
func links(more string) []string {
	return []string{
		"{from: web, to: store" + more + "}", "{from: load, to: web" + more + "}",
		"{from: container/BOX0, to: container/BOX1" + more + "}",
	}
}

// Settings on the processes of a unit.
func processes(more string) []string {
	return []string{
		"{pid: PID0" + more + "}", "{pid: PID1" + more + "}", "{container: BOX0" + more + "}",
		"{container: BOX1" + more + "}", "{service: store" + more + "}",
	}
}

func both(lists ...[]string) (out []string) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// kinds are all kinds of faults.
var kinds = []kind{
	{kind: "process.crash", once: true, settings: []string{
		"{service: web, pick: one}", "{service: store}",
		"{container: BOX0}",
	}},
	{kind: "process.freeze", settings: both(processes(""), []string{"{service: web, pick: all}"})},
	{kind: "process.stop", slow: true, settings: []string{"{service: web, pick: one}", "{service: store}"}},
	{kind: "process.restart", once: true, settings: []string{"{service: web, pick: one}", "{service: store}"}},
	{kind: "network.latency", settings: both(links(", delay: 20ms"), packets(", delay: 20ms"))},
	{kind: "network.bandwidth", settings: both(links(", rate: 10Mbit/s"), packets(", rate: 10Mbit/s"),
		packets(", rate: 10Mbit/s, via: tbf"))},
	{kind: "network.stall", settings: both(links(""), packets(""))},
	{kind: "network.blackhole", settings: both(links(""), packets(""))},
	{kind: "network.reset", once: true, settings: links("")},
	{kind: "network.partition", settings: both(links(", mode: reject"), packets(""), packets(", mode: reject"))},
	{kind: "network.loss", settings: packets(", percent: 40%")},
	{kind: "network.duplicate", settings: packets(", percent: 40%")},
	{kind: "network.corrupt", settings: packets(", percent: 40%")},
	{kind: "network.reorder", settings: packets(", percent: 40%")},
	{kind: "network.half_open", settings: []string{"{from: container/BOX0, to: container/BOX1}"}},
	{kind: "network.disconnect", slow: true, settings: []string{"{container: BOX0}", "{container: BOX1}"}},
	{kind: "dns.fail", settings: []string{"{container: BOX0}", "{container: BOX1}"}},
	{kind: "dns.timeout", settings: []string{"{container: BOX0, names: [store]}", "{container: BOX1}"}},
	{kind: "dns.spoof", settings: []string{"{container: BOX0, names: [store], answers: [192.0.2.1]}"}},
	{kind: "container.kill", slow: true, settings: []string{"{container: BOX0}", "{container: BOX1}"}},
	{kind: "container.stop", slow: true, settings: []string{
		"{container: BOX0, grace: 1s}",
		"{container: BOX1, grace: 1s}",
	}},
	{
		kind: "container.restart", once: true,
		settings: []string{"{container: BOX0, grace: 1s}", "{container: BOX1, grace: 1s}"},
	},
	{kind: "container.pause", settings: []string{"{container: BOX0}", "{container: BOX1}"}},
	{kind: "http.error", settings: links(", status: 503")},
	{kind: "http.delay", settings: links(", delay: 20ms")},
	{kind: "http.rewrite", settings: links(", answer: {status: 418}")},
	{kind: "grpc.error", settings: links(", status: ABORTED, method: shop.Orders/*")},
	{kind: "grpc.delay", settings: links(", delay: 20ms")},
	{kind: "mongo.error", settings: links(", code: WriteConflict, command: insert")},
	{kind: "mongo.delay", settings: links(", delay: 20ms")},
	{kind: "redis.error", settings: links(", reply: READONLY no, command: SET")},
	{kind: "redis.delay", settings: links(", delay: 20ms")},
	{kind: "sql.error", settings: links(", sqlstate: \"40001\", statement: update *")},
	{kind: "sql.delay", settings: links(", delay: 20ms")},
	{kind: "kafka.error", settings: links(", api: Fetch, code: UNKNOWN_SERVER_ERROR")},
	{kind: "kafka.delay", settings: links(", delay: 20ms")},
	{kind: "amqp.nack", settings: links("")},
	{kind: "tcp.slow_close", settings: links(", delay: 100ms")},
	{kind: "tcp.limit", settings: links(", bytes: 10KiB")},
	{kind: "tcp.slicer", settings: links(", size: 64, delay: 1ms")},
	{kind: "stress.cpu", settings: processes(", load: 10%, workers: 1")},
	{kind: "stress.memory", settings: processes(", bytes: 8MiB")},
	{kind: "stress.io", settings: []string{"{pid: PID0, path: DISK}", "{service: store, path: DISK}"}},
	{kind: "cpu.throttle", settings: processes(", share: 20%")},
	{kind: "memory.limit", settings: []string{
		"{pid: PID0, bytes: 96MiB}", "{pid: PID1, bytes: 64MiB}", "{container: BOX0, bytes: 96MiB}",
		"{container: BOX1, bytes: 64MiB}",
	}},
	{kind: "disk.throttle", settings: []string{
		"{pid: PID0, path: DISK, rate: 1MiB/s}",
		"{service: store, path: DISK, rate: 2MiB/s}",
	}},
	{kind: "disk.fill", settings: []string{
		"{pid: PID0, path: DIR, bytes: 4MiB}", "{pid: PID1, path: DIR, bytes: 3MiB}",
		"{service: store, path: DIR, bytes: 2MiB}",
		"{container: BOX0, path: /scratch, bytes: 4MiB}", "{container: BOX1, path: /scratch, bytes: 4MiB}",
	}},
	{kind: "pids.limit", settings: processes("")},
	{kind: "fd.exhaust", settings: processes("")},
	{kind: "time.skew", settings: both(processes(", offset: 1h"), processes(", offset: -2h"))},
	{kind: "action.run", settings: []string{
		`{run: [touch, "FLAG"], until: [test, -e, "FLAG"], undo: [rm, -f, "FLAG"]}`,
		`{run: [touch, "FLAG"], undo: [rm, -f, "FLAG"]}`,
	}},
	{kind: "exec", settings: []string{
		`{inject: [touch, "FLAG"], verify: [test, -e, "FLAG"], revert: [rm, -f, "FLAG"]}`,
		`{inject: "touch FLAG; sleep 0.2; touch FLAG", verify: [test, -e, "FLAG"], revert: [rm, -f, "FLAG"]}`,
	}},
	{kind: "webhook", settings: []string{`{inject: {put: "HOOK"}, verify: {get: "HOOK"}, revert: {delete: "HOOK"}}`}},
	{kind: "call", settings: []string{`{inject: {put: "HOOK"}, verify: {ask: {get: "HOOK"}}, revert: {delete: "HOOK"}}`}},
	{kind: "call", once: true, settings: []string{
		`{inject: {post: "HOOK"}, verify: {ask: {get: "HOOK"}}, revert: none, gone: {ask: {get: "HOOK", check: {status: 404}}}}`,
	}},
}
