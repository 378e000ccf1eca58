package nats_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/nats"
	"brunt/targets/targetstest"
)

var steps = targetstest.Steps{
	Answer: "nats.request: answer", Slow: "nats.request: slow", Hold: "nats.request: hold",
	Marked: `{nats.request: hold, message: "${var.mark}"}`, Fail: "nats.request: fail", Cut: "nats.request: cut",
	Reset: "nats.request: reset", Keep: "{nats.subscribe: kept, keep: user}",
}

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

func TestNATS_Suite(t *testing.T) {
	for _, secure := range []bool{false, true} {
		name, d, over := "plain", nats.Descriptor(), steps
		if secure {
			name, over.Reset = "TLS", "" // the server's TLS cannot reset the connection
			client := d.Client
			d.Client = func(o targets.Options) (targets.Client, error) {
				o.TLS = &scenarios.TLS{InsecureSkipVerify: true}
				return client(o)
			}
		}
		t.Run(name, func(t *testing.T) {
			targetstest.Run(t, targetstest.Suite{
				Protocol: d, Start: func(t testing.TB) targetstest.Server { return start(t, options{secure: secure}) },
				Steps: over, Failed: nats.ErrorCause("no responders"), Network: network,
			})
		})
	}
}
