package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
)

// TestEndpoint_Secrets: whatever in the URL of an endpoint proves who the client is, is masked in all output.
func TestEndpoint_Secrets(t *testing.T) {
	const value = "SUAKM7TFQ2Y3NHV5XB4R6D"
	for _, c := range []struct{ url, step string }{
		{"amqp://guest:" + value + "@127.0.0.1:1", "amqp.publish: a"},
		{"nats://guest:" + value + "@127.0.0.1:1", "nats.publish: a"},
		{"nats://" + value + "@127.0.0.1:1", "nats.publish: a"}, // a token, or a seed
	} {
		sc := compile(t, c.url, c.step)
		if got := sc.Secrets.Mask("refused: " + value); strings.Contains(got, value) {
			t.Errorf("%s: %s", c.url, got)
		}
	}
}

// TestEndpoint_Scheme: SCHEME+tls has the scheme that the field has for it, also before a parameter.
func TestEndpoint_Scheme(t *testing.T) {
	for scheme, want := range map[string]string{"redis+cluster+tls": "rediss+cluster", "nats+tls": "nats+tls"} {
		step := "redis: [PING]"
		if scheme == want {
			step = "nats.publish: a"
		}
		e := compile(t, scheme+"://${host}", step).Target.Endpoints["it"]
		if got := e.Text(); got != want+"://127.0.0.1:1" {
			t.Errorf("%s: %s", scheme, got)
		}
	}
}

// compile compiles a scenario of one step at an endpoint.
func compile(t *testing.T, url, step string) *scenarios.Scenario {
	t.Helper()
	text := fmt.Appendf(nil, `
version: 1
params: {host: "127.0.0.1:1"}
target: {endpoints: {it: "%s"}}
load: {main: {executor: constant-vus, vus: 1, duration: 1s, flow: [{%s}]}}
`, url, step)
	sc, err := scenarios.Parse("s.yaml", scenarios.Options{Read: func(string) ([]byte, error) { return text, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Compile(sc, plan.CompileOptions{}); err != nil {
		t.Fatal(err)
	}
	return sc
}
