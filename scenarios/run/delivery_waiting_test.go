package run_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brunt/scenarios"
	"brunt/scenarios/run"
)

// TestDeliveries_Waiting loses messages of a topic whose broker acknowledges every tenth record without keeping it. The
// step that asks waits for a message when the settle time has passed: what has not come by then is lost, not unknown.
func TestDeliveries_Waiting(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 7 s")
	}
	for i := range 6 { // whether a question was made after the settle time was up to chance
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			url, kept := newForgetful(t, 0)
			res := runOnce(t, fmt.Sprintf(`
version: 1
target: {endpoints: {bus: %q}}
load: {shop: {executor: constant-arrival-rate, rate: 20/s, duration: 2s, flow: [
  {kafka.produce: orders, name: place, json: {id: "${delivery.id}"}}]}}
deliveries: {order: {sent: place, seen: {ask: {kafka.consume: orders, messages: 1}, id: $.id}, within: 1s, settle: 2s}}
slo: [lost = 0 of order, duplicated = 0 of order]
`, url), run.Options{})
			d := res.Deliveries[0]
			if d.Acknowledged != 40 || kept() != 36 || d.Lost != 4 || d.Sightings != 36 || d.Unknown+d.Foreign != 0 {
				t.Errorf("the broker keeps %d of 40: %+v", kept(), d)
			}
			for i, want := range []scenarios.Verdict{scenarios.Fail, scenarios.Pass} {
				if o := res.Objectives[i]; o.Verdict != want {
					t.Errorf("%s: %s, want %s", o.Text, o.Verdict, want)
				}
			}
		})
	}
}

// TestDeliveries_Refetched loses messages while the broker refuses to be read. The reader then goes on from where it
// has read, so that what is lost is known, although questions failed.
func TestDeliveries_Refetched(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 6 s")
	}
	url, kept := newForgetful(t, 15)
	res := runOnce(t, fmt.Sprintf(`
version: 1
target: {endpoints: {bus: %q}}
load: {shop: {executor: constant-arrival-rate, rate: 20/s, duration: 2s, flow: [
  {kafka.produce: orders, name: place, json: {id: "${delivery.id}"}}]}}
deliveries: {order: {sent: place, seen: {ask: {kafka.consume: orders, messages: 1}, id: $.id}, within: 3s, settle: 3s}}
slo: [lost = 0 of order]
`, url), run.Options{})
	d := res.Deliveries[0]
	if d.Acknowledged != 40 || kept() != 36 || d.Lost != 4 || d.Sightings != 36 || d.Failed == 0 ||
		d.Unknown+d.Foreign != 0 || res.Objectives[0].Verdict != scenarios.Fail {
		t.Errorf("the broker keeps %d of 40: %+v", kept(), d)
	}
}

// newForgetful starts a broker of Kafka that acknowledges every tenth record without keeping it. kept returns how many
// it has kept. It refuses fetches from the first record to record until.
func newForgetful(t *testing.T, until int64) (url string, kept func() int) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	var came, has atomic.Int64
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if came.Add(1)%10 != 0 {
			has.Add(1)
			return nil, nil, false
		}
		asked, answer := r.(*kmsg.ProduceRequest), r.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range asked.Topics {
			is := kmsg.NewProduceResponseTopic()
			is.Topic, is.TopicID = topic.Topic, topic.TopicID
			for _, p := range topic.Partitions {
				one := kmsg.NewProduceResponseTopicPartition()
				one.Partition = p.Partition
				is.Partitions = append(is.Partitions, one)
			}
			answer.Topics = append(answer.Topics, is)
		}
		return answer, nil, true
	})
	c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if n := came.Load(); n == 0 || n >= until {
			return nil, nil, false
		}
		answer := r.ResponseKind().(*kmsg.FetchResponse)
		answer.ErrorCode = kerr.NotLeaderForPartition.Code
		return answer, nil, true
	})
	return "kafka://" + c.ListenAddrs()[0], func() int { return int(has.Load()) }
}
