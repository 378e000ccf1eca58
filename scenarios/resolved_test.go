package scenarios_test

import (
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// TestSettings checks that every resolved value is listed, with secrets masked, and that the
// digest covers them.
func TestSettings(t *testing.T) {
	parse := func(text, secret string) *scenarios.Scenario {
		t.Helper()
		sc, err := scenarios.Parse("s.yaml", scenarios.Options{
			Env:  func(string) (string, bool) { return secret, true },
			Read: func(string) ([]byte, error) { return []byte(text), nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		return sc
	}
	const text = `version: 1
params: {path: /a}
target: {url: "http://127.0.0.1:8080"}
load: {reads: {executor: constant-vus, vus: 3, flow: [{get: "${path}", headers: {X: "Bearer ${env.TOKEN}"}}, {think: 1s}]}}
slo: []
`
	sc := parse(text, "hemligt")
	var lines []string
	for _, s := range sc.Settings() {
		lines = append(lines, s.Path+"="+s.Value)
	}
	want := "version=1 target.url=http://127.0.0.1:8080 load.reads.executor=constant-vus load.reads.vus=3 " +
		"load.reads.flow[0].get=/a " +
		"load.reads.flow[0].headers.X=Bearer *** load.reads.flow[1].think=1s slo=[]"
	if got := strings.Join(lines, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if sc.Sum() != parse(text+"# more\n", "hemligt").Sum() {
		t.Error("a comment changes the digest")
	}
	if sc.Sum() == parse(text, "hemligare").Sum() ||
		sc.Sum() == parse(strings.Replace(text, "/a", "/b", 1), "hemligt").Sum() {
		t.Error("the digest is the same for another value")
	}
}

// TestSettings_ShortSecrets: a value that is secret by its name alone is masked at its place, however short it is, in
// what is listed and what is explained; the digest covers it.
func TestSettings_ShortSecrets(t *testing.T) {
	parse := func(pin string) *scenarios.Scenario {
		t.Helper()
		sc, err := scenarios.Parse("s.yaml", memory{"s.yaml": `version: 1
params: {password: "1"}
target: {url: "http://127.0.0.1:8080"}
auth: off
setup:
  - {command: [psql, --password, "77", -U, "88"]}
  - {command: "psql --password=77 -U 88"}
load:
  reads:
    executor: constant-vus
    vus: 1
    flow:
      - {get: "/?pin=99&n=99", headers: {X-Api-Key: ` + pin + `, X-N: "1", Cookie: "sid=${var.x}"},
         json: {pin: 55, token: "${password}"}, extract: {x: "$.token"}}
slo: []
`}.options())
		if sc == nil {
			t.Fatal(err)
		}
		return sc
	}
	sc := parse("a")
	got := map[string]string{}
	for _, s := range sc.Settings() {
		got[s.Path] = s.Value
	}
	const step = "load.reads.flow[0]."
	for path, want := range map[string]string{
		step + "headers.X-Api-Key": "***", step + "headers.X-N": "1", step + "json.pin": "***", step + "json.token": "***",
		step + "get":            "/?pin=***&n=99",
		step + "headers.Cookie": "sid=${var.x}", step + "extract.x": "$.token", "load.reads.vus": "1", "version": "1",
		"auth":                "off",
		"setup[0].command[2]": "***", "setup[0].command[4]": "88", "setup[1].command": "psql --password=*** -U 88",
	} {
		if got[path] != want {
			t.Errorf("%s is shown as %q, not %q", path, got[path], want)
		}
	}
	text := sc.Explain()
	for _, want := range []string{
		"X-Api-Key: ***", "pin: ***", "/?pin=***&n=99", "--password=***", "auth: \"off\"", "token: ***",
	} {
		if !strings.Contains(strings.NewReplacer("'", "", `"`, "").Replace(text), strings.ReplaceAll(want, `"`, "")) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "77") || strings.Contains(text, "55") {
		t.Errorf("%s", text)
	}
	if sc.Sum() == parse("b").Sum() {
		t.Error("the digest is the same for another value")
	}
	for name, want := range map[string]string{"password": "***", "rate": "100/s", "url": "http://u:***@h/"} {
		if got := sc.Given(name, map[string]string{
			"password": "1", "rate": "100/s", "url": "http://u:1@h/",
		}[name]); got != want {
			t.Errorf("the param %s is shown as %q, not %q", name, got, want)
		}
	}
}

// TestSecrets_OfTheCommandLine: a word that the file shows openly is no secret because a param has it as well.
func TestSecrets_OfTheCommandLine(t *testing.T) {
	o := memory{"s.yaml": `version: 1
params: {password: ""}
target: {url: "http://127.0.0.1:8080", units: {postgres: {container: shop-postgres}}}
load: {reads: {executor: constant-vus, vus: 1, flow: [{get: /, headers: {X: "${password}"}}]}}
slo: []
`}.options()
	o.Set = map[string]string{"password": "postgres"}
	sc, err := scenarios.Parse("s.yaml", o)
	if sc == nil {
		t.Fatal(err)
	}
	if got := sc.Secrets.Mask("unit postgres"); got != "unit postgres" {
		t.Errorf("the unit is shown as %q", got)
	}
}

// TestMistakes_LiteralSecrets: the lines around a mistake show no secret that the file itself holds, and keep their
// columns.
func TestMistakes_LiteralSecrets(t *testing.T) {
	for name, text := range map[string]string{
		"unknown key": `version: 1
target: {url: "http://127.0.0.1:8080"}
load: {reads: {executor: constant-vus, vus: 1, flow: [{get: /, headers: {X-Api-Key: "hunter2"}}]}}
nonsense: []
`, "syntax error": `version: 1
load: {headers: {X-Api-Key: "hunter2"}, wrong: [}
`,
	} {
		_, err := scenarios.Parse("s.yaml", memory{"s.yaml": text}.options())
		e, ok := err.(*syntax.MistakesError)
		if !ok {
			t.Fatalf("%s: %v", name, err)
		}
		if got := e.Explain(); strings.Contains(got, "hunter2") || !strings.Contains(got, `X-Api-Key: "*******"`) {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}
