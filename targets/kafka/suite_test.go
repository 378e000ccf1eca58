package kafka_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/kafka"
	"brunt/targets/targetstest"
)

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

func TestKafka_Suite(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "kafka", true: "kafkas"}[secure], func(t *testing.T) {
			d := kafka.Descriptor()
			steps := targetstest.Steps{
				Answer: "kafka.produce: answer", Slow: "kafka.produce: slow", Hold: "kafka.produce: hold",
				Marked: `{kafka.produce: hold, text: "${var.mark}"}`, Fail: "kafka.produce: fail", Cut: "kafka.produce: cut",
				Reset: "kafka.produce: reset",
			}
			if secure {
				client := d.Client
				d.Client = func(o targets.Options) (targets.Client, error) {
					o.TLS = &scenarios.TLS{InsecureSkipVerify: true}
					return client(o)
				}
				steps.Reset = "" // the server's TLS cannot reset the connection
			}
			targetstest.Run(t, targetstest.Suite{
				Protocol: d, Start: func(t testing.TB) targetstest.Server { return start(t, secure) }, Steps: steps,
				Failed: kafka.CodeCause("NOT_ENOUGH_REPLICAS"), Network: network,
			})
		})
	}
}
