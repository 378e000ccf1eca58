package mongo_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/mongo"
	"brunt/targets/targetstest"
)

var steps = targetstest.Steps{
	Answer: "mongo: {answer: 1}", Slow: "mongo: {slow: 1}", Hold: `mongo: {hold: ""}`,
	Marked: `mongo: {hold: "${var.mark}"}`, Fail: "mongo: {fail: 1}", Cut: "mongo: {cut: 1}", Reset: "mongo: {reset: 1}",
}

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

func TestMongo_Suite(t *testing.T) {
	for _, secure := range []bool{false, true} {
		name, d, over := "plain", mongo.Descriptor(), steps
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
				Steps: over, Failed: mongo.ErrorCause("WriteConflict"), Network: network,
			})
		})
	}
}
