package run_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"brunt/scenarios/machine"
	"brunt/scenarios/plan/plantest"
)

// TestPorts: only loads that will run out of ports get a note.
func TestPorts(t *testing.T) {
	low, high := machine.EphemeralPorts()
	each := float64(high - low + 1)
	over := math.Ceil(each/60) * 1.1 // per second, with connections that keep their port for a minute
	for _, c := range []struct {
		name   string
		target string // zero is a remote host
		loads  string
		want   string
	}{
		{"keeps", "", "a: {executor: constant-arrival-rate, rate: 9999/s, duration: 2m, flow: [{get: /}]}", ""},
		{
			"does not keep", "",
			"a: {executor: constant-arrival-rate, rate: OVER/s, duration: 2m, flow: [{get: /}], connections: {keep_alive: off}}",
			"a: ALL connections to 10.1.2.3:80 are opened within 1m",
		},
		{"fewer", "", "a: {executor: constant-arrival-rate, rate: UNDER/s, duration: 2m, flow: [{get: /}], connections: " +
			"{keep_alive: off}}", ""},
		{
			"ends before", "",
			"a: {executor: constant-arrival-rate, rate: OVER/s, duration: 30s, flow: [{get: /}], connections: {keep_alive: " +
				"off}}", "",
		},
		{"reused", "", "a: {executor: constant-arrival-rate, rate: OVER/s, duration: 2m, flow: [{get: /}], connections: " +
			"{reuse: 1..3}}", ""},
		{
			"reused too rarely", "",
			"a: {executor: constant-arrival-rate, rate: OVER/s, duration: 2m, flow: [{get: /}, {get: /}, {get: /}], " +
				"connections: {reuse: 1..3}}",
			"or name 2 source_addresses",
		},
		{
			"two addresses", "",
			"a: {executor: constant-arrival-rate, rate: OVER/s, duration: 2m, flow: [{get: /}], connections: {keep_alive: " +
				"off, source_addresses: [10.0.0.1, 10.0.0.2]}}",
			"",
		},
		{
			"two addresses for two requests", "",
			"a: {executor: constant-arrival-rate, rate: OVER/s, duration: 2m, flow: [{get: /}, {get: /b}], connections: " +
				"{keep_alive: " +
				"off, source_addresses: [10.0.0.1, 10.0.0.2]}}",
			"from 2 source addresses",
		},
		{
			"two destinations", "",
			`a: {executor: constant-arrival-rate, rate: HALF/s, duration: 2m, flow: [{get: /}, {get: "http://10.1.2.4/"}], connections: {keep_alive: off}}`,
			"",
		},
		{
			"two loads", "",
			"a: {executor: constant-arrival-rate, rate: HALF/s, duration: 2m, flow: [{get: /}], connections: {keep_alive: " +
				"off}}\n" +
				"  b: {executor: constant-arrival-rate, rate: HALF/s, duration: 2m, flow: [{get: /}], connections: {reuse: 1}}",
			"a, b: ALL connections to 10.1.2.3:80",
		},
		{
			"a mix", "",
			`a: {executor: constant-arrival-rate, rate: OVER/s, duration: 2m, mix: [{weight: 1, flow: [{get: /}]}, {weight: 1, flow: ` +
				`[{get: "http://10.1.2.4/"}]}], connections: {keep_alive: off}}`,
			"",
		},
		{
			"a spike", "",
			"a: {executor: spike, base: 1/s, peak: 5000/s, hold: 10s, before: 1m, flow: [{get: /}], connections: " +
				"{keep_alive: off}}",
			"they may be used up 1m",
		},
		{
			"resolved to here", "",
			"a: {executor: constant-arrival-rate, rate: OVER/s, duration: 2m, flow: [{get: /}], resolve: {10.1.2.3: " +
				"10.1.2.9}, connections: {keep_alive: off}}",
			"connections to 10.1.2.9:80",
		},
		{"closed", "", "a: {executor: constant-vus, vus: 100, duration: 2m, flow: [{get: /}], connections: {keep_alive: " +
			"off}}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := strings.NewReplacer("OVER", fmt.Sprint(math.Ceil(over)), "UNDER", fmt.Sprint(math.Floor(each/60*.95)), "HALF",
				fmt.Sprint(math.Ceil(over*.55)))
			text := "version: 1\ntarget: {url: \"http://10.1.2.3\"}\nguard: {allow: {load: [10.0.0.0/8]}}\nload:\n  " +
				r.Replace(c.loads) + "\n"
			plan, err := plantest.CompileText(text)
			if err != nil {
				t.Fatal(plantest.Explained(err))
			}
			var said strings.Builder
			for _, n := range plan.Notes {
				if strings.Contains(n, "source address") {
					said.WriteString(n)
				}
			}
			head, tail, _ := strings.Cut(c.want, "ALL")
			if (said.String() == "") != (c.want == "") || !strings.Contains(said.String(), head) ||
				!strings.Contains(said.String(), tail) {
				t.Errorf("got %q, want %q", said.String(), c.want)
			}
		})
	}
}
