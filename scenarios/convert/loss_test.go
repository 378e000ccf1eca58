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
var ofFaults = []string{"chaos-mesh", "chaostoolkit", "disruptor", "litmus", "openslo", "pumba", "toxiproxy"}

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
	"chaostoolkit": `in "version"|in "configuration"|^"(probe|action|type|provider|process|arguments)" in |two carts run|` +
		`"chaos(k8s.pod|toxi.toxic).actions" in |` +
		`^("shop"|true) in "arguments"|^"slow" in |^("on"|true) in .*readonly|what the log says|fast database|let the stock go|tell the team|` +
		`^("name"|"fail back"|"writable") in `,
	"disruptor": `in const cart|PodDisruptor in |^(no|"}") in |^"5s" in `,
	"litmus": `in apiVersion:|in metadata:|^active in |^deployment in appinfo|in chaosServiceAccount|PODS_AFFECTED_PERC|in type: httpProbe|` +
		`in mode: Continuous|^containerd in |TARGET_NODE`,
	"openslo": `in apiVersion:|in metadata: \{name: shop|in spec: \{(description|alertWhen)|metricSource|in service:|in timeWindow|` +
		`^(most|nearly|all|counter|true) in |metadata: \{name: share|value: 100`,
	"pumba":     `^(pumba|random) in |docker run|^exec in |^--command in |^"kill -9 1" in |^stock in pumba exec`,
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
	toolkit := func(provider string) string {
		return `{"title": "a", "method": [{"type": "action", "name": "b", "provider": ` + provider + `}]}`
	}
	hypothesis := func(provider string) string {
		return `{"steady-state-hypothesis": {"probes": [{"type": "probe", "name": "p", "tolerance": 200, "provider": ` +
			provider +
			`}]}, "method": [{"type": "action", "name": "b", "provider": {"type": "process", "path": "docker", "arguments": "kill a"}}]}`
	}
	for _, c := range []struct{ name, kind, source string }{
		{
			"a flag of a command", "chaostoolkit",
			toolkit(`{"type": "process", "path": "dbctl", "arguments": "failover --password hunter2secret"}`),
		},
		{
			"a flag and its value", "chaostoolkit",
			toolkit(`{"type": "process", "path": "dbctl", "arguments": ["--token=hunter2secret"]}`),
		},
		{
			"a map of arguments", "chaostoolkit",
			toolkit(`{"type": "process", "path": "dbctl", "arguments": {"--api-key": "hunter2secret"}}`),
		},
		{
			"a URL of a command", "chaostoolkit",
			toolkit(`{"type": "process", "path": "curl", "arguments": "https://ann:hunter2secret@db.example.com/x"}`),
		},
		{
			"a URL that is called", "chaostoolkit",
			toolkit(`{"type": "http", "url": "https://db.example.com/x?token=hunter2secret"}`),
		},
		{
			"a header of a call", "chaostoolkit",
			toolkit(`{"type": "http", "url": "https://db.example.com/x", "headers": {"Authorization": "Bearer hunter2secret"}}`),
		},
		{
			"the body of a call", "chaostoolkit",
			toolkit(`{"type": "http", "url": "https://db.example.com/x", "arguments": {"password": "hunter2secret"}}`),
		},
		{
			"the user of a call", "chaostoolkit",
			toolkit(`{"type": "http", "url": "https://ann:hunter2secret@db.example.com/x"}`),
		},
		{
			"a URL of a probe", "chaostoolkit",
			hypothesis(`{"type": "http", "url": "http://127.0.0.1:8080/?api_key=hunter2secret"}`),
		},
		{
			"the user of a probe", "chaostoolkit",
			hypothesis(`{"type": "http", "url": "http://ann:hunter2secret@127.0.0.1:8080/"}`),
		},
		{
			"a header of a probe", "chaostoolkit",
			hypothesis(`{"type": "http", "url": "http://127.0.0.1:8080/", "headers": {"X-Api-Key": "hunter2secret"}}`),
		},
		{"secrets", "chaostoolkit", strings.Replace(toolkit(`{"type": "process", "path": "x", "arguments": "--with ${pw}"}`),
			`{"title"`,
			`{"secrets": {"db": {"pw": "hunter2secret"}}, "title"`, 1)},
		{
			"a constant by a secret name", "chaostoolkit",
			strings.Replace(toolkit(`{"type": "process", "path": "x", "arguments": "--with ${db_password}"}`), `{"title"`,
				`{"configuration": {"db_password": "hunter2secret"}, "title"`, 1),
		},
		{
			"a secret in a title", "chaostoolkit",
			`{"title": "log in by password=hunter2secret", "method": [{"type": "action", "name": "b",
			"provider": {"type": "process", "path": "docker", "arguments": "kill a"}}]}`,
		},
		{
			"a variable of the experiment", "litmus",
			"apiVersion: litmuschaos.io/v1alpha1\nkind: ChaosEngine\nspec:\n  appinfo: {applabel: app=a}\n  experiments:\n" +
				"    - {name: pod-delete, spec: {components: {env: [{name: DB_PASSWORD, value: hunter2secret}, {name: EXTRA, " +
				"value: hunter2secret}]}}}\n",
		},
		{
			"the body of an answer", "litmus",
			"apiVersion: litmuschaos.io/v1alpha1\nkind: ChaosEngine\nspec:\n  appinfo: {applabel: app=a}\n  experiments:\n" +
				"    - {name: pod-http-status-code, spec: {components: {env: [{name: RESPONSE_BODY, value: '{\"token\": " +
				"\"hunter2secret\"}'}]}}}\n",
		},
		{
			"a key that has no counterpart", "chaos-mesh",
			"apiVersion: chaos-mesh.org/v1alpha1\nkind: HTTPChaos\nmetadata: {name: a}\n" +
				"spec: {mode: all, target: Request, " +
				"delay: 1s, path: '/x?token=hunter2secret', request_headers: {Authorization: Bearer hunter2secret}}\n",
		},
		{"the hook of a chat", "pumba", "pumba --slackhook https://hooks.example.com/hunter2secret kill a\n"},
		{"the engine's address", "pumba", "pumba --host tcp://ann:hunter2secret@127.0.0.1:2375 kill a\n"},
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
	engine := func(namespace string) string {
		return "apiVersion: litmuschaos.io/v1alpha1\nkind: ChaosEngine\nspec:\n  appinfo: {appns: " + namespace +
			", applabel: app=a}\n  experiments: [{name: pod-delete}]\n"
	}
	toolkit := func(activity string) string { return `{"title": "a", "method": [` + activity + `]}` }
	slo := func(head, spec string) string { return head + "  kind: SLO\n  metadata: {name: a}\n  spec:\n" + spec }
	for _, c := range []struct {
		name, kind, source string
		want               []string
	}{
		{
			"a variable of a subshell", "pumba", "A=one\n(A=two)\n( A=two; true ) &\npumba kill $A\n",
			[]string{"process.crash: {service: one}"},
		},
		{
			"a variable that is read", "pumba", "A=one\nread -p which A\npumba kill $A\npumba kill db\n",
			[]string{"(line 3): pumba kill: a variable or a command of the shell is in it", "process.crash: {service: db}"},
		},
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
			"commands in the background", "pumba", "pumba pause -d 30s a &\npumba kill b &\nwait\npumba kill c\n",
			[]string{"pause-a: {at: 20s, for: 30s", "kill-b: {at: 20s,", "kill-c: {at: 1m10s,"},
		},
		{"a loop", "pumba", "while true; do pumba kill a; sleep 9; done\n", []string{"source:1: a loop with a condition"}},
		{
			"a group in the background", "pumba", "(sleep 30; pumba kill a; sleep 40; pumba kill b) &\nsleep 5\npumba kill c\n",
			[]string{"kill-a: {at: 50s,", "kill-b: {at: 2m,", "kill-c: {at: 25s,"},
		},
		{
			"choices", "pumba", "if [ -z \"$1\" ]; then echo usage; exit 1; fi\ncase $1 in\nslow) pumba pause a;;\nesac\n" +
				"if true; then\n  pumba kill b\nelif false; then\n  pumba kill c\nfi\ntrue ||\n  pumba kill d\n" +
				"[ -n \"$A\" ] && pumba kill e\npumba kill f || exit 1\npumba kill g && pumba kill h\n",
			[]string{
				"[source:2: the choice of a case", "source:5: the condition of an if", "source:7: the condition of an if",
				"source:11: that a command runs only if the one before fails",
				"source:12: that a command runs only if the one before succeeds", "kill-h",
			},
		},
		{
			"functions", "pumba", "lose() {\n  pumba kill a\n  pumba kill $1\n}\nnever() {\n  pumba kill never\n}\n" +
				"turn() { turn; }\nlose b\nlose c &\nturn\n",
			[]string{
				"kill-a: {at: 20s,", "kill-b: {at: 50s,", "kill-a-2: {at: 1m20s,", "kill-c: {at: 1m50s,",
				"source:5: the function never: nothing calls it", "source:8: a call of the function turn: there are too many",
			},
		},
		{
			"a function for pumba", "pumba", "pumba() { docker run --rm gaiaadm/pumba --interval 1m \"$@\"; }\n" +
				"pumba kill web\n" +
				"pumba pause -d 10s db\n",
			[]string{
				"kill-web: {at: 20s, every: 1m", "pause-db: {at: 2m50s, for: 10s", "[source:2: --interval 1m",
				"source:3: --interval 1m has no end in pumba; here it is three times source: ",
			},
		},
		{
			"functions for pumba that are not all known", "pumba", "pumba() { command pumba --interval $I \"$@\"; }\n" +
				"pumba kill web\nsleep() { delay \"$1\"; }\nsleep 30\npumba kill $DB\n",
			[]string{
				"kill-web: {at: 20s,", "[source:1: a part of the function pumba: only the shell knows what it is " +
					"source:3: the program delay",
				"source:5: pumba kill: a variable",
			},
		},
		{
			"a function for toxiproxy-cli", "toxiproxy", "toxiproxy-cli() { docker exec tp toxiproxy-cli \"$@\"; }\n" +
				"toxiproxy-cli create -u db:1 db\ntoxiproxy-cli toxic add -t latency -a latency=9 db\nsleep 5\n" +
				"toxiproxy-cli toxic remove -n latency_downstream db\n",
			[]string{"db-latency: {at: 20s, for: 5s, network.latency: {from: caller, to: db, delay: 9ms"},
		},
		{
			"variables, and loops over names", "pumba", "T=web\npumba kill $T\nfor c in a b; do pumba kill $c; sleep 9; done\n" +
				"[ -z \"$1\" ] || T=c\npumba kill $T\npumba kill {d,e}\npumba --tlscacert ~/ca.pem kill f\nT=$(pwd)\npumba kill $T\n",
			[]string{
				"kill-web: {at: 20s,", "kill-a: {at: 50s,", "kill-b: {at: 1m29s,", "kill-c: {", "kill-d: {", "kill-e: {", "kill-f: {",
				"[source:4: that a command runs only if the one before fails source:9: pumba kill: a variable or a command",
			},
		},
		{
			"programs around", "pumba", "timeout 60 pumba kill a\nDOCKER_HOST=tcp://h:1 pumba kill b\n$BIN/pumba kill c\n" +
				"docker run -d nginx sleep 900\nsudo sleep 9\npumba kill d\n",
			[]string{
				"kill-a: {at: 20s,", "kill-b: {at: 50s,", "kill-c: {at: 1m20s,", "kill-d: {at: 1m59s,",
				"[source:1: the program timeout around pumba source:2: the variable DOCKER_HOST for one command " +
					"source:4: the program docker source: ",
			},
		},
		{
			"commands that name pumba", "pumba", "docker pull gaiaadm/pumba:1\ndocker rm -f pumba\n" +
				"command -v pumba || exit 1\n" +
				"sudo apt-get install pumba\npodman run --name pumba gaiaadm/pumba:1 kill a\n",
			[]string{
				"kill-a: {at: 20s,",
				"[source:1: the program docker source:2: the program docker source:3: the program command " +
					"source:4: the program sudo source: ",
			},
		},
		{
			"functions that others call", "pumba", "cleanup() { pumba kill a; }\nslow() { pumba pause b; }\n" +
				"never() { pumba kill c; }\n" +
				"trap 'cleanup; exit' EXIT\necho usage: never\nls | xargs -n1 slow\npumba kill d\n",
			[]string{
				"kill-d: {at: 20s,", "kill-a: {at: 50s,", "pause-b: {at: 1m20s,",
				"source:1: when the function cleanup is called: only the shell knows", "source:2: when the function slow is called",
				"source:3: the function never: nothing calls it",
			},
		},
		{
			"a function by a variable", "pumba", "slow() { pumba pause b; }\nlose() { pumba kill a; }\n\"$1\"\n",
			[]string{
				"pause-b: {at: 20s,", "kill-a: {at: 50s,", "source:3: a program whose name", "source:1: when the function " +
					"slow is called",
			},
		},
		{
			"arguments of functions", "pumba", "lose() { set -e; pumba kill \"$1\"; pumba pause ${2:-own}; }\nlose web\n" +
				"lose db \"a b\"\n" +
				"all() { shift; pumba kill \"$@\"; pumba kill $X; }\nall off x y\nall $FLAGS\n",
			[]string{
				"kill-web: {", "kill-db: {", "pause-own: {", "pause-a: {", "pause-b: {", "kill-x: {", "kill-y: {",
				"[source:4: pumba kill: a variable or a command of the shell is in it source: ",
			},
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
		{"Podman", "pumba", "pumba --runtime podman kill a\n", []string{"--runtime podman: the engine is the one at DOCKER_HOST"}},
		{
			"an action in the background", "chaostoolkit", `{"method": [{"type": "action", "name": "one", "background": true,
			"provider": {"type": "process", "path": "docker", "arguments": "pause a"}, "pauses": {"after": 5}},
			{"type": "action", "name": "two", "provider": {"type": "process", "path": "docker", "arguments": "kill b"}}]}`,
			[]string{"one: {at: 20s, for: 5s", "two: {at: 20s,"},
		},
		{
			"a call that nothing takes back", "chaostoolkit", `{"method": [{"type": "action", "name": "one", "provider":
			{"type": "http", "url": "http://127.0.0.1:1/x"}, "pauses": {"after": 50}},
			{"type": "action", "name": "two", "provider": {"type": "process", "path": "docker", "arguments": "kill b"}}]}`,
			[]string{"one: {at: 20s, webhook:", "two: {at: 1m40s,"},
		},
		{
			"the disk of a node", "litmus", strings.Replace(engine("shop"), "pod-delete",
				"disk-fill, spec: {components: {env: [{name: FILL_PERCENTAGE, value: '80'}]}}", 1),
			[]string{"percent: 80%", "source:5: disk-fill of the storage that a pod may use"},
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
			"pods of two namespaces", "litmus", engine("shop") + "---\n" + engine("bank"),
			[]string{"namespace: shop", "pods in the namespace bank: this scenario has those in shop"},
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
			"flags by their short names", "pumba", "pumba -i 1m netem -d 20s -t 192.0.2.1 delay -t 300 -j 20 -d normal a\n",
			[]string{"to: 192.0.2.1", "delay: 300ms, jitter: 20ms", "for: 20s", "every: 1m", "--distribution"},
		},
		{"labels in one", "pumba", "pumba --label a=b,c=d kill\n", []string{"labels: {a: b, c: d}"}},
		{"one of several", "pumba", "pumba --random kill a b\n", []string{"1 of the 2 containers at random"}},
		{
			"a variable of the shell", "pumba", "pumba kill a\npumba kill $NAME\n",
			[]string{"line 2", "a variable or a command of the shell"},
		},
		{"a dry run", "pumba", "pumba kill a\npumba --dry-run kill b\n", []string{"it breaks nothing"}},
		{
			"stressors", "pumba", "pumba stress -d 5s --stressors '--cpu 2 --vm 3 --timeout 5s' a\n",
			[]string{"workers: 2", "--vm 3 of its stressors"},
		},
		{
			"stressors of disks", "pumba", "pumba stress -d 5s --stressors '--io 2 --hdd 1' a\n",
			[]string{"stress.io: {service: a, workers: 2}", "[source:1: --hdd 1 of its stressors source: pumba"},
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
		{"a sleep of 0", "pumba", "sleep 0\npumba kill a\nsleep 0s\n", []string{"[source: pumba has no load"}},
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
			"a variable of an argument", "chaostoolkit",
			strings.Replace(toolkit(`{"type": "action", "name": "b", "provider": {"type": "python",
			"module": "chaosk8s.pod.actions", "func": "terminate_pods",
			"arguments": {"label_selector": "app=${app}", "ns": "${ns}"}}}`), `{"title"`,
				`{"configuration": {"ns": "shop", "app": "web"}, "title"`, 1),
			[]string{"namespace: shop", "pods: {app: web}", "pod.delete: {service: web"},
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
			"the port of another machine", "pumba", "pumba netem -d 5s --ingress-port 5432 loss -p 5 a\n",
			[]string{"ports: [5432]", "percent: 5%"},
		},
		{
			"toxics of the toolkit", "chaostoolkit",
			toolkit(`{"type": "action", "name": "b", "provider": {"type": "python", "module": "chaostoxi.toxic.actions",
			"func": "create_toxic", "arguments": {"for_proxy": "db", "toxic_name": "x", "toxic_type": "limit_data", "stream": "upstream", "toxicity": 0.5,
			"attributes": {"bytes": 100}}}, "pauses": {"after": 7}}`),
			[]string{"tcp.limit: {from: load, bytes: 100", "percent: 50%", "for: 7s", "the proxy db"},
		},
		{
			"slow closes", "chaostoolkit",
			toolkit(`{"type": "action", "name": "b", "provider": {"type": "python", "module": "chaostoxi.toxic.actions",
			"func": "create_slow_connection_close_toxic", "arguments": {"for_proxy": "db", "toxic_name": "x", "delay": 100}}}`),
			[]string{"tcp.slow_close", "delay: 100ms"},
		},
		{
			"a variable of the environment", "chaostoolkit",
			strings.Replace(toolkit(`{"type": "action", "name": "b", "provider": {"type": "process", "path": "x",
			"arguments": ["--on", "${host}", "${port}"]}}`), `{"title"`,
				`{"configuration": {"host": {"type": "env", "key": "DB_HOST"}, "port": 5432}, "title"`, 1),
			[]string{`${env.DB_HOST}`, "5432"},
		},
		{
			"actions that nothing takes back", "chaostoolkit", `{"method": [{"type": "action", "name": "one",
			"provider": {"type": "process", "path": "x"}, "pauses": {"after": 5}},
			{"type": "action", "name": "two", "provider": {"type": "http", "url": "http://127.0.0.1:1/"}}]}`,
			[]string{
				`one: {at: 20s, exec: {inject: [x], verify: ["false"], revert: none, gone: ["false"]}}`,
				`two: {at: 55s, webhook: {inject: {get: "http://127.0.0.1:1/"}, verify: ["false"], revert: none, gone: ["false"]}}`,
			},
		},
		{
			"a variable that nothing sets", "chaostoolkit", toolkit(`{"type": "action", "name": "c",
			"provider": {"type": "process", "path": "docker", "arguments": "kill a"}},
			{"type": "action", "name": "b", "provider": {"type": "process", "path": "x", "arguments": "${host}"}}`),
			[]string{"nothing says what host is"},
		},
		{
			"labels of a selector", "litmus",
			"apiVersion: litmuschaos.io/v1alpha1\nkind: ChaosEngine\nspec:\n  appinfo: {applabel: 'app=a,tier=b'}\n  " +
				"experiments:\n" +
				"    - {name: pod-delete, spec: {components: {env: [{name: RAMP_TIME, value: '5'}, {name: TARGET_PODS, value: " +
				"x-1}]}}}\n",
			[]string{"pods: {app: a, tier: b}", "at: 25s", "TARGET_PODS"},
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
			"pauses between commands", "pumba",
			"pumba pause -d 10s web\nsleep 60\npumba kill web\nsleep $N\nkubectl delete pod a\n" +
				"$IT\necho done\n",
			[]string{
				"pause-web: {at: 20s, for: 10s", "kill-web: {at: 1m50s,", "source:4: a pause whose time",
				"source:5: the program kubectl",
				"source:6: a program whose name only the shell knows",
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
			"rollbacks of others, and a reference", "chaostoolkit",
			`{"method": [{"ref": "u"}, {"type": "action", "name": "two",
			"provider": {"type": "process", "path": "docker", "arguments": "kill b"}}], "rollbacks": [
			{"type": "action", "name": "clean", "provider": {"type": "python", "module": "a", "func": "b"}}]}`,
			[]string{
				`source:1: the activity that refers to "u": write it out`,
				`source:3: the rollback "clean": brunt takes its own faults back, and nothing else`,
			},
		},
		{
			"a value without a name", "har", `{"log": {"entries": [
			{"request": {"method": "GET", "url": "http://127.0.0.1:1/a"}, "response": {"status": 200, "content":
			{"mimeType": "application/json", "text": "[\"c0ffee1234\"]"}}},
			{"request": {"method": "GET", "url": "http://127.0.0.1:1/a/c0ffee1234"}, "response": {"status": 200}}]}}`,
			[]string{"source:4: a value is sent as ${var."},
		},
		{
			"a node by its name", "litmus", strings.Replace(engine("shop"), "pod-delete", "node-drain", 1),
			[]string{"source:5: the experiment node-drain: node.drain takes the node of pods"},
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
					if kind != "pumba" {
						v = `"` + v + `"`
					}
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
