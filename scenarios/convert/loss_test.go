package convert_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/convert"
	"brunt/scenarios/convert/converttest"
	"brunt/scenarios/convert/draft"
)

// ofFaults are the formats of faults and of objectives.
var ofFaults = []string{"chaos-mesh", "disruptor", "openslo", "toxiproxy"}

// says has what a conversion says: the scenario, its notes, or why there is none.
func says(kind, source string) string {
	_, said := saysOf(draft.Options{Kind: kind, File: "source"}, source)
	return said
}

// saysOf also returns the scenario, which is nil if the conversion fails.
func saysOf(o draft.Options, source string) (*draft.Scenario, string) {
	o.From, o.To = "testdata", "testdata"
	made, err := convert.Convert([]byte(source), o)
	var refused *draft.RefusedError
	if errors.As(err, &refused) {
		return nil, err.Error() + fmt.Sprint(refused.Notes)
	}
	if err != nil {
		return nil, err.Error()
	}
	return made, made.Text + fmt.Sprint(made.Notes)
}

// word matches what a source says: a key, a value, a flag.
var word = regexp.MustCompile(`"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_.%/@*^+-]+`)

// mutants returns the places of words in a source, but those in comments and in code that is not converted.
func mutants(kind, source string) (out [][]int) {
	offset := 0
	for line := range strings.Lines(source) {
		text := strings.TrimSpace(line)
		if !strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "//") &&
			(kind != "disruptor" || strings.Contains(line, "Disruptor(") || strings.Contains(line, ".inject") ||
				strings.Contains(line, "labels")) {
			for _, at := range word.FindAllStringIndex(line, -1) {
				out = append(out, []int{offset + at[0], offset + at[1]})
			}
		}
		offset += len(line)
	}
	return out
}

// mutant returns another word than the one given.
func mutant(w string) string {
	for _, quote := range []string{`"`, "'"} {
		if len(w) > 1 && strings.HasPrefix(w, quote) && strings.HasSuffix(w, quote) {
			return quote + mutant(w[1:len(w)-1]) + quote
		}
	}
	switch {
	case w == "true":
		return "false"
	case w == "false":
		return "true"
	case w != "" && strings.Trim(w, "0123456789.") == "":
		return w + "3"
	}
	return w + "zq"
}

// unsaid are words with their lines that may change without a word in the scenario or the notes: names of Kubernetes,
// how the tool itself works, and parts of what a note names as a whole.
var unsaid = map[string]string{
	"chaos-mesh": `in apiVersion:|in metadata: \{name: lose-a-cart, namespace: shop\}|^to in ` +
		`|in spec: \{mode: all, target|^2 in historyLimit|^Forbid in |^cart in podChaos` +
		`|in spec: \{action: latency, mode: one|in metadata: \{name: shop\}`,
	"disruptor": `in const cart|PodDisruptor in |^(no|"}") in |^"5s" in `,
	"openslo": `in apiVersion:|in metadata: \{name: shop|in spec: \{(description|alertWhen)|metricSource|in service:|in timeWindow|` +
		`^(most|nearly|all|counter|true) in |metadata: \{name: share|value: 100`,
	"toxiproxy": `"listen"|^"(db|web)" in |in "db"|^"(up|down)stream" in |noise|"latency": 0`,
}

// TestConvert_NothingSilent changes each word of each source: the scenario or its notes change as well, or the word is
// one that says nothing of a fault.
func TestConvert_NothingSilent(t *testing.T) {
	for name, kind := range sources {
		if !slices.Contains(ofFaults, kind) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			b, _ := source(t, name)
			text := string(b)
			before, allowed := says(kind, text), regexp.MustCompile(unsaid[kind])
			for _, at := range mutants(kind, text) {
				w := text[at[0]:at[1]]
				if says(kind, text[:at[0]]+mutant(w)+text[at[1]:]) != before {
					continue
				}
				line := text[strings.LastIndexByte(text[:at[0]], '\n')+1:]
				line, _, _ = strings.Cut(line, "\n")
				if !allowed.MatchString(w + " in " + strings.TrimSpace(line)) {
					t.Errorf("line %d: another word than %s changes nothing: %s", 1+strings.Count(text[:at[0]], "\n"), w,
						strings.TrimSpace(line))
				}
			}
		})
	}
}

// TestConvert_NoSecretOfFaults checks places of secrets in the sources of faults: none is in the scenario or a note.
func TestConvert_NoSecretOfFaults(t *testing.T) {
	const secret = "hunter2secret"
	for _, c := range []struct{ name, kind, source string }{
		{
			"a key that has no counterpart", "chaos-mesh",
			"apiVersion: chaos-mesh.org/v1alpha1\nkind: HTTPChaos\nmetadata: {name: a}\n" +
				"spec: {mode: all, target: Request, " +
				"delay: 1s, path: '/x?token=hunter2secret', request_headers: {Authorization: Bearer hunter2secret}}\n",
		},
		{"an answer's body", "disruptor", `const p = new PodDisruptor({select: {labels: {app: "a"}}});
			p.injectHTTPFaults({errorRate: 0.1, errorCode: 500, errorBody: '{"password": "hunter2secret"}'}, "10s");`},
		{"an upstream", "toxiproxy", `[{"name": "a", "upstream": "ann:hunter2secret@db:1", "toxics": []},
			{"name": "b", "upstream": "b:1", "toxics": [{"type": "timeout"}]}]`},
		{
			"a description", "openslo",
			"apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec:\n  description: 'asked with token=hunter2secret'\n" +
				"  indicator: {spec: {ratioMetric: {good: {}, total: {}}}}\n  objectives: [{target: 0.99}]\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			made, err := convert.Convert([]byte(c.source), draft.Options{Kind: c.kind, File: "a", From: ".", To: "."})
			if err != nil {
				if strings.Contains(err.Error(), secret) {
					t.Error(err)
				}
				return
			}
			if said := made.Text + fmt.Sprint(made.Notes); strings.Contains(said, secret) {
				t.Errorf("the secret is written down:\n%s", said)
			}
			if _, err := converttest.Parse(made.Text); err != nil {
				t.Errorf("%v\n%s", err, made.Text)
			}
		})
	}
}

// TestConvert_Shapes converts sources of shapes that the files of testdata lack.
func TestConvert_Shapes(t *testing.T) {
	mesh := func(kind, spec string) string {
		return "apiVersion: chaos-mesh.org/v1alpha1\nkind: " + kind + "\nmetadata: {name: a}\nspec:\n" + spec
	}
	slo := func(head, spec string) string { return head + "  kind: SLO\n  metadata: {name: a}\n  spec:\n" + spec }
	for _, c := range []struct {
		name, kind, source string
		want               []string
	}{
		{
			"netem is several", "chaos-mesh", mesh("NetworkChaos",
				"  action: netem\n  mode: all\n  selector: {labelSelectors: {app: a}}\n  delay: {latency: 50ms}\n"+
					"  loss: {loss: '7'}\n  duration: 10s\n"),
			[]string{"{at: 20s, for: 10s, network.latency: {delay: 50ms", "{at: 20s, for: 10s, network.loss: {percent: 7%"},
		},
		{
			"a workflow", "chaos-mesh", mesh("Workflow",
				"  entry: all\n  templates:\n    - {name: all, templateType: Serial, children: [lose]}\n    - name: lose\n"+
					"      templateType: PodChaos\n      deadline: 40s\n      podChaos: {action: pod-failure, mode: one, selector: "+
					"{labelSelectors: {app: a}}}\n"),
			[]string{"pod.fail: {service: a", "for: 40s"},
		},
		{
			"a workflow with branches and a pause", "chaos-mesh", mesh("Workflow",
				"  entry: all\n  templates:\n    - {name: all, templateType: Serial, children: [both, rest, lose]}\n"+
					"    - {name: both, templateType: Parallel, deadline: 1m, children: [slow, lose]}\n"+
					"    - {name: rest, templateType: Suspend, deadline: 30s}\n    - name: lose\n"+
					"      templateType: PodChaos\n      deadline: 40s\n      podChaos: {action: pod-failure, mode: one, selector: "+
					"{labelSelectors: {app: a}}}\n    - name: slow\n      templateType: NetworkChaos\n      deadline: 10s\n"+
					"      networkChaos: {action: delay, mode: all, selector: {labelSelectors: {app: a}}, delay: {latency: 9ms}}\n"+
					"    - {name: never, templateType: Suspend, deadline: 1s}\n"),
			[]string{
				"slow: {at: 20s, for: 10s", "lose: {at: 20s, for: 40s", "lose-2: {at: 1m50s, for: 40s", "the deadline 1m",
				"the template never of the workflow a: its entry does not reach it",
			},
		},
		{
			"a function for toxiproxy-cli", "toxiproxy", "toxiproxy-cli() { docker exec tp toxiproxy-cli \"$@\"; }\n" +
				"toxiproxy-cli create -u db:1 db\ntoxiproxy-cli toxic add -t latency -a latency=9 db\nsleep 5\n" +
				"toxiproxy-cli toxic remove -n latency_downstream db\n",
			[]string{"db-latency: {at: 20s, for: 5s, network.latency: {from: caller, to: db, delay: 9ms"},
		},
		{
			"loops of toxics", "toxiproxy", "for n in 1 2 3; do\n  toxiproxy-cli toxic add -t latency -n $n -a latency=$n db\n" +
				"  sleep 10\n  toxiproxy-cli toxic remove -n $n db\ndone\n" +
				"for i in $(ls); do\n  toxiproxy-cli toxic add -t slow_close -a delay=9 db\ndone\n",
			[]string{
				"db-1: {at: 20s, for: 10s, network.latency: {from: load, delay: 1ms", "db-3: {at: 40s, for: 10s",
				"source:6: a loop: its commands run once",
			},
		},
		{
			"toxics in the background", "toxiproxy", "(sleep 30; toxiproxy-cli toxic remove -n slow db; sleep 5) &\n" +
				"toxiproxy-cli toxic add -t latency -n slow -a latency=9 db\nsleep 5\n" +
				"toxiproxy-cli toxic add -t slow_close -a delay=9 db\nwait\ntoxiproxy-cli delete db\n",
			[]string{"slow: {at: 20s, for: 30s", "db-slow-close: {at: 25s, for: 30s"},
		},
		{
			"commands of toxiproxy-cli", "toxiproxy", "toxiproxy-cli create -l :1 -u db:5432 db\n" +
				"toxiproxy-cli toxic add -t latency -n slow -u -a latency=100 -a jitter=5 db\nsleep 30\n" +
				"toxiproxy-cli toxic remove -n slow db\ntoxiproxy-cli toxic update -n slow -a latency=7 db\n",
			[]string{
				"for: 30s", "delay: 100ms, jitter: 5ms, direction: request", "container: db", "source:5: toxiproxy-cli toxic update",
			},
		},
		{
			"a toxic of no connection", "toxiproxy", `{"name": "a", "upstream": "b:1", "toxics": [
			{"type": "reset_peer", "toxicity": 0, "attributes": {"timeout": 5}}]}`,
			[]string{"source:2: a-reset_peer: the toxicity 0, which hits no connection", "no fault is in it"},
		},
		{
			"a toxic alone", "toxiproxy", `{"name": "a", "type": "latency", "attributes": {"latency": 5}}`,
			[]string{"from: load", "where the proxy"},
		},
		{
			"why nothing is left", "chaos-mesh", mesh("IOChaos", "  action: latency\n"),
			[]string{"source:1: IOChaos a: brunt has no such fault", "no fault is in it"},
		},
		{
			"what has no counterpart", "chaos-mesh",
			mesh("TimeChaos", "  mode: one\n  selector: {labelSelectors: {app: a}, nodes: [n]}\n  timeOffset: 1h\n"+
				"  clockIds: [CLOCK_REALTIME]\n"),
			[]string{"selector.nodes", "clockIds"},
		},
		{
			"a pattern of names", "chaos-mesh", mesh("DNSChaos",
				"  action: error\n  mode: one\n  selector: {labelSelectors: {app: a}}\n  patterns: [a.*.com, b.com]\n"),
			[]string{"names: [b.com]", "the pattern a.*.com"},
		},
		{
			"a pause without a time", "chaos-mesh", mesh("Workflow",
				"  entry: all\n  templates:\n    - {name: all, templateType: Serial, children: [rest, lose]}\n"+
					"    - {name: rest, templateType: Suspend, deadline: soon}\n    - name: lose\n      templateType: PodChaos\n"+
					"      deadline: 40s\n      podChaos: {action: pod-failure, mode: one, selector: {labelSelectors: {app: a}}}\n"),
			[]string{"source:8: the pause of the template rest: its deadline is no duration"},
		},
		{
			"pauses of 0", "chaos-mesh", mesh("Workflow",
				"  entry: all\n  templates:\n    - {name: all, templateType: Serial, children: [none, zero, lose]}\n"+
					"    - {name: none, templateType: Suspend}\n    - {name: zero, templateType: Suspend, deadline: 0s}\n"+
					"    - name: lose\n"+
					"      templateType: PodChaos\n      deadline: 40s\n"+
					"      podChaos: {action: pod-failure, mode: one, selector: {labelSelectors: {app: a}}}\n"),
			[]string{"[source:8: the pause of the template none: it has no deadline source: "},
		},
		{
			"a duration of 0", "disruptor", "const p = new PodDisruptor({select: {labels: {app: 'a'}}});\nsleep(0);\n" +
				"p.injectNetworkFaults({port: 5}, 0);\n",
			[]string{"[source:3: how long no-network lasts: it is no literal duration above 0 source: "},
		},
		{
			"loops, conditions and pauses", "disruptor", "const p = new PodDisruptor({select: {labels: {app: 'a'}}});\n" +
				"export function disrupt() {\n  for (let i = 0; i < 3; i++) {\n    p.terminatePods({count: 1});\n    sleep(30);\n" +
				"  }\n  if (__ENV.X) { p.terminatePods({count: 2}); } else { log.info('no'); }\n  sleep(f());\n}\n" +
				"export function buy() { while (g()) { http.get('http://127.0.0.1/'); sleep(g()); } }\n",
			[]string{
				"source:3: a loop: its faults are injected once", "terminate-a: {at: 20s,", "terminate-a-2: {at: 1m20s,",
				"source:7: a condition: the faults of each branch", "source:8: a pause whose time is no literal source: no",
			},
		},
		{
			"functions that inject", "disruptor", "const p = new PodDisruptor({select: {labels: {app: 'a'}}});\n" +
				"function hit() { p.terminatePods({count: 1}); }\nconst cut = () => p.injectNetworkFaults({port: 5}, '10s');\n" +
				"export const options = {scenarios: {a: {executor: 'x', exec: 'disrupt', startTime: '45s'}, b: {executor: " +
				"'x', exec: 'buy'}}};\n" +
				"export function disrupt() {\n  hit();\n  sleep(30);\n  for (const x of f()) {\n    hit();\n  }\n" +
				"  setTimeout(cut, 9);\n" +
				"  [1, 2].forEach(\n    () => p.terminatePods({count: 3}));\n  g() &&\n    p.terminatePods({count: 4});\n}\n" +
				"export const buy = () => { http.get('http://127.0.0.1/'); sleep(1); };\nfunction again() { again(); hit(); }\n",
			[]string{
				"terminate-a: {at: 45s,", "terminate-a-2: {at: 1m45s,", "no-network: {at: 2m15s,", "pick: 3}", "pick: 4}",
				"source:8: a loop: its faults", "source:11: how often the function cut runs", "source:12: a loop: its faults",
				"source:15: a condition: the faults", "source:18: how often the function again runs",
				"the scenario a of the script injects faults", "scenario: b",
			},
		},
		{
			"ends of functions and loops", "disruptor", "const p = new PodDisruptor({select: {labels: {app: 'a'}}});\n" +
				"function guard() {\n  if (f()) throw new Error('no');\n}\nfunction rest() { sleep(40); }\n" +
				"export default async () => {\n  if (__ENV.SKIP) return;\n  guard();\n  rest();\n" +
				"  const up = [1].filter((x) => {\n    return x; });\n  if (!up) { fail('no'); }\n  if (f()) sleep(5);\n" +
				"  p?.terminatePods({count: 1});\n  for (;;) {\n    if (f()) continue;\n    p['terminatePods']({count: 2});\n" +
				"    if (f()) break;\n  }\n  switch (f()) { case 1:\n    break; }\n  try { f(); } catch (e) {\n" +
				"    p.terminatePods({count: 3}); }\n  const kill = p.terminatePods;\n" +
				"  if (f()) exec.test.abort();\n  await p.terminatePods({count: 4});\n  return;\n};\n" +
				"export function teardown() { p.terminatePods({count: 5}); }\n" +
				"export const options = {vus: 3};\n",
			[]string{
				"source:3: a throw", "source:6: how often the default function", "source:7: a return",
				"source:12: a call of fail", "source:13: a condition: the pauses", "source:16: a continue",
				"source:18: a break",
				"source:22: a catch",
				"source:24: terminatePods, which is not called", "source:25: a call of abort",
				"source:29: that teardown runs after the load", "terminate-a: {at: 1m5s,", "pick: 1}", "pick: 2}", "pick: 4}",
			},
		},
		{
			"functions without a name", "disruptor", "const p = new PodDisruptor({select: {labels: {app: 'a'}}});\n" +
				"const kinds = {soft: () =>\n  p.terminatePods({count: 1})};\n" +
				"class A { hit() {\n  p.terminatePods({count: 2}); } }\n" +
				"export default function () {\n  group('a', () => {\n    p.terminatePods({count: 3}); }); }\n",
			[]string{
				"[source:3: when a function without a name runs, and how often: its terminatePods comes once " +
					"source:5: when a function without a name runs, and how often: its terminatePods comes once source: no",
			},
		},
		{
			"a delay with errors", "disruptor", "const p = new PodDisruptor({select: {labels: {app: 'a'}}});\n" +
				"p.injectHTTPFaults({averageDelay: 50, errorRate: 0.1, errorCode: 500}, __ENV.FOR);\n" +
				"p.terminatePods({count: 1});\n",
			[]string{
				"http-faults: {at: 20s, for: 10s, steps: [{http.delay: {from: load, delay: 50ms}}, {http.error: {from: " +
					"load, percent: 10%",
				"terminate-a: {at: 50s,", "source:2: how long http-faults lasts: it is no literal",
			},
		},
		{
			"a list of objects", "openslo", slo("- apiVersion: openslo/v1\n",
				"    indicator: {spec: {ratioMetric: {good: {}, total: {}}}}\n"+
					"    budgetingMethod: Timeslices\n"+
					"    objectives: [{target: 0.995, timeSliceTarget: 0.95, timeSliceWindow: 1m}]\n"),
			[]string{"availability >= 99.5%", "Timeslices", "timeSliceTarget 0.95"},
		},
		{
			"version 1alpha", "openslo", slo("- apiVersion: openslo/v1alpha\n",
				"    objectives: [{target: 0.99, ratioMetrics: {good: {}, total: {}}}]\n"),
			[]string{"availability >= 99%"},
		},
		{
			"version 2alpha", "openslo", slo("- apiVersion: openslo.com/v2alpha\n",
				"    sli: {spec: {ratioMetric: {good: {}, total: {}}}}\n"+
					"    objectives: [{target: 0.9}]\n"),
			[]string{"availability >= 90%"},
		},
		{
			"a bucket of a histogram", "openslo",
			slo("- apiVersion: openslo/v1\n", "    indicator: {spec: {ratioMetric: {good: {metricSource: {spec: {query: "+
				"'sum(http_request_duration_seconds_bucket{le=\"0.3\"})'}}}, total: {}}}}\n    objectives: [{target: 0.99}]\n"),
			[]string{"p99 <= 300ms"},
		},
		{
			"one proxy", "toxiproxy",
			`{"name": "a", "upstream": "b:1", "toxics": [{"type": "latency", "attributes": {"latency": 5, "colour": 7}}]}`,
			[]string{"delay: 5ms", "colour 7"},
		},
		{
			"the time of a scenario", "disruptor", "export const options = {scenarios: {\n" +
				"a: {executor: 'x', exec: 'slow', startTime: '45s'},\nb: {executor: 'x', exec: 'gone', startTime: '50s'},\n" +
				"c: {executor: 'x', exec: 'gone'},\nd: {executor: 'x', exec: 'cut', startTime: '5s'}}};\n" +
				"const p = new PodDisruptor({select: {labels: {app: 'a'}}}, {injectTimeout: '30s'});\n" +
				"export function slow() { p.injectHTTPFaults({averageDelay: 7}, '10s'); }\n" +
				"export function gone() { p.terminatePods({count: 2}); }\n" +
				"export function cut() { p.injectNetworkFaults({port: 5}, '10s'); }\nexport function buy() {}\n",
			[]string{
				"source:2: how often the scenario a runs slow: its faults", "http-delay: {at: 45s,", "terminate-a: {at: 50s,", "no-network: {at: 20s,",
				"source:6: injectTimeout 30s of PodDisruptor",
				"source:4: the scenario c, which injects the faults of b once more",
				"source:5: startTime 5s of the scenario d: its first fault comes later",
			},
		},
		{
			"toxics without a name", "toxiproxy", "toxiproxy-cli create -u db:1 db\nwget x\n" +
				"toxiproxy-cli toxic add -t latency -a latency=9 db\nsleep 5\n" +
				"toxiproxy-cli toggle db\nsleep 3\ntoxiproxy-cli toxic remove -n latency_downstream db\nsleep 4\n" +
				"toxiproxy-cli toggle db\ntoxiproxy-cli toxic add -t slow_close -a delay=9 db\nsleep 6\n" +
				"toxiproxy-cli delete db\n",
			[]string{
				"db-latency: {at: 20s, for: 8s,", "db-down: {at: 25s, for: 7s,", "db-slow-close: {at: 32s, for: 6s",
				"source:2: the program wget",
			},
		},
		{
			"a link from the target", "chaos-mesh", mesh("NetworkChaos", "  action: delay\n  mode: fixed\n  value: '2'\n"+
				"  selector: {labelSelectors: {app: web}}\n  direction: from\n  delay: {latency: 5ms}\n"+
				"  target: {mode: fixed, value: '3', selector: {labelSelectors: {app: db}}}\n"),
			[]string{"from: db, to: web, pick: 3}", "the mode fixed 2 of its selector: all of them"},
		},
		{
			"a link to the target", "chaos-mesh", mesh("NetworkChaos", "  action: delay\n  mode: fixed\n  value: '2'\n"+
				"  selector: {labelSelectors: {app: web}}\n  direction: to\n  delay: {latency: 5ms}\n"+
				"  target: {mode: fixed, value: '3', selector: {labelSelectors: {app: db}}}\n"),
			[]string{"from: web, to: db, pick: 2}", "the mode fixed 3 of its target: all of them"},
		},
		{
			"a value without a name", "har", `{"log": {"entries": [
			{"request": {"method": "GET", "url": "http://127.0.0.1:1/a"}, "response": {"status": 200, "content":
			{"mimeType": "application/json", "text": "[\"c0ffee1234\"]"}}},
			{"request": {"method": "GET", "url": "http://127.0.0.1:1/a/c0ffee1234"}, "response": {"status": 200}}]}}`,
			[]string{"source:4: a value is sent as ${var."},
		},
		{
			"a test that is skipped", "postman", `{"info": {"name": "a"}, "item": [{"name": "b", "request": {"method": "GET",
			"url": "http://127.0.0.1:1/"}, "event": [{"listen": "test", "script": {"exec": [
			"pm.test('x', function () { pm.response.to.have.status(201); });",
			"pm.test.skip('y', function () { pm.response.to.have.header('Z'); });"]}}]}]}`,
			[]string{"check: {status: 201}", "source:4: pm.test.skip(…) of the test"},
		},
		{
			"a key that is computed", "disruptor", "const p = new PodDisruptor({select: {labels: {app: \"a\"}}});\n" +
				"p.injectHTTPFaults({errorRate: 0.07, ...more, errorCode: 500}, \"10s\");",
			[]string{"percent: 7%", "is not a literal"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			said := says(c.kind, c.source)
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in\n%s", want, said)
				}
			}
			if made, err := convert.Convert([]byte(c.source), draft.Options{Kind: c.kind, File: "source"}); err == nil {
				if _, err := converttest.Parse(made.Text); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestConvert_Hostile converts values that no tool would take, at every place of a number: no panic, and a scenario
// that can be parsed or an error.
func TestConvert_Hostile(t *testing.T) {
	values := []string{
		"NaN", "Inf", "-1", "1e309", "99999999999999999999", "0", "0.0000001", "ɐ", "1ɐ", "ı", "ſſ", "%", "-", "1.2.3", "",
		"100000%", "1e9h", "0x10",
	}
	for name, kind := range sources {
		if !slices.Contains(ofFaults, kind) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			b, _ := source(t, name)
			text := string(b)
			number := regexp.MustCompile(`^["']?[0-9.]+[A-Za-z%]*["']?$`)
			for i, at := range mutants(kind, text) {
				w := text[at[0]:at[1]]
				if !number.MatchString(w) {
					continue
				}
				value := values[i%len(values)]
				for _, v := range []string{value, values[(i+7)%len(values)]} {
					v = `"` + v + `"`
					made, err := convert.Convert([]byte(text[:at[0]]+v+text[at[1]:]),
						draft.Options{Kind: kind, File: "a", From: "testdata"})
					if err != nil {
						continue
					}
					if _, err := converttest.Parse(made.Text); err != nil {
						t.Errorf("%s in place of %s at byte %d: %v", v, w, at[0], err)
					}
				}
			}
		})
	}
}
