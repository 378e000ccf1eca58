package kafka

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"brunt/targets"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// cluster is the knowledge of a client about its cluster.
type cluster struct {
	client  *client
	first   atomic.Int64  // number of the broker to ask first
	loading chan struct{} // has an element while brokers are asked

	mu      sync.Mutex
	brokers []string            // host:port; empty: not known yet
	only    string              // address at which a cluster of one broker answered; empty: it has several
	leaders map[string][]string // host:port by topic and partition; empty: the partition has no leader
	renewed map[string]time.Duration
}

// renewEvery is the minimum time between two requests in the background for the leaders of a topic.
const renewEvery = 100 * time.Millisecond

func newCluster(c *client) *cluster {
	return &cluster{
		client: c, loading: make(chan struct{}, 1), leaders: map[string][]string{}, renewed: map[string]time.Duration{},
	}
}

// known returns the leaders of a topic's partitions if they are known.
func (k *cluster) known(topic string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.leaders[topic]
}

// leadersOf returns the leaders of a topic's partitions. It asks a broker if they are not known.
func (k *cluster) leadersOf(ctx context.Context, topic string) ([]string, error) {
	if all := k.known(topic); all != nil {
		return all, nil
	}
	return k.load(ctx, topic)
}

// load asks a broker for the leaders of a topic, unless another call has done so in the meantime.
func (k *cluster) load(ctx context.Context, topic string) ([]string, error) {
	before := k.known(topic)
	select {
	case k.loading <- struct{}{}:
		defer func() { <-k.loading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if now := k.known(topic); now != nil && (before == nil || &now[0] != &before[0]) {
		return now, nil
	}
	req := kmsg.NewPtrMetadataRequest()
	one := kmsg.NewMetadataRequestTopic()
	one.Topic = &topic
	req.Topics = append(req.Topics, one)
	_, err := targets.TryEach(ctx, k.addresses(), &k.first, func(ctx context.Context, address string) (struct{}, error) {
		resp, err := k.client.ask(ctx, address, req)
		if err == nil {
			err = k.read(resp.(*kmsg.MetadataResponse), topic, address)
		}
		return struct{}{}, err
	})
	return k.known(topic), err
}

// addresses returns the addresses of brokers to ask: those of the endpoint, and those that the brokers announced.
func (k *cluster) addresses() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.only != "" {
		return k.client.at.addresses
	}
	all := slices.Concat(k.client.at.addresses, k.brokers)
	slices.Sort(all[len(k.client.at.addresses):])
	return slices.Compact(all)
}

// read records what a broker says of a topic. The broker is at address.
//
// Subtle: a cluster of one broker is reached at the endpoint's address, which may be that of a link, and not at the
// address that the broker announces.
func (k *cluster) read(resp *kmsg.MetadataResponse, topic, address string) error {
	at := map[int32]string{}
	var brokers []string
	for _, b := range resp.Brokers {
		if b.Port < 1 || b.Port > 65535 || b.Host == "" {
			return bad("a broker announces the address %s:%d", targets.Quote(b.Host), b.Port)
		}
		at[b.NodeID] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
		brokers = append(brokers, at[b.NodeID])
	}
	only := ""
	if len(brokers) == 1 {
		only, brokers[0] = address, address
		at[resp.Brokers[0].NodeID] = address
	}
	for _, t := range resp.Topics {
		if t.Topic == nil || *t.Topic != topic {
			continue
		}
		if err := refused("the topic "+topic, t.ErrorCode); err != nil {
			return err
		}
		leaders := make([]string, len(t.Partitions))
		for _, p := range t.Partitions {
			if p.Partition < 0 || int(p.Partition) >= len(leaders) {
				return bad("the topic %s has %d partitions, and one of them is %d", topic, len(leaders), p.Partition)
			}
			leaders[p.Partition] = at[p.Leader]
		}
		if len(leaders) == 0 {
			return bad("the topic %s has no partitions", topic)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.brokers, k.only, k.leaders[topic] = brokers, only, leaders
		return nil
	}
	return bad("the broker does not say anything of the topic %s", topic)
}

// renew asks for the leaders of a topic in the background, unless they were asked for lately.
func (k *cluster) renew(topic string) {
	now := k.client.o.Now()
	k.mu.Lock()
	last, asked := k.renewed[topic]
	if asked && now-last < renewEvery {
		k.mu.Unlock()
		return
	}
	k.renewed[topic] = now
	k.mu.Unlock()
	k.client.Go(func() {
		ctx, cancel := k.client.patience(k.client.Over())
		defer cancel()
		_, _ = k.load(ctx, topic) // calls that need the leaders report an error
	})
}

// leaderOf returns the address of the leader of a partition.
func leaderOf(leaders []string, topic string, partition int32) (string, error) {
	const leaderNotAvailable = 5
	switch {
	case partition < 0 || int(partition) >= len(leaders):
		return "", refused(fmt.Sprintf("the partition %d of %s, which has %d", partition, topic, len(leaders)), unknownTopic)
	case leaders[partition] == "":
		return "", refused(fmt.Sprintf("the partition %d of %s", partition, topic), leaderNotAvailable)
	}
	return leaders[partition], nil
}

// coordinator returns the address of the broker that coordinates a group.
func (k *cluster) coordinator(ctx context.Context, group string) (string, error) {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKey = group
	return targets.TryEach(ctx, k.addresses(), &k.first, func(ctx context.Context, address string) (string, error) {
		resp, err := k.client.ask(ctx, address, req)
		if err != nil {
			return "", err
		}
		found := resp.(*kmsg.FindCoordinatorResponse)
		if err := refused("the coordinator of the group "+group, found.ErrorCode); err != nil {
			return "", err
		}
		if found.Port < 1 || found.Port > 65535 || found.Host == "" {
			return "", bad("a broker announces the coordinator %s:%d", targets.Quote(found.Host), found.Port)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.only != "" {
			return k.only, nil
		}
		return net.JoinHostPort(found.Host, strconv.Itoa(int(found.Port))), nil
	})
}

// Where a partition is read from, as ListOffsets names it.
const (
	fromEnd   = -1
	fromStart = -2
)

// isolation returns the isolation level of a reader. A settled one reads no further than the first transaction that
// has not ended.
func isolation(settled bool) int8 {
	if settled {
		return 1
	}
	return 0
}

// offsets returns the first or the next offset of partitions, for a settled reader or another one. Where is fromStart
// or fromEnd.
func (k *cluster) offsets(
	ctx context.Context, topic string, partitions []int32, where int64, settled bool,
) (map[int32]int64, error) {
	leaders, err := k.leadersOf(ctx, topic)
	if err != nil {
		return nil, err
	}
	of := map[string][]int32{}
	for _, p := range partitions {
		address, err := leaderOf(leaders, topic, p)
		if err != nil {
			return nil, err
		}
		of[address] = append(of[address], p)
	}
	found := map[int32]int64{}
	for address, list := range of {
		req := kmsg.NewPtrListOffsetsRequest()
		req.ReplicaID, req.IsolationLevel = -1, isolation(settled)
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic = topic
		for _, p := range list {
			one := kmsg.NewListOffsetsRequestTopicPartition()
			one.Partition, one.Timestamp = p, where
			t.Partitions = append(t.Partitions, one)
		}
		req.Topics = append(req.Topics, t)
		resp, err := k.client.ask(ctx, address, req)
		if err != nil {
			return nil, err
		}
		for _, t := range resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				if err := refused(fmt.Sprintf("the offsets of %s/%d", topic, p.Partition), p.ErrorCode); err != nil {
					k.renew(topic)
					return nil, err
				}
				found[p.Partition] = p.Offset
			}
		}
	}
	for _, p := range partitions {
		if _, ok := found[p]; !ok {
			return nil, bad("the broker does not say the offset of %s/%d", topic, p)
		}
	}
	return found, nil
}

// committed returns the offsets that a group committed; negative: none.
func (k *cluster) committed(
	ctx context.Context, coordinator, group, topic string, partitions []int32,
) (map[int32]int64, error) {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = group
	t := kmsg.NewOffsetFetchRequestTopic()
	t.Topic, t.Partitions = topic, partitions
	req.Topics = append(req.Topics, t)
	resp, err := k.client.ask(ctx, coordinator, req)
	if err != nil {
		return nil, err
	}
	all := resp.(*kmsg.OffsetFetchResponse)
	if all.ErrorCode != groupNotFound { // it has committed nothing yet
		if err := refused("the offsets of the group "+group, all.ErrorCode); err != nil {
			return nil, err
		}
	}
	found := map[int32]int64{}
	for _, p := range partitions {
		found[p] = -1
	}
	for _, t := range all.Topics {
		for _, p := range t.Partitions {
			if err := refused("the offsets of the group "+group, p.ErrorCode); err != nil {
				return nil, err
			}
			if _, asked := found[p.Partition]; asked {
				found[p.Partition] = p.Offset
			}
		}
	}
	return found, nil
}

// every lists the partitions 0 to n-1.
func every(n int) []int32 {
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(i)
	}
	return list
}
