package scenarios_test

import (
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// TestSecretsNowhere looks for a secret in everything that is printed of a scenario.
func TestSecretsNowhere(t *testing.T) {
	const secret = "hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2"
	o := memory{"s.yaml": `extends: ok.yaml
params: {p: "x${env.KEY}"}
name: "${file.key.txt}"
seed: "${env.KEY}"
pacing: "${p}"
target: {with: {a: "${p}"}}
load: {reads: {executor: "${env.KEY}", timeout: "${p}", max_in_flight: "${p}", flow: [{get: "/ ${env.KEY}"}, {think: "${env.KEY}"}],
  connections: {keep_alive: "${p}", source_addresses: {a: "${env.KEY}"}}}}
chaos: {x: {at: "${env.KEY}", after: "${env.KEY}", network.latency: {delay: "${p}"}}}
slo: ["p95 < ${env.KEY}", "${env.KEY} < 1s", {metric: "${p}", below: "${p}"}, "errors < 1% ${p}"]
data: {t: {csv: "${env.KEY}"}}
setup: ["${env.KEY}", {get: /, name: "${env.KEY}"}]
`, "ok.yaml": okYAML, "key.txt": secret + "\n"}.options()
	o.Env = func(k string) (string, bool) { return secret, k == "KEY" }
	sc, err := scenarios.Parse("s.yaml", o)
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	e := err.(*syntax.MistakesError)
	if len(e.List()) < 15 {
		t.Errorf("%d mistakes", len(e.List()))
	}
	m := sc.Mistakes()
	m.Add(syntax.Pos{}, "%s and %q", secret, secret)
	for what, text := range map[string]string{
		"Error": err.Error(), "Explain": e.Explain(), "the scenario": sc.Explain(), "later": m.Err().Error(),
	} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s shows it:\n%s", what, text)
		}
	}
}
