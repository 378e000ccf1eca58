package plan_test

import (
	"strings"
	"testing"

	"brunt/scenarios/plan/plantest"
)

// TestEntries: `entries: all` is for a stack whose entry has addresses of its own, without a fault on the link to it.
// Faults on packets are on no link.
func TestEntries(t *testing.T) {
	const containers = "{containers: {shop: {image: shop, replicas: 2, ports: [80]}}}"
	const load = "load: {a: {executor: constant-arrival-rate, rate: 100/s, duration: 30s, flow: [{get: /}], %}}\n"
	for _, c := range []struct{ name, target, load, chaos, want string }{
		{
			"two entries", "{stack: demo, with: {gateway: {replicas: 2}}}", "connections: {entries: all}",
			"{x: {at: 5s, for: 2s, process.freeze: {unit: 'gateway[1]'}}}", "",
		},
		{"one entry", "{stack: demo}", "connections: {entries: all}", "", ""},
		{
			"a link to one", "{stack: demo, with: {gateway: {replicas: 2}}}", "connections: {entries: all}",
			"{x: {at: 5s, for: 2s, network.blackhole: {from: load, to: gateway}}}",
			"a fault is on the link from the load to gateway",
		},
		{
			"packets of one", containers, "connections: {entries: all}",
			"{x: {at: 5s, for: 2s, network.partition: {unit: 'shop[0]'}}}", "",
		},
		{
			"packets between two", containers, "connections: {entries: all}",
			"{x: {at: 5s, for: 2s, network.partition: {from: shop, to: 'shop[1]'}}}", "",
		},
		{
			"packets and a link to one", containers, "connections: {entries: all}",
			"{x: {at: 5s, for: 2s, steps: [{network.partition: {unit: 'shop[0]'}}, {network.latency: {from: load, to: shop, delay: 1ms}}]}}",
			"a fault is on the link from the load to shop",
		},
		{
			"a target that runs", "{url: 'http://127.0.0.1:8080'}", "connections: {entries: all}", "",
			"`resolve` gives the addresses of a target",
		},
		{"misspelt", "{stack: demo}", "connections: {entries: both}", "", "first"},
		{
			"places", "{url: 'http://shop.test'}", "resolve: {shop.test: '127.0.0.1:81, 127.0.0.1:82'}",
			"{x: {at: 5s, for: 2s, process.freeze: {pid: 2}}}", "",
		},
		{
			"a link to one place", "{url: 'http://shop.test'}", "resolve: {shop.test: '127.0.0.1:81, 127.0.0.1:82'}",
			"{x: {at: 5s, for: 2s, network.blackhole: {from: load, to: target}}}", "at 2 places",
		},
		{
			"a place without a port", "{url: 'http://shop.test'}", "resolve: {shop.test: '127.0.0.1:81, 127.0.0.1:'}", "",
			"has no port behind its colon",
		},
		{
			"a place elsewhere", "{url: 'http://shop.test'}", "resolve: {shop.test: '127.0.0.1:81, 10.1.2.3:81'}", "",
			"10.1.2.3",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "version: 1\ntarget: " + c.target + "\n" + strings.Replace(load, "%", c.load, 1)
			if c.chaos != "" {
				text += "chaos: " + c.chaos + "\n"
			}
			_, err := plantest.CompileText(text)
			got := ""
			if err != nil {
				got = plantest.Explained(err)
			}
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("%s\nwant %q", got, c.want)
			}
		})
	}
}
