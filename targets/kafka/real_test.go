package kafka_test

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"brunt/targets"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestReal writes and reads records, and asks for the lag, on the Kafka whose URL is in BRUNT_TEST_KAFKA, such as
// kafka://127.0.0.1:9092. It makes a topic of its own, and deletes it.
func TestReal(t *testing.T) {
	base := os.Getenv("BRUNT_TEST_KAFKA")
	if base == "" {
		t.Skip("BRUNT_TEST_KAFKA is not set: kafka://HOST:PORT of a Kafka")
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	k, err := kgo.NewClient(kgo.SeedBrokers(u.Host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	topic := fmt.Sprint("brunt-test-", time.Now().UnixNano())
	create, one := kmsg.NewPtrCreateTopicsRequest(), kmsg.NewCreateTopicsRequestTopic()
	one.Topic, one.NumPartitions, one.ReplicationFactor = topic, 3, 1
	create.Topics, create.TimeoutMillis = append(create.Topics, one), 10_000
	if _, err := create.RequestWith(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		remove, one := kmsg.NewPtrDeleteTopicsRequest(), kmsg.NewDeleteTopicsRequestTopic()
		one.Topic = &topic
		remove.TopicNames, remove.Topics = []string{topic}, append(remove.Topics, one)
		_, _ = remove.RequestWith(t.Context(), k)
	})
	var steps []string
	for _, step := range []string{
		`{kafka.produce: TOPIC, key: "k${int(1,9)}", json: {id: 1}, headers: {trace: t1}}`,
		`{kafka.produce: TOPIC, text: two, acks: leader}`,
		`{kafka.produce: TOPIC, text: three, idempotent: on}`,
		`{kafka.consume: TOPIC, from: start, messages: 3}`,
		`{kafka.consume: TOPIC, group: TOPIC, from: start, messages: 3}`,
		`{kafka.lag: TOPIC, group: TOPIC, check: {$.lag: 0}}`,
	} {
		steps = append(steps, strings.ReplaceAll(step, "TOPIC", topic))
	}
	f := newFixture(t, targets.Options{Base: base}, steps...)
	user := f.User(t, 0)
	for i, step := range steps {
		if got := f.Got(user.Do(i, long)); got != "ok" {
			t.Fatalf("%s: %s: %s", step, got, f.Message())
		}
	}
}
