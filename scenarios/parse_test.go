package scenarios_test

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/syntax/syntaxtest"
)

// fullYAML is the example of the language's description.
//
//go:embed testdata/full.yaml
var fullYAML string

func fullOptions() scenarios.Options {
	return memory{"s.yaml": fullYAML, "users.csv": "id,name\n1,ann\n2,bob\n"}.options()
}

// TestFullExample parses the example of the language's description.
func TestFullExample(t *testing.T) {
	sc, err := scenarios.Parse("s.yaml", fullOptions())
	if err != nil {
		t.Fatal(err)
	}
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	browse, sale := sc.Loads[0], sc.Loads[1]
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"name", sc.Name, "posts survive losing a replica"},
		{"hypothesis", sc.Hypothesis, "One replica less costs no reader more than a retry."},
		{"seed", sc.Seed, uint64(7)},
		{"seed given", sc.SeedGiven, true},
		{"stack", sc.Target.Stack, "demo"},
		{"with", sketch(sc.Target.With), `{"posts":{"replicas":2} "breaker":"on" "limiter":"off"}`},
		{"ready", fmt.Sprint(sc.Target.Ready.Get, sc.Target.Ready.Within), "/healthz30s"},
		{
			"table", fmt.Sprint(sc.Tables[0].Name, sc.Tables[0].Columns, len(sc.Tables[0].Rows), sc.Tables[0].Pick),
			"users[id name] 2shuffle",
		},
		{"warm-up", sc.Warmup, seconds(5)},
		{"setup", len(sc.Setup), 1},
		{"loads", browse.Name + " " + sale.Name, "browse sale"},
		{"executor", browse.Executor + " " + browse.Shape.Kind, "constant-arrival-rate constant-arrival-rate"},
		{"shape", sketch(browse.Shape.With), `{"rate":"300/s" "arrivals":"poisson" "duration":"120s"}`},
		{"in flight", browse.MaxInFlight, 5000},
		{"timeout", browse.Timeout.D(), seconds(10)},
		{"steps", len(browse.Flow), 3},
		{"step", browse.Flow[0].Name + " " + browse.Flow[2].Name, "list posts read post"},
		{"think", *browse.Flow[1].Think, quantity.Range{Min: 100 * time.Millisecond, Max: 400 * time.Millisecond}},
		{"mix", fmt.Sprint(len(browse.Mix), browse.Mix[0].Weight, len(browse.Mix[0].Flow)), "1 1 3"},
		{"start", sale.Start.D(), seconds(105)},
		{"at", sc.Faults[0].At.D(), seconds(20)},
		{"fault", sc.Faults[0].Name + " " + sc.Faults[0].Block.Kind, "lose-a-replica process.crash"},
		{
			"fault's settings", sketch(sc.Faults[1].Block.With),
			`{"from":"posts" "to":"store" "delay":"200ms" "jitter":"50ms"}`,
		},
		{"after", fmt.Sprint(sc.Faults[2].After, sc.Faults[2].Wait.By, sc.Faults[2].For), "slow-store20s 8s"},
		{"during", sc.Faults[3].During, "sale.hold"},
		{"guard", fmt.Sprint(sc.Guard.MaxUnits, sc.Guard.MaxEach, sc.Guard.OnNoUnit, len(sc.Guard.Allow.Load)), "2 1mfail0"},
		{"steady", sc.Steady[1].Text, "p95 < 200ms"},
		{"stop", fmt.Sprint(sc.Stop[0].Text, sc.Stop[0].For), "errors > 90% for 30s30s"},
		{"objectives", len(sc.SLO), 7},
		{"long form", sc.SLO[6].ID + ": " + sc.SLO[6].Text, "slow-but-alive: p99 < 3s of load browse in slow-store"},
		{"variables", strings.Join(sc.Symbols.Vars(), " "), "id token"},
		{"notes", strings.Join(sc.Notes, "; "), `s.yaml:6:23: param "url" is used nowhere`},
	} {
		if check.got != check.want {
			t.Errorf("%s is %v, want %v", check.what, check.got, check.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	sc, err := scenarios.Parse("dir/some-name.yaml", memory{"dir/some-name.yaml": okYAML}.options())
	if err != nil {
		t.Fatal(err)
	}
	l := sc.Loads[0]
	if sc.Name != "some-name" || sc.Pacing != "auto" || sc.SeedGiven || sc.Seed == 0 || sc.Seed >= scenarios.MaxSeed ||
		sc.Guard.OnNoUnit != "fail" || sc.Judge.HoldOr() != scenarios.DefaultHold || sc.Warmup != 0 {
		t.Errorf("%+v", sc)
	}
	if l.Timeout.D() != scenarios.DefaultTimeout || l.Grace.D() != scenarios.DefaultGrace || l.MaxInFlight != 0 ||
		len(l.Mix) != 1 || l.Connections.KeepAlive != nil {
		t.Errorf("%+v", l)
	}
	other, err := scenarios.Parse("dir/some-name.yaml", memory{"dir/some-name.yaml": okYAML}.options())
	if err != nil || other.Seed == sc.Seed {
		t.Errorf("two runs drew the seeds %d and %d", sc.Seed, other.Seed)
	}
}

func TestInit(t *testing.T) {
	sc, err := scenarios.Parse("s.yaml", memory{"s.yaml": `
version: 1
target: {stack: demo}
init: [{get: /all}]
load:
  a: {executor: spike, flow: [{get: /}], grace: 0s}
  b: {executor: spike, flow: [{get: /}], init: [{get: /own}, {get: /own2}]}
  c: {executor: spike, mix: [{weight: 3, flow: [{get: /}]}, {weight: 0.5, flow: [{think: 1s}, {get: /}]}], init: []}
`}.options())
	if err != nil {
		t.Fatal(err)
	}
	if n := []int{len(sc.Loads[0].Init), len(sc.Loads[1].Init), len(sc.Loads[2].Init)}; !slices.Equal(n, []int{1, 2, 0}) {
		t.Errorf("the loads begin with %v steps", n)
	}
	if sc.Loads[0].Grace != 0 || sc.Loads[2].Mix[1].Weight != .5 {
		t.Errorf("%+v", sc.Loads)
	}
}

// TestNotYet checks that a part of the language that this version lacks is refused by its name
// and at its place, wherever it is used.
func TestNotYet(t *testing.T) {
	kinds := map[string]func() *struct{}{"known": func() *struct{} { return new(struct{}) }}
	resolve := func(t *testing.T, b syntax.Block) string {
		var m syntax.Mistakes
		if _, ok := syntax.Resolve(b, kinds, &m); ok {
			t.Error("resolved")
		}
		return m.Err().Error()
	}
	want := `f:3:5: executor "find" is not available yet`
	if got := resolve(t, syntax.Block{Kind: "find", Pos: syntax.Pos{File: "f", Line: 3, Col: 5}}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	_, err := scenarios.Parse("s.yaml", memory{"s.yaml": "extends: ok.yaml\npolicy: p.yaml", "ok.yaml": okYAML}.options())
	if want := `s.yaml:2:1: unknown key "policy"; a policy is named by --policy or BRUNT_POLICY`; err == nil ||
		err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if noun, yes := syntax.NotYet("alerts"); yes {
		t.Errorf("alerts is a %s that is not available yet", noun)
	}
}

// TestResolve decodes a block into the kind that it names.
func TestResolve(t *testing.T) {
	type settings struct {
		syntax.Place
		Rate quantity.Rate `yaml:"rate,required"`
	}
	kinds := map[string]func() *settings{"even": func() *settings { return new(settings) }}
	var m syntax.Mistakes
	got, ok := syntax.Resolve(syntax.Block{Kind: "even", With: syntaxtest.Parse(t, "{rate: 5/s}")}, kinds, &m)
	if !ok || got.Rate != 5 || got.Of("rate").Col != 2 || m.Len() > 0 {
		t.Errorf("%+v %v", got, m.Err())
	}
	if _, ok := syntax.Resolve(syntax.Block{}, kinds, &m); ok || m.Len() > 0 {
		t.Errorf("a block without a kind was reported of before: %v", m.Err())
	}
	for _, c := range []struct {
		b    syntax.Block
		want string
	}{
		{
			syntax.Block{Kind: "evne", Pos: syntax.Pos{File: "f", Line: 1, Col: 2}},
			`f:1:2: unknown kind "evne"; did you mean "even"?`,
		},
		{syntax.Block{Kind: "even", Pos: syntax.Pos{File: "f", Line: 1, Col: 2}}, `f:1:2: "rate" is missing`},
		{
			syntax.Block{Kind: "even", With: syntaxtest.Parse(t, "{rate: 5/s, for: 1s}"), Also: []string{"for"}},
			`test.yaml:1:13: "for" can't stand here; it belongs to the map around it`,
		},
		{
			syntax.Block{Kind: "even", With: syntaxtest.Parse(t, "{rate: 5/s, fro: 1s}"), Also: []string{"for"}},
			`test.yaml:1:13: unknown key "fro"; did you mean "for"?`,
		},
	} {
		var m syntax.Mistakes
		if _, ok := syntax.Resolve(c.b, kinds, &m); ok || m.Err().Error() != c.want {
			t.Errorf("got %v, want %s", m.Err(), c.want)
		}
	}
}

// TestStepBlock finds the one request of a step.
func TestStepBlock(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"{get: /, check: {}}", ""},
		{"{name: x}", "test.yaml:1:1: this step makes no request; it wants one of get, post, think"},
		{"{check: {status: 200}}", "test.yaml:1:1: this step makes no request; it wants one of get, post, think"},
		{"{sleep: 1s}", "test.yaml:1:2: this step makes no request; a pause is a step of its own here: think: 1s"},
		{"{check: {}, gte: /}", `test.yaml:1:13: this step makes no request; did you mean "get"?`},
		{"{get: /, post: /}", "test.yaml:1:10: a step makes one request, not both get and post"},
	} {
		t.Run(c.text, func(t *testing.T) {
			var m syntax.Mistakes
			var s scenarios.Step
			s.DecodeNode(syntaxtest.Parse(t, c.text), &m)
			b, ok := s.Block([]string{"get", "post"}, &m)
			if got := fmt.Sprint(m.Err()); ok != (c.want == "") || !ok && got != c.want {
				t.Errorf("got %v and %s", b, got)
			}
			if ok && (b.Kind != "get" || b.With.Get("check") == nil) {
				t.Errorf("got %+v", b)
			}
		})
	}
}

// TestGrowth checks that recursive params, aliases and files can't make a scenario grow without bound.
func TestGrowth(t *testing.T) {
	doubling := func(first, rest string, n int) string {
		var b strings.Builder
		b.WriteString("extends: ok.yaml\nparams:\n  p0: " + first + "\n")
		for i := range n {
			fmt.Fprintf(&b, "  p%d: %s\n", i+1, strings.ReplaceAll(rest, "@", fmt.Sprintf("${p%d}", i)))
		}
		fmt.Fprintf(&b, "name: \"${p%d}\"\n", n)
		return b.String()
	}
	many := "extends: ok.yaml\nparams: {t: \"" + strings.Repeat("x", 100_000) + "\"}\nsetup:\n" +
		strings.Repeat("  - {post: /, body: \"y${t}\"}\n", 1000)
	tests := []struct{ name, text, want string }{
		{"texts", doubling("x", `"@@"`, 40), "the text is longer than"},
		{"empty texts", doubling(`""`, `"@@"`, 60), ""},
		{"placeholders", doubling(`"${uuid()}"`, `"@@"`, 40), "the text is longer than"},
		{"lists", doubling("[1]", `["@", "@"]`, 40), "more than 200000 values once params are filled in"},
		{"depth", doubling("[1]", `["@"]`, 100), "nested deeper than 64 levels once params are filled in"},
		{"many long texts", many, "all texts are longer than"},
		{"mistakes", "extends: ok.yaml\nsetup: [" + strings.Repeat("x, ", 20_000) + "]", "and 19800 more"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() && tt.name == "mistakes" {
				t.Skip("20 s with the race detector, which one goroutine does not need")
			}
			_, err := scenarios.Parse("s.yaml", memory{"s.yaml": tt.text, "ok.yaml": okYAML}.options())
			switch {
			case tt.want == "" && err != nil:
				t.Error(syntax.Clip(err.Error(), 300))
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Error(syntax.Clip(fmt.Sprint(err), 300))
			}
			if e, ok := err.(*syntax.MistakesError); ok && len(e.Explain()) > 200_000 {
				t.Errorf("the message has %d bytes", len(e.Explain()))
			}
		})
	}
}

// TestParseFiles reads files from disk, relative to the file that names them, and bounded.
func TestParseFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("s.yaml", "extends: lib/base.yaml\nsetup: [{post: /, body: \"${file.note.txt}\"}]\n")
	write("note.txt", "top\r\n")
	write("lib/base.yaml", "version: 1\ntarget: {url: http://127.0.0.1:1, tls: {ca: ca.pem}}\ndata: {u: {csv: u.csv}}\n"+
		"teardown: [{post: /, body: \"${file.note.txt}\"}]\nload: {a: {executor: spike, flow: [{get: /}]}}\n")
	write("lib/u.csv", "id\n7\n")
	write("lib/note.txt", "lib\n")
	write("lib/ca.pem", testCert)
	sc, err := scenarios.Parse(filepath.Join(dir, "s.yaml"), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := sc.Setup[0].With.Get("body").Value + " " + sc.Teardown[0].With.Get("body").Value; got != "top lib" {
		t.Errorf("the notes are %q", got)
	}
	if sc.Tables[0].Rows[0][0].Text != "7" || sc.Target.TLS.CA != filepath.Join(dir, "lib", "ca.pem") {
		t.Errorf("%v %s", sc.Tables[0].Rows, sc.Target.TLS.CA)
	}
	if _, err := scenarios.Parse(filepath.Join(dir, "no.yaml"), scenarios.Options{}); !errors.Is(err, fs.ErrNotExist) ||
		!strings.HasPrefix(err.Error(), "reading the scenario: "+dir) {
		t.Errorf("a missing file is %v", err)
	}
	if _, err := scenarios.Parse(dir, scenarios.Options{}); !errors.Is(err, fs.ErrNotExist) ||
		!strings.Contains(err.Error(), scenarios.ScenarioName) {
		t.Errorf("a folder without a scenario is %v", err)
	}
	write("near.yaml", "extends: lib/bse.yaml\nnme: x\n")
	if _, err := scenarios.Parse(filepath.Join(dir, "near.yaml"), scenarios.Options{}); err == nil ||
		!strings.Contains(err.Error(), `did you mean "lib/base.yaml"?`) ||
		!strings.Contains(err.Error(), `unknown key "nme"`) {
		t.Errorf("a missing file to extend is %v", err)
	}
	write(scenarios.ScenarioName, "extends: s.yaml\n")
	if sc, err := scenarios.Parse(dir, scenarios.Options{}); err != nil ||
		sc.File != filepath.Join(dir, scenarios.ScenarioName) {
		t.Errorf("the scenario of a folder: %v", err)
	}
	write("large.yaml", strings.Repeat("#", syntax.MaxFile+1))
	if _, err := scenarios.Parse(filepath.Join(dir, "large.yaml"), scenarios.Options{}); err == nil ||
		!strings.Contains(err.Error(), "has more than 512 KiB") {
		t.Errorf("a large file is %v", err)
	}
}

// TestAllInOneGo checks that stages after Parse add to the mistakes that Parse found.
func TestAllInOneGo(t *testing.T) {
	sc, err := scenarios.Parse("s.yaml", memory{
		"s.yaml": "extends: ok.yaml\nnme: x\nload: {reads: {timeout: 5}}", "ok.yaml": okYAML,
	}.options())
	if err == nil || sc == nil {
		t.Fatalf("%v %v", sc, err)
	}
	m := sc.Mistakes()
	m.Add(syntax.Pos{File: "s.yaml", Line: 3, Col: 8}, "later")
	want := err.(*syntax.MistakesError).List()
	got := m.Err().(*syntax.MistakesError)
	if len(want) != 2 || len(got.List()) != 3 || got.List()[1].What != "later" ||
		!strings.Contains(got.Explain(), "later\n      2 | nme: x\n >    3 | load:") {
		t.Errorf("got %s", got.Explain())
	}
	if again := sc.Mistakes(); again.Len() != 2 {
		t.Errorf("%d mistakes", again.Len())
	}
}
