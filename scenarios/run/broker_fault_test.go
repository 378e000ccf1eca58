//go:build unix

package run_test

import (
	"fmt"
	"testing"

	"brunt/scenarios/run"
)

// TestBrokers_Faults: faults on requests of Kafka and on confirms of RabbitMQ act on a load, are proved, and leave
// nothing behind.
func TestBrokers_Faults(t *testing.T) {
	t.Parallel()
	const kafka = `{kafka.produce: orders, text: hi, name: call}`
	const amqp = `{amqp.publish: orders, message: hi, name: call}`
	for _, c := range []struct {
		fault, step, setup string
		load               func(*seen) string
		short              bool
	}{
		{`kafka.error: {from: load, to: target, topic: ord*}`, kafka, "", failed(.5, 1, "error NOT_LEADER_FOR_PARTITION"), true},
		{
			`kafka.error: {from: load, to: target, percent: 30%, code: NOT_ENOUGH_REPLICAS}`, kafka, "",
			failed(.05, .6, "error NOT_ENOUGH_REPLICAS"), false,
		},
		{`kafka.delay: {from: load, to: target, delay: 100ms}`, kafka, "", slowed(.1), false},
		{`amqp.nack: {from: load, to: target}`, amqp, "setup: [{amqp.declare: orders}]", failed(.5, 1, "error nack"), true},
		{
			`amqp.nack: {from: load, to: target, percent: 30%}`, amqp, "setup: [{amqp.declare: orders}]", failed(.05, .6, "error nack"),
			false,
		},
	} {
		t.Run(c.fault, func(t *testing.T) {
			if testing.Short() && !c.short {
				t.Skip("the same but for the proxy's part, which has tests of its own")
			}
			t.Parallel()
			try(t, func(wrong *complaints) {
				var url string
				if c.step == amqp {
					url = newRabbit(t)
				} else {
					url, _ = newKafka(t)
				}
				res := runOnce(t, fmt.Sprintf(`
version: 1
name: brokers
seed: 7
target: {endpoints: {bus: "%s"}}
%s
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 4s, timeout: 5s, flow: [%s]}
chaos:
  fault: {at: 1s, for: 1s, %s}
`, url, c.setup, c.step, c.fault), run.Options{})
				if wrong.passed(res); len(res.Faults) != 1 {
					t.Fatalf("%d faults", len(res.Faults))
				}
				checkLinkFault(t, wrong, res, res.Faults[0], "load->target", res.Duration+1, c.load)
			})
		})
	}
}
