package amqp_test

import (
	"slices"
	"testing"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/amqp"
	"brunt/targets/dial"
	"brunt/targets/targetstest"
)

var steps = targetstest.Steps{
	Answer: "amqp.publish: answer", Slow: "amqp.publish: slow", Hold: "amqp.publish: hold",
	Marked: `{amqp.publish: hold, message: "${var.mark}"}`, Fail: "amqp.publish: fail", Cut: "amqp.publish: cut",
	Reset: "amqp.publish: reset", Keep: "{amqp.consume: kept, keep: user}",
}

// consumes answers a consumer, and delivers a message.
var consumes = map[string][]byte{"60.20": slices.Concat(made(1, 60, 21, "tag"),
	made(1, 60, 60, "tag", uint64(1), byte(0), "", "kept"), header(2), framed(3, 1, []byte("hi")))}

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

func TestAMQP_Suite(t *testing.T) {
	for _, secure := range []bool{false, true} {
		name, d, over := "plain", amqp.Descriptor(), steps
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
				Protocol: d, Start: func(t testing.TB) targetstest.Server {
					return start(t, options{secure: secure, method: consumes})
				},
				Steps: over, Failed: amqp.ErrorCause("nack"), Network: network,
			})
		})
	}
}
