package casefile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios/brunttest"
	"brunt/scenarios/run/casefile"
	"brunt/scenarios/truth"
)

func TestMain(m *testing.M) { brunttest.Main(m) }

// TestCase_Run: the case of a run, judged from its file, gives the result and the texts that the run wrote.
func TestCase_Run(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("BRUNT_CASES", dir)
	s, err := truth.Start(truth.Healthy(0).Between(620, 800, truth.Act{Status: 500}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	scenario := filepath.Join(t.TempDir(), "case.yaml")
	text := fmt.Sprintf(`version: 1
name: case
params: {url: ""}
target: {url: "${url}"}
data: {n: {range: 0..99999, pick: next}}
load: {main: {executor: constant-arrival-rate, rate: 300/s, duration: 7s, timeout: 1s, flow: [{get: "/read?n=${data.n.value}", name: read}]}}
chaos: {f: {at: 2s, for: 1s, webhook: {inject: {post: "%[1]s/fault/on"}, verify: {get: "%[1]s/fault"}, revert: {post: "%[1]s/fault/off"}}}}
judge: {hold: 1s}
slo: [recover < 3s after f, errors < 90%%, p50 < 900ms]
`, s.URL())
	if err := os.WriteFile(scenario, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, []byte("version: 1\nforbid: [network.*]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	brunttest.Run(t, scenario, brunttest.Set("url", s.URL()), brunttest.Policy(policy), brunttest.Output(t.TempDir()))
	files, err := filepath.Glob(filepath.Join(dir, "*.case"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	c := opened(t, files[0])
	ran := told(t, written(t, c))
	if d := compared(ran, told(t, judged(t, c))); len(d) > 0 {
		t.Errorf("judged from the file, the run differs:\n%s", strings.Join(d, "\n"))
	}
	if !strings.Contains(ran, "verdict faults[0].impact: \"impacted\"\n") {
		t.Errorf("the fault had no impact:\n%s", ran)
	}
	c.Asked.Objectives[2].Text = "p50 < 1us"
	again := told(t, judged(t, c))
	for _, want := range []string{`- verdict objectives[2].verdict: "pass"`, `+ verdict objectives[2].verdict: "fail"`} {
		if !strings.Contains(strings.Join(compared(ran, again), "\n"), want) {
			t.Errorf("with another limit, no difference %s", want)
		}
	}
}

// TestOpen_Version: a file of another version is refused.
func TestOpen_Version(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("BRUNT_CASES", dir)
	if err := (&casefile.Case{Version: 99}).Keep("a run/of two"); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "a_run_of_two-*.case"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	const want = "has version 99, and this brunt reads version 1"
	if _, err := casefile.Open(files[0]); err == nil || !strings.Contains(err.Error(), want) {
		t.Error(err)
	}
}
