package scenarios_test

import (
	"strings"
	"testing"

	"brunt/scenarios"
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
	want := "version=1 target.url=http://127.0.0.1:8080 load.reads.executor=constant-vus load.reads.vus=3 load.reads.flow[0].get=/a " +
		"load.reads.flow[0].headers.X=Bearer *** load.reads.flow[1].think=1s slo=[]"
	if got := strings.Join(lines, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if sc.Sum() != parse(text+"# more\n", "hemligt").Sum() {
		t.Error("a comment changes the digest")
	}
	if sc.Sum() == parse(text, "hemligare").Sum() || sc.Sum() == parse(strings.Replace(text, "/a", "/b", 1), "hemligt").Sum() {
		t.Error("the digest is the same for another value")
	}
}
