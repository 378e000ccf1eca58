package proxy_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestQueries_KafkaTopicIDs: franz-go's client names topics by their ids, and a toxic hits the topic that it selects.
func TestQueries_KafkaTopicIDs(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders", "other"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	p, err := proxy.Start(proxy.Config{Upstream: func() string { return c.ListenAddrs()[0] }, HTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	k, err := kgo.NewClient(kgo.SeedBrokers(p.Addr()), kgo.DisableIdempotentWrite(),
		kgo.Dialer(func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, p.Addr())
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	write := func(topic string, want error) {
		t.Helper()
		if err := k.ProduceSync(ctx, &kgo.Record{Topic: topic}).FirstErr(); !errors.Is(err, want) {
			t.Fatalf("%s: %v, want %v", topic, err, want)
		}
	}
	write("orders", nil)
	x := add(t, p, toxics.KafkaError{Code: kerr.TopicAuthorizationFailed.Code, Name: "Produce ord*"})
	write("orders", kerr.TopicAuthorizationFailed)
	write("other", nil)
	if seen := x.Seen(); seen.Hit != 1 {
		t.Errorf("%+v", seen)
	}
	remove(t, x)
	write("orders", nil)
}
