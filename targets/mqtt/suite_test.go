package mqtt_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/mqtt"
	"brunt/targets/targetstest"
)

var steps = targetstest.Steps{
	Answer: "mqtt.publish: answer", Slow: "mqtt.publish: slow", Hold: "mqtt.publish: hold",
	Marked: `{mqtt.publish: hold, message: "${var.mark}"}`, Fail: "mqtt.publish: fail", Cut: "mqtt.publish: cut",
	Reset: "mqtt.publish: reset", Keep: "{mqtt.subscribe: kept, keep: user}",
}

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

func TestMQTT_Suite(t *testing.T) {
	for _, secure := range []bool{false, true} {
		name, d, over := "plain", mqtt.Descriptor(), steps
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
					return start(t, options{secure: secure, news: sends("kept", "hi")})
				},
				Steps: over, Failed: mqtt.ErrorCause("not authorized"), Network: network,
			})
		})
	}
}
