package memcached_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/memcached"
	"brunt/targets/targetstest"
)

var steps = targetstest.Steps{
	Answer: "memcached.set: answer", Slow: "memcached.set: slow", Hold: "memcached.set: hold",
	Marked: `{memcached.set: hold, message: "${var.mark}"}`, Fail: "memcached.set: fail", Cut: "memcached.set: cut",
	Reset: "memcached.set: reset",
}

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

func TestMemcached_Suite(t *testing.T) {
	for _, secure := range []bool{false, true} {
		name, d, over := "plain", memcached.Descriptor(), steps
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
				Protocol: d, Start: func(t testing.TB) targetstest.Server { return start(t, secure, "") },
				Steps: over, Failed: memcached.ErrorCause("SERVER_ERROR"), Network: network,
			})
		})
	}
}
