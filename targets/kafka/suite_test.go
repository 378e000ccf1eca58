package kafka_test

import (
	"slices"
	"sync"
	"testing"
	"time"

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

// TestFrozen: of 1000 records a second for 10 s, 1 s of which the broker stands still, each is counted, and those of
// the silence wait from the instant at which they were due: a tenth of them, for 0 to 1 s.
func TestFrozen(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 10 s")
	}
	const rate, seconds = 1000, 10
	s := start(t, false)
	flow := targetstest.Compile(t, kafka.Descriptor(), "", `{kafka.produce: answer, key: "k${int(1,9)}", text: hello}`)
	t0 := time.Now()
	c, err := kafka.Descriptor().Client(targets.Options{Base: s.Base(), Timeout: long, T0: t0})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	took := make([]time.Duration, rate*seconds)
	var all sync.WaitGroup
	users := make(chan *targetstest.User, len(took))
	for i := range rate + 200 {
		users <- flow.Open(t, c, t0, i)
	}
	began := time.Since(t0)
	freeze := time.AfterFunc(3*time.Second, func() {
		s.frozen.Lock()
		time.AfterFunc(time.Second, s.frozen.Unlock)
	})
	defer freeze.Stop()
	for i := range took {
		due := began + time.Duration(i)*time.Second/rate
		time.Sleep(due - time.Since(t0)) // simulates the schedule of a load
		u := <-users
		all.Go(func() {
			if out := u.At(0, due, long); out.Kind == scenarios.OK {
				took[i] = out.End - out.Intended
			}
			users <- u
		})
	}
	all.Wait()
	slices.Sort(took)
	p95, p99 := took[len(took)*95/100], took[len(took)*99/100]
	if took[0] == 0 || s.Requests() != int64(len(took)) {
		t.Errorf("%d of %d records came, the first after %v", s.Requests(), len(took), took[0])
	}
	t.Logf("p95 %v, p99 %v, %d connections", p95, p99, s.Connections())
	for _, one := range []struct{ got, want time.Duration }{
		{p95, 500 * time.Millisecond}, {p99, 900 * time.Millisecond},
	} {
		if off := one.got - one.want; off < -one.want/10 || off > one.want/10 {
			t.Errorf("%v, want %v within a tenth", one.got, one.want)
		}
	}
}
