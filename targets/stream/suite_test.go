package stream_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/stream"
	"brunt/targets/targetstest"
)

// stepsOf are the steps of the suite, of a kind that opens a stream.
func stepsOf(kind string) targetstest.Steps {
	say := func(text string) string {
		return "{" + kind + ", send: \"" + text + "\", expect: exists, check: {text: ~ ^ok}}"
	}
	return targetstest.Steps{
		Answer: say("hello"), Slow: say("slow"), Hold: say("hold"), Marked: say("hold ${var.mark}"), Fail: say("fail"),
		Cut: say("cut"), Reset: say("reset"), Keep: "{" + kind + ", as: kept}",
	}
}

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

func TestWebSocket_Suite(t *testing.T) {
	targetstest.Run(t, targetstest.Suite{
		Protocol: stream.Descriptor(), Start: func(t testing.TB) targetstest.Server { return start(t, "ws") },
		Steps:  stepsOf("ws: /"),
		Failed: scenarios.Check(0), Network: network,
	})
}

func TestWebSocket_TLS_Suite(t *testing.T) {
	d := stream.Descriptor()
	client := d.Client
	d.Client = func(o targets.Options) (targets.Client, error) {
		o.TLS = &scenarios.TLS{InsecureSkipVerify: true}
		return client(o)
	}
	steps := stepsOf("ws: /")
	steps.Reset = "" // the server's TLS cannot reset the connection
	targetstest.Run(t, targetstest.Suite{
		Protocol: d, Start: func(t testing.TB) targetstest.Server { return start(t, "wss") }, Steps: steps,
		Failed: scenarios.Check(0), Network: network,
	})
}

func TestUDP_Suite(t *testing.T) {
	say := func(text string) string { return `{udp: "` + text + `", expect: exists, check: {text: ~ ^ok}}` }
	targetstest.Run(t, targetstest.Suite{
		Protocol: stream.Descriptor(), Start: func(t testing.TB) targetstest.Server { return start(t, "udp") },
		Steps: targetstest.Steps{
			Answer: say("hello"), Slow: say("slow"), Hold: say("hold"), Marked: say("hold ${var.mark}"), Fail: say("fail"),
		},
		Failed: scenarios.Check(0), Network: network, Datagrams: true,
	})
}

func TestTCP_Suite(t *testing.T) {
	targetstest.Run(t, targetstest.Suite{
		Protocol: stream.Descriptor(), Start: func(t testing.TB) targetstest.Server { return start(t, "tcp") },
		Steps:  stepsOf("tcp: lines"),
		Failed: scenarios.Check(0), Network: network,
	})
}
