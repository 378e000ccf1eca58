package scenarios_test

import (
	"reflect"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// same reports whether two trees have the same content, whatever their places.
func same(a, b *syntax.Node) bool {
	if a.Kind != b.Kind || len(a.Fields) != len(b.Fields) || len(a.Items) != len(b.Items) ||
		!reflect.DeepEqual(texts(a), texts(b)) {
		return false
	}
	for i := range a.Fields {
		if a.Fields[i].Key != b.Fields[i].Key || !same(a.Fields[i].Value, b.Fields[i].Value) {
			return false
		}
	}
	for i := range a.Items {
		if !same(a.Items[i], b.Items[i]) {
			return false
		}
	}
	return true
}

// texts returns the text of a scalar, with its placeholders as separate items.
func texts(n *syntax.Node) []string {
	if n.Kind == syntax.Bool {
		return []string{strings.ToLower(n.Value)}
	}
	out := []string{""}
	for _, p := range n.Parts {
		if p.Ref != nil {
			out = append(out, "${"+p.Ref.Text+"}", "")
			continue
		}
		out[len(out)-1] += p.Text
	}
	if n.Parts == nil {
		out[0] = n.Value
	}
	return out
}

// explainAgain parses the output of Explain, and checks that it is the same scenario.
func explainAgain(t *testing.T, sc *scenarios.Scenario, o scenarios.Options) string {
	t.Helper()
	text := sc.Explain()
	read := o.Read
	o.Set = nil
	o.Read = func(path string) ([]byte, error) {
		if path == sc.File {
			return []byte(text), nil
		}
		return read(path)
	}
	again, err := scenarios.Parse(sc.File, o)
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, text)
	}
	want := sc.Root.Without(func(k string) bool { return k == "params" || k == "extends" })
	if !same(want, again.Root) {
		t.Errorf("%s\nreads as\n%s\nnot\n%s", text, sketch(again.Root), sketch(want))
	}
	if second := again.Explain(); second != text {
		t.Errorf("explained again it is\n%s\nnot\n%s", second, text)
	}
	return text
}

func TestExplain(t *testing.T) {
	const text = `extends: ok.yaml
params: {rate: 5/s, none: , list: [1, {a: "${rate}"}], dollar: "$"}
name: "a: b # c"
hypothesis: "line one\nline two\n"
seed: 7
target: {with: {a: on, b: "on", c: true, d: "true", e: "5", f: 5, g: 0x1F, h: "", i: , j: [], k: {},
  l: [[1, [2]], {m: x, o: [p]}], q: "- r", s: "*t", "u: v": w, "1": 2, "": 3}, url: null, stack: demo}
load: {reads: {rate: "${rate}", more: "${list}", text: "${rate}!", lit: "$${x} $$${rate}", dynamic: "${dollar}${uuid()} ${int(1,2)}"}}
setup: [{post: "/x?k=${env.TOKEN}", body: "s3cr3t-value and ${env.TOKEN}", headers: {A: "tab\there \x01 é \u2028 \"quoted\""}}]
`
	const want = `version: 1
target:
  with:
    a: on
    b: on
    c: true
    d: "true"
    e: "5"
    f: 5
    g: 0x1F
    h: ""
    i: null
    j: []
    k: {}
    l:
      -
        - 1
        -
          - 2
      - m: x
        o:
          - p
    q: "- r"
    s: "*t"
    "u: v": w
    "1": 2
    "": 3
  stack: demo
load:
  reads:
    executor: constant-vus
    flow:
      - get: /
    rate: 5/s
    more:
      - 1
      - a: 5/s
    text: 5/s!
    lit: $${x} $5/s
    dynamic: $$${uuid()} ${int(1,2)}
name: "a: b # c"
hypothesis: |
  line one
  line two
seed: 7
setup:
  - post: /x?k=${env.TOKEN}
    body: "*** and ${env.TOKEN}"
    headers:
      A: "tab\x09here \x01 é \u2028 \"quoted\""
`
	o := memory{"s.yaml": text, "ok.yaml": okYAML}.options()
	o.Env = func(k string) (string, bool) { return "s3cr3t-value", k == "TOKEN" }
	sc, err := scenarios.Parse("s.yaml", o)
	if err != nil {
		t.Fatal(err)
	}
	if got := sc.Explain(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestExplainFull(t *testing.T) {
	sc, err := scenarios.Parse("s.yaml", fullOptions())
	if err != nil {
		t.Fatal(err)
	}
	text := explainAgain(t, sc, fullOptions())
	if strings.Contains(text, "params") || strings.Contains(text, "${rate}") ||
		!strings.Contains(text, "    rate: 300/s\n") {
		t.Errorf("not resolved:\n%s", text)
	}
}

// FuzzExplain checks for every scenario that parses: the output of Explain parses to the same
// scenario, and contains no secret.
func FuzzExplain(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s, "text", "")
	}
	for _, s := range []string{
		"x: y", " a ", "- a", "a\n b\n", "\n\na\n", "${uuid()}", "$$", "$${x}", "1e3", "yes", "~", "é\x85\u2028", "'\"\\",
		"<<", "a #b", "#", "|", "%", "---", "key:", "\ta\t",
	} {
		f.Add("extends: ok.yaml\nsetup: [{post: /, body: \"${text}\", json: {k: \"a${text}b\", \"k 2\": "+
			"[\"${text}\"]}}]\nparams: {text: x}", s, s)
	}
	f.Fuzz(func(t *testing.T, text, value, block string) {
		o := fuzzFiles(text, "")
		o.Set = map[string]string{"text": value}
		if !strings.Contains(text, "text") {
			o.Set = nil
		}
		sc, err := scenarios.Parse("s.yaml", o)
		if err != nil {
			return
		}
		// The parser can return values that no file can express.
		if setup := sc.Root.Get("setup"); setup != nil && setup.Kind == syntax.List && len(setup.Items) > 0 &&
			setup.Items[0].Kind == syntax.Map {
			body := &syntax.Node{Kind: syntax.String, Value: string([]rune(block))}
			if !strings.Contains(block, "${") {
				setup.Items[0].Fields = append(setup.Items[0].Fields,
					syntax.Field{Key: "fuzzed" + strings.ReplaceAll(body.Value, "${", ""), Value: body})
			}
		}
		shown := explainAgain(t, sc, o)
		if strings.Contains(shown, "s3cret") && !strings.Contains(text+value+block, "s3cret") {
			t.Errorf("a secret is shown:\n%s", shown)
		}
	})
}
