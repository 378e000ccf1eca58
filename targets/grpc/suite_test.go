package grpc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/grpc"
	"brunt/targets/targetstest"
)

var steps = targetstest.Steps{
	Answer: `grpc: echo.Echo/Say`,
	Slow:   `{grpc: echo.Echo/Say, message: {text: slow}}`,
	Hold:   `{grpc: echo.Echo/Say, message: {text: hold}}`,
	Marked: `{grpc: echo.Echo/Say, message: {text: "hold ${var.mark}"}}`,
	Fail:   `{grpc: echo.Echo/Say, message: {text: fail}}`,
	Cut:    `{grpc: echo.Echo/Say, message: {text: cut}}`,
	Reset:  `{grpc: echo.Echo/Say, message: {text: reset}}`,
}

// described is gRPC whose calls are bound by the reflection of a server of the same services, as Bind does before a
// load. The servers of the suite are reached by the load alone.
func described(t testing.TB, tlsOf *scenarios.TLS) *targets.Descriptor {
	d := grpc.Descriptor()
	known := start(t, options{})
	compile, client := d.Compile, d.Client
	d.Compile = func(step syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
		c, ok := compile(step, in, m)
		if ok {
			if err := bindAt(t.Context(), d, known.Base(), c); err != nil {
				t.Error(err)
			}
		}
		return c, ok
	}
	d.Client = func(o targets.Options) (targets.Client, error) {
		o.TLS = tlsOf
		return client(o)
	}
	return d
}

// bindAt binds calls by a client of their own.
func bindAt(ctx context.Context, d *targets.Descriptor, base string, calls ...scenarios.Call) error {
	c, err := grpc.Descriptor().Client(targets.Options{
		Base: base, Timeout: 10 * time.Second, T0: time.Now(), Agent: "brunt",
	})
	if err != nil {
		return err
	}
	for _, call := range calls {
		err = errors.Join(err, d.Bind(ctx, call, c))
	}
	return errors.Join(err, c.Close())
}

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

// statusCause is the cause of an answer with a status.
func statusCause(code int32) scenarios.Cause { return grpc.Descriptor().Causes[0].Cause(code) }

func TestGRPC_Suite(t *testing.T) {
	targetstest.Run(t, targetstest.Suite{
		Protocol: described(t, nil), Start: func(t testing.TB) targetstest.Server { return start(t, options{}) },
		Steps:  steps,
		Failed: statusCause(5), Shared: true, Network: network,
	})
}

func TestGRPC_TLS_Suite(t *testing.T) {
	over := steps
	over.Reset = "" // the server's TLS cannot reset the connection
	targetstest.Run(t, targetstest.Suite{
		Protocol: described(t, &scenarios.TLS{InsecureSkipVerify: true}),
		Start:    func(t testing.TB) targetstest.Server { return start(t, options{cert: certificate(t)}) },
		Steps:    over, Failed: statusCause(5), Shared: true, Network: network,
	})
}
