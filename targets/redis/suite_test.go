package redis_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/redis"
	"brunt/targets/targetstest"
)

var steps = targetstest.Steps{
	Answer: "redis: [PING]", Slow: "redis: [SLOW]", Hold: "redis: [HOLD]", Marked: `redis: [HOLD, "${var.mark}"]`,
	Fail: "redis: [FAIL]", Cut: "redis: [CUT]", Reset: "redis: [RESET_IT]",
}

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

// wrongType is the cause of an error WRONGTYPE.
func wrongType() scenarios.Cause { return caused("WRONGTYPE") }

func caused(word string) scenarios.Cause {
	return redis.ErrorCause(word)
}

func TestRedis_Suite(t *testing.T) {
	targetstest.Run(t, targetstest.Suite{
		Protocol: redis.Descriptor(), Start: func(t testing.TB) targetstest.Server { return start(t, options{}) },
		Steps:  steps,
		Failed: wrongType(), Network: network,
	})
}

func TestRedis_TLS_Suite(t *testing.T) {
	d := redis.Descriptor()
	client := d.Client
	d.Client = func(o targets.Options) (targets.Client, error) {
		o.TLS = &scenarios.TLS{InsecureSkipVerify: true}
		return client(o)
	}
	over := steps
	over.Reset = "" // the server's TLS cannot reset the connection
	targetstest.Run(t, targetstest.Suite{
		Protocol: d, Start: func(t testing.TB) targetstest.Server { return start(t, options{secure: true}) }, Steps: over,
		Failed: wrongType(), Network: network,
	})
}
