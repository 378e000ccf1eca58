package chaos_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/chaos/oci"
	"brunt/scenarios/suite"
)

// TestDocker_Diverted runs the suite for the faults of a proxy between containers: during the fault
// only the caller gets another answer, and afterwards the rules of every network are as before.
func TestDocker_Diverted(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("makes containers")
	}
	y := chaostest.NewYard(t)
	web, store, other := y.Start(t, chaostest.VictimOptions{Unit: "web[0]"}),
		y.Start(t, chaostest.VictimOptions{Unit: "store[0]"}), y.Start(t,
			chaostest.VictimOptions{Unit: "other[0]"})
	units := []chaos.Unit{web.Container, store.Container, other.Container}
	world := func() chaostest.World {
		return chaostest.World{
			Scope: chaos.Scope{Services: map[string]int{"web": 1, "store": 1, "other": 1}, Containers: true},
			Env: chaos.Env{
				Targets: chaos.Targets{Units: units}, Host: chaos.Host{Agents: &agent.Pool{Find: catalog.Find}, Run: y.Run},
				Occurrence: chaos.Occurrence{Now: clock()},
			},
		}
	}
	asks := func(v *chaostest.Victim) string {
		var out strings.Builder
		_, err := y.Engine.Exec(t.Context(), v.ID,
			[]string{oci.Entry, "ask", "http://" + store.Addresses()[0].String() + ":8080/"}, nil, &out, &out)
		said := strings.TrimSpace(out.String())
		if err != nil {
			t.Error(err)
		}
		return said
	}
	before := chaostest.Networks(t, units...)
	same := func(t *testing.T) {
		t.Helper()
		if after := chaostest.Networks(t, units...); after != before {
			t.Errorf("it differs:\n%s", chaostest.Difference(before, after))
		}
	}
	for _, yaml := range []string{
		"http.error: {from: web, to: store, status: 500}",
		"grpc.error: {from: web, to: store, status: ABORTED, method: shop.Orders/*}",
		"grpc.delay: {from: web, to: store, delay: 60ms}",
		"mongo.error: {from: web, to: store, command: find}",
		"mongo.delay: {from: web, to: store, delay: 60ms}",
		"redis.error: {from: web, to: store, command: GET}",
		"redis.delay: {from: web, to: store, delay: 60ms}",
		"sql.error: {from: web, to: store, sqlstate: \"40001\"}",
		"sql.delay: {from: web, to: store, delay: 60ms}",
		"sql.error: {from: web, to: store, protocol: mysql}",
		"kafka.error: {from: web, to: store, code: NOT_ENOUGH_REPLICAS, topic: orders-*}",
		"kafka.delay: {from: web, to: store, api: Fetch, delay: 60ms}",
		"amqp.nack: {from: web, to: store}",
		"http.delay: {from: web, to: store, delay: 80ms}",
		"http.rewrite: {from: web, to: store, answer: {status: 418}}",
		"tcp.limit: {from: web, to: store, bytes: 1KiB}",
		"tcp.slow_close: {from: web, to: store, delay: 200ms}",
		"tcp.slicer: {from: web, to: store, size: 1KiB, delay: 5ms}",
	} {
		t.Run(yaml, func(t *testing.T) {
			chaostest.Effect(t, yaml, world())
			same(t)
		})
	}
	t.Run("what is hit", func(t *testing.T) {
		h := begin(t, world(), `http.error: {from: web, to: store, body: broken}`)
		for v, want := range map[*chaostest.Victim]string{web: "broken", other: "ok", store: "ok"} {
			if said := asks(v); said != want {
				t.Errorf("%s is answered %q, want %q", v.Name(), said, want)
			}
		}
		if o, err := h.Revert(t.Context()); err != nil || o != chaos.Reverted {
			t.Errorf("reverting: %s, %v", o, err)
		}
		if said := asks(web); said != "ok" {
			t.Errorf("after it web is answered %q", said)
		}
		if _, err := h.Gone(t.Context()); err != nil {
			t.Error(err)
		}
		same(t)
	})
	for mistake, yaml := range map[string]string{
		"want from and to": "http.error: {service: web}",
		"brunt's proxy does it on the way from one unit to another": "http.error: {container: web}",
		"started again":       "tcp.limit: {from: web, to: store, bytes: 1KiB, on_restart: void}",
		"there is no service": "http.error: {from: web, to: stor}",
	} {
		if said := chaostest.Mistakes(t, yaml, world().Scope); !strings.Contains(said, mistake) {
			t.Errorf("%s: %q, want %q", yaml, said, mistake)
		}
	}
}

// TestDocker_DivertedMany checks that a diversion from ten callers to ten callees begins and ends about as fast as one
// from one to one: the wait before it is short, it comes in everywhere at once, and the end of its phase waits for no
// proof. The proof itself waits for the hundred connections together.
func TestDocker_DivertedMany(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	if testing.Short() {
		t.Skip("makes twenty containers")
	}
	y := chaostest.NewYard(t)
	const many = 10
	var units []chaos.Unit
	for i := range many {
		for _, service := range []string{"web", "store"} {
			units = append(units, y.Start(t, chaostest.VictimOptions{Unit: fmt.Sprintf("%s[%d]", service, i)}).Container)
		}
	}
	steps := chaostest.Plan(t, `http.error: {from: web, to: store, status: 500, percent: 80%}`, chaostest.World{
		Scope: chaos.Scope{Services: map[string]int{"web": many, "store": many}, Containers: true},
		Env: chaos.Env{
			Targets: chaos.Targets{Units: units}, Host: chaos.Host{Agents: &agent.Pool{Find: catalog.Find}, Run: y.Run},
			Occurrence: chaos.Occurrence{Now: clock()},
		},
	})
	took := func(what string, within time.Duration, do func() error) {
		t.Helper()
		began := time.Now()
		if err := do(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		is := time.Since(began)
		t.Logf("%s took %s", what, is.Round(time.Millisecond))
		if is > within {
			t.Errorf("%s took %s, want at most %s", what, is, within)
		}
	}
	var held chaos.Held
	took("the preparation", 2*time.Second, func() error {
		_, err := steps[0].(interface {
			Prepare(ctx context.Context) (release func() error, err error)
		}).Prepare(t.Context())
		return err
	})
	took("the injection", 500*time.Millisecond, func() (err error) {
		held, err = steps[0].Inject(t.Context())
		return err
	})
	took("the proof", 5*time.Second, func() error {
		_, err := held.Verify(t.Context())
		return err
	})
	took("the end", 500*time.Millisecond, func() error {
		_, err := held.Revert(t.Context())
		return err
	})
	took("the proof of the end", 5*time.Second, func() error {
		_, err := held.Gone(t.Context())
		return err
	})
}
