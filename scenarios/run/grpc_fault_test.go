package run_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"brunt/scenarios/run"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// newHealth starts grpc-go's server of health. It returns its address and the number of calls that it serves.
func newHealth(t *testing.T) (addr string, served *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served = new(atomic.Int64)
	s := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo,
		handle grpc.UnaryHandler,
	) (any, error) {
		served.Add(1)
		return handle(ctx, req)
	}))
	healthpb.RegisterHealthServer(s, health.NewServer())
	var all sync.WaitGroup
	all.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		s.Stop()
		all.Wait()
	})
	return l.Addr().String(), served
}

// Faults on calls and on their requests of HTTP/2 act on a load of gRPC, are proved, and leave nothing behind.
func TestGRPC_Faults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault string
		load  func(*seen) string
		short bool
	}{
		{
			`grpc.error: {from: load, to: target, status: RESOURCE_EXHAUSTED, method: grpc.health.v1.Health/*}`,
			failed(.5, 1, "status RESOURCE_EXHAUSTED"), true,
		},
		{`grpc.error: {from: load, to: target, percent: 30%}`, failed(.05, .6, "status UNAVAILABLE"), false},
		{`grpc.delay: {from: load, to: target, delay: 100ms}`, slowed(.1), false},
		{`http.error: {from: load, to: target, status: 503}`, failed(.5, 1, "protocol"), false},
		{`http.delay: {from: load, to: target, delay: 100ms, path: "*/Check"}`, slowed(.1), false},
		{
			`http.rewrite: {from: load, to: target, answer: {headers: {grpc-status: "7"}}}`,
			failed(.5, 1, "status PERMISSION_DENIED", "protocol"), false,
		},
		{`network.latency: {from: load, to: target, delay: 100ms}`, slowed(.1), false},
	} {
		t.Run(c.fault, func(t *testing.T) {
			if testing.Short() && !c.short {
				t.Skip("the same but for the proxy's part, which has tests of its own")
			}
			t.Parallel()
			try(t, func(wrong *complaints) {
				addr, served := newHealth(t)
				res := runOnce(t, fmt.Sprintf(`
version: 1
name: calls
seed: 7
target: {endpoints: {shop: "grpc://%s"}}
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 4s, timeout: 5s, flow: [{grpc: health, name: call}]}
chaos:
  fault: {at: 1s, for: 1s, %s}
`, addr, c.fault), run.Options{})
				if wrong.passed(res); len(res.Faults) != 1 {
					t.Fatalf("%d faults", len(res.Faults))
				}
				checkLinkFault(t, wrong, res, res.Faults[0], "load->target", res.Duration+1, c.load)
				met := strings.HasSuffix(strings.SplitN(c.fault, ":", 2)[0], ".error")
				if n := served.Load(); !met && n < 200 || met && n > 195 {
					wrong.addf("the server served %d calls of 200", n)
				}
			})
		})
	}
}

// Faults on requests act on the streams of a link whose client and server speak HTTP/2 without TLS.
func TestH2C_Faults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault string
		load  func(*seen) string
		short bool
	}{
		{`http.error: {from: load, to: target, status: 507}`, failed(.5, 1, "status 507"), true},
		{`http.error: {from: load, to: target, percent: 30%, path: "/*"}`, failed(.05, .6, "status 503"), false},
		{`http.delay: {from: load, to: target, delay: 100ms}`, slowed(.1), false},
		{`http.rewrite: {from: load, to: target, answer: {status: 418}}`, failed(.5, 1, "status 418"), false},
	} {
		t.Run(c.fault, func(t *testing.T) {
			if testing.Short() && !c.short {
				t.Skip("the same but for the proxy's part, which has tests of its own")
			}
			t.Parallel()
			try(t, func(wrong *complaints) {
				res := runOnce(t, fmt.Sprintf(`
version: 1
name: streams
seed: 7
target: {url: "http://%s"}
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 4s, timeout: 5s, connections: {http: h2c}, flow: [{get: /1, name: call}]}
chaos:
  fault: {at: 1s, for: 1s, %s}
`, newServer(t, "frames", "http").addr, c.fault), run.Options{})
				if wrong.passed(res); len(res.Faults) != 1 {
					t.Fatalf("%d faults", len(res.Faults))
				}
				if got := res.Generator.Spoken; !slices.Equal(got, []string{"h2c"}) {
					t.Errorf("spoken: %q", got)
				}
				// 50 in the second of the fault; its end on the link may take a moment more.
				if f := res.Faults[0]; f.TrafficUnit != "requests" || f.Traffic == 0 || f.Traffic > 100 {
					wrong.addf("affected %d %s", f.Traffic, f.TrafficUnit)
				}
				checkLinkFault(t, wrong, res, res.Faults[0], "load->target", res.Duration+1, c.load)
			})
		})
	}
}
