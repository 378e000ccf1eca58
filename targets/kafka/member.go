package kafka

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"brunt/scenarios"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// member is a reader's membership in a group, by the protocol of Kafka's classic consumer with the assignor "range".
// A goroutine joins the group, sends heartbeats, and joins again if the group has changed.
type member struct {
	reader *reader
	group  string
	done   chan struct{}

	mu         sync.Mutex
	id         string // empty: none yet
	generation int32
	at         string        // address of the coordinator
	changed    chan struct{} // closed when the partitions change; nil: the member is not in the group
	wake       chan struct{} // closed when the member has joined or failed to
	failed     error         // of the last try to join
}

// Times of a member.
const (
	sessionTime   = 10 * time.Second // the group drops a member that is silent for so long
	heartbeatTime = 3 * time.Second
	rebalanceTime = 60 * time.Second // the group waits so long for its members to join again
	joinAgain     = 200 * time.Millisecond
	leaveTime     = time.Second
)

const assignor = "range"

func newMember(r *reader, group string) *member {
	m := &member{reader: r, group: group, done: make(chan struct{}), wake: make(chan struct{})}
	if !r.client.Go(func() {
		defer close(m.done)
		m.run()
	}) {
		close(m.done)
	}
	return m
}

// joined waits until the member is in the group, or fails to join. The channel is closed when its partitions change.
func (m *member) joined(ctx context.Context) (<-chan struct{}, error) {
	for {
		m.mu.Lock()
		changed, wake, err := m.changed, m.wake, m.failed
		m.failed = nil
		m.mu.Unlock()
		switch {
		case err != nil:
			return nil, err
		case changed != nil:
			return changed, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// set ends the present partitions, and wakes everybody who waits.
func (m *member) set(changed chan struct{}, failed error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changed != nil {
		close(m.changed)
	}
	m.changed, m.failed = changed, failed
	close(m.wake)
	m.wake = make(chan struct{})
}

// run is in the group until the reader ends.
func (m *member) run() {
	r := m.reader
	for r.over.Err() == nil {
		err := m.attend()
		if r.over.Err() != nil {
			return
		}
		code, isCode := errors.AsType[*codeError](err)
		switch {
		case isCode && code.code == rebalanceInProgress:
			if r.commits {
				ctx, cancel := r.client.patience(r.over)
				_ = m.commit(r.at(), func(address string, req kmsg.Request) (kmsg.Response, error) {
					return r.client.ask(ctx, address, req)
				}) // otherwise records come twice, as after any rebalance
				cancel()
			}
			m.set(nil, nil)
			continue
		case isCode && (code.code == unknownMember || code.code == illegalGeneration):
			m.mu.Lock()
			m.id = ""
			m.mu.Unlock()
			m.set(nil, nil)
		default:
			m.set(nil, err)
		}
		select {
		case <-time.After(joinAgain):
		case <-r.over.Done():
		}
	}
}

// attend joins the group, and stays in it until an error.
func (m *member) attend() (err error) {
	defer scenarios.Recover(&err)
	r, c := m.reader, m.reader.client
	ctx, cancel := context.WithTimeout(r.over, rebalanceTime+c.wait())
	defer cancel()
	leaders, err := c.cluster.leadersOf(ctx, r.topic)
	if err != nil {
		return err
	}
	at, err := c.cluster.coordinator(ctx, m.group)
	if err != nil {
		return err
	}
	opening, stop := c.patience(ctx)
	on, err := c.open(opening, at)
	if stop(); err != nil {
		return err
	}
	defer c.Drop(on)
	defer context.AfterFunc(r.over, func() { _ = on.Raw.Close() })()
	joined, err := m.join(ctx, on)
	if err != nil {
		return err
	}
	share := kmsg.NewPtrSyncGroupRequest()
	share.Group, share.Generation, share.MemberID = m.group, joined.Generation, joined.MemberID
	if joined.LeaderID == joined.MemberID {
		if share.GroupAssignment, err = m.assign(ctx, joined); err != nil {
			return err
		}
	}
	resp, err := on.call(ctx, share)
	if err != nil {
		return err
	}
	given := resp.(*kmsg.SyncGroupResponse)
	if err := refused("the partitions of the group "+m.group, given.ErrorCode); err != nil {
		return err
	}
	partitions, err := partitionsOf(given.MemberAssignment, r.topic, len(leaders))
	if err != nil {
		return err
	}
	positions, err := m.positions(ctx, at, partitions)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.positions = positions
	r.mu.Unlock()
	m.mu.Lock()
	m.id, m.generation, m.at = joined.MemberID, joined.Generation, at
	m.mu.Unlock()
	m.set(make(chan struct{}), nil)
	return m.beat(on)
}

// join asks to be in the group, and waits until its members are known.
func (m *member) join(ctx context.Context, on *conn) (*kmsg.JoinGroupResponse, error) {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.ProtocolType = m.group, "consumer"
	req.SessionTimeoutMillis = int32(sessionTime / time.Millisecond)
	req.RebalanceTimeoutMillis = int32(rebalanceTime / time.Millisecond)
	m.mu.Lock()
	req.MemberID = m.id
	m.mu.Unlock()
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Topics = []string{m.reader.topic}
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = assignor, meta.AppendTo(nil)
	req.Protocols = append(req.Protocols, protocol)
	for {
		resp, err := on.call(ctx, req)
		if err != nil {
			return nil, err
		}
		joined := resp.(*kmsg.JoinGroupResponse)
		if joined.ErrorCode == memberIDRequired && req.MemberID == "" && joined.MemberID != "" {
			req.MemberID = joined.MemberID
			m.mu.Lock()
			m.id = joined.MemberID
			m.mu.Unlock()
			continue
		}
		return joined, refused("the group "+m.group, joined.ErrorCode)
	}
}

// assign shares the partitions out among the members: to each the next ones, for each topic (Kafka's RangeAssignor).
func (m *member) assign(ctx context.Context, joined *kmsg.JoinGroupResponse) (
	out []kmsg.SyncGroupRequestGroupAssignment, err error,
) {
	wants := map[string][]string{} // by topic: its members
	given := map[string]*kmsg.ConsumerMemberAssignment{}
	for _, one := range joined.Members {
		var meta kmsg.ConsumerMemberMetadata
		if err := meta.ReadFrom(one.ProtocolMetadata); err != nil {
			return nil, bad("the group %s has a member whose topics can't be read: %v", m.group, err)
		}
		given[one.MemberID] = new(kmsg.NewConsumerMemberAssignment())
		for _, topic := range meta.Topics {
			wants[topic] = append(wants[topic], one.MemberID)
		}
	}
	for topic, members := range wants {
		leaders, err := m.reader.client.cluster.leadersOf(ctx, topic)
		if err != nil {
			return nil, err
		}
		slices.Sort(members)
		all := every(len(leaders))
		for i, id := range members {
			share := len(all) / (len(members) - i)
			if len(all)%(len(members)-i) > 0 {
				share++
			}
			t := kmsg.NewConsumerMemberAssignmentTopic()
			t.Topic, t.Partitions = topic, all[:share]
			given[id].Topics = append(given[id].Topics, t)
			all = all[share:]
		}
	}
	for id, a := range given {
		one := kmsg.NewSyncGroupRequestGroupAssignment()
		one.MemberID, one.MemberAssignment = id, a.AppendTo(nil)
		out = append(out, one)
	}
	return out, nil
}

// partitionsOf reads the partitions of a topic that a member was given. The topic has so many of them.
func partitionsOf(b []byte, topic string, of int) (list []int32, err error) {
	if len(b) == 0 {
		return nil, nil
	}
	var a kmsg.ConsumerMemberAssignment
	if err := a.ReadFrom(b); err != nil {
		return nil, bad("the partitions of a member can't be read: %v", err)
	}
	for _, t := range a.Topics {
		for _, p := range t.Partitions {
			if p < 0 || int(p) >= of {
				return nil, bad("a member is given the partition %d of %s, which has %d", p, topic, of)
			}
			if t.Topic == topic {
				list = append(list, p)
			}
		}
	}
	return list, nil
}

// positions returns where the partitions are read from: the committed offsets, or where the reader begins.
func (m *member) positions(ctx context.Context, at string, partitions []int32) (map[int32]int64, error) {
	if len(partitions) == 0 {
		return map[int32]int64{}, nil
	}
	k, r := m.reader.client.cluster, m.reader
	found, err := k.committed(ctx, at, m.group, r.topic, partitions)
	if err != nil {
		return nil, err
	}
	var rest []int32
	for p, offset := range found {
		if offset < 0 {
			rest = append(rest, p)
		}
	}
	if len(rest) > 0 {
		others, err := r.offsets(ctx, rest, r.where)
		if err != nil {
			return nil, err
		}
		maps.Copy(found, others)
	}
	return found, nil
}

// beat sends heartbeats until an error: that of a group that has changed, or of the connection.
func (m *member) beat(on *conn) error {
	ticker := time.NewTicker(heartbeatTime)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-m.reader.over.Done():
			return nil
		}
		m.mu.Lock()
		req := kmsg.NewPtrHeartbeatRequest()
		req.Group, req.Generation, req.MemberID = m.group, m.generation, m.id
		m.mu.Unlock()
		ctx, cancel := m.reader.client.patience(m.reader.over)
		resp, err := on.call(ctx, req)
		cancel()
		if err != nil {
			return err
		}
		err = refused("the heartbeat of the group "+m.group, resp.(*kmsg.HeartbeatResponse).ErrorCode)
		if err != nil {
			return err
		}
	}
}

// commit commits the positions of the reader. Ask sends a request to the broker at an address.
func (m *member) commit(
	positions map[int32]int64, ask func(address string, req kmsg.Request) (kmsg.Response, error),
) error {
	m.mu.Lock()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation, req.MemberID = m.group, m.generation, m.id
	at := m.at
	m.mu.Unlock()
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic = m.reader.topic
	for p, offset := range positions {
		one := kmsg.NewOffsetCommitRequestTopicPartition()
		one.Partition, one.Offset = p, offset
		t.Partitions = append(t.Partitions, one)
	}
	if len(t.Partitions) == 0 {
		return nil
	}
	req.Topics = append(req.Topics, t)
	resp, err := ask(at, req)
	if err != nil {
		return err
	}
	for _, t := range resp.(*kmsg.OffsetCommitResponse).Topics {
		for _, p := range t.Partitions {
			if err := refused("the commit of the group "+m.group, p.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}

// close leaves the group, unless the run is over. The reader has ended.
func (m *member) close() {
	<-m.done
	c := m.reader.client
	m.mu.Lock()
	at, id := m.at, m.id
	m.mu.Unlock()
	if at == "" || id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(c.Over(), leaveTime)
	defer cancel()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = m.group, id
	one := kmsg.NewLeaveGroupRequestMember()
	one.MemberID = id
	req.Members = append(req.Members, one)
	_, _ = c.ask(ctx, at, req) // otherwise the group drops the member after the session time
}
