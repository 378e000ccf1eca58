package run_test

import (
	"fmt"
	"sync"
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
			url, kept := newForgetful(t, 0, false)
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
	url, kept := newForgetful(t, 15, false)
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

// TestDeliveries_Deleted: records that the broker deletes before the reader has fetched them are unknown, and not lost.
// The reader says why, and goes on with those that come later.
func TestDeliveries_Deleted(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 6 s")
	}
	url, kept := newForgetful(t, 15, true)
	res := runOnce(t, fmt.Sprintf(`
version: 1
target: {endpoints: {bus: %q}}
load: {shop: {executor: constant-arrival-rate, rate: 20/s, duration: 2s, flow: [
  {kafka.produce: orders, name: place, json: {id: "${delivery.id}"}}]}}
deliveries: {order: {sent: place, seen: {ask: {kafka.consume: orders, messages: 1}, id: $.id}, within: 3s, settle: 3s}}
slo: [lost = 0 of order]
`, url), run.Options{})
	d := res.Deliveries[0]
	if d.Acknowledged != 40 || kept() != 36 || d.Unknown < 14 || d.Sightings+d.Unknown+d.Lost != 40 || d.Lost == 0 ||
		d.FailedBecause != "kafka.consume orders: error OFFSET_OUT_OF_RANGE" {
		t.Errorf("the broker keeps %d of 40: %+v", kept(), d)
	}
}

// newForgetful starts a broker of Kafka that acknowledges every tenth record without keeping it. kept returns how many
// it has kept. It refuses fetches from the first record to record until; then it may delete all records so far.
func newForgetful(t *testing.T, until int64, deletes bool) (url string, kept func() int) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	var came, has atomic.Int64
	var open atomic.Bool
	var deleting sync.WaitGroup
	t.Cleanup(deleting.Wait)
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		n := came.Add(1)
		if n >= until && !deletes {
			open.Store(true)
		} else if n == until {
			deleting.Go(func() {
				if err := c.DeleteRecords("orders", 0, -1); err != nil {
					t.Error(err)
				}
				open.Store(true)
			})
		}
		if n%10 != 0 {
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
		if came.Load() == 0 || open.Load() {
			return nil, nil, false
		}
		answer := r.ResponseKind().(*kmsg.FetchResponse)
		answer.ErrorCode = kerr.NotLeaderForPartition.Code
		return answer, nil, true
	})
	return "kafka://" + c.ListenAddrs()[0], func() int { return int(has.Load()) }
}
