package k6

import (
	"net"
	"reflect"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

// TestPlay_GRPC checks the outcomes of gRPC calls.
func TestPlay_GRPC(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	reflection.Register(s)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	c := script(t, `import grpc from 'k6/net/grpc'; import { check } from 'k6';
const client = new grpc.Client();
export const options = { iterations: 3, thresholds: { grpc_req_duration: ['p(95)<60000'] } };
export default function () {
  client.connect(__ENV.ADDR, { plaintext: true, reflect: true });
  const ok = client.invoke('grpc.health.v1.Health/Check', { service: '' });
  check(ok, { serves: (r) => r.status === grpc.StatusOK && r.message.status === 'SERVING' });
  client.invoke('grpc.health.v1.Health/Check', { service: 'nobody' }, { tags: { name: 'of nobody' } });
  client.close();
}`)
	c.Env = map[string]string{"ADDR": l.Addr().String()}
	g, exit := play(t, c)
	steps := g.byStep()
	if exit.Code != 0 || len(g.exceptions) > 0 {
		t.Errorf("%+v, %q", exit, g.exceptions)
	}
	for step, n := range map[string]int{"/grpc.health.v1.Health/Check": 3, "of nobody": 3} {
		if steps[step] != n {
			t.Errorf("%d of %s in %v", steps[step], step, steps)
		}
	}
	for _, r := range g.requests {
		const notFound = 5
		want := Request{Step: r.Step, End: r.End, Service: r.Service, Answered: true}
		switch g.steps[r.Step] {
		case "of nobody":
			want.Failed, want.Status = true, notFound
		case "/grpc.health.v1.Health/Check":
			want.Checks = 1
		default: // reflection
			continue
		}
		if !reflect.DeepEqual(r, want) {
			t.Errorf("%s: %+v", g.steps[r.Step], r)
		}
	}
	last := g.last()
	if len(last.Thresholds) != 1 || !last.Thresholds[0].Holds || last.Thresholds[0].Count < 6 {
		t.Errorf("%+v", last.Thresholds)
	}
}
