package scenarios_test

import (
	"strings"
	"testing"

	"brunt/scenarios"
)

// TestReady_Path: a path of ready without its slash is a mistake with its place, and not the end of a run.
func TestReady_Path(t *testing.T) {
	for path, want := range map[string]string{
		"healthz": `3:16: "healthz" is neither a path nor a URL`, "/healthz": "", "http://127.0.0.1:9/up": "",
	} {
		text := "version: 1\ntarget:\n  ready: {get: " + path + "}\n  url: http://127.0.0.1:9\n" +
			"load: {main: {executor: constant-arrival-rate, rate: 1/s, duration: 1s, flow: [{get: /}]}}\n"
		read := func(string) ([]byte, error) { return []byte(text), nil }
		_, err := scenarios.Parse("s.yaml", scenarios.Options{Read: read})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
