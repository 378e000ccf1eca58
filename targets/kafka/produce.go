package kafka

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios/template"
	"brunt/targets/calls"
	"brunt/targets/http/h1"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// idempotence is the producer of a user whose records are numbered.
type idempotence struct {
	by   *producer // nil: none yet
	next map[string]map[int32]int32
}

// sequence returns the number of the next record of a partition.
func (d *idempotence) sequence(topic string, partition int32) int32 { return d.next[topic][partition] }

// settle ends a record. If the broker did not accept it, the numbers behind it are unknown: a new producer begins.
func (d *idempotence) settle(topic string, partition int32, accepted bool) {
	if !accepted {
		d.by, d.next = nil, nil
		return
	}
	if d.next == nil {
		d.next = map[string]map[int32]int32{}
	}
	if d.next[topic] == nil {
		d.next[topic] = map[int32]int32{}
	}
	d.next[topic][partition]++
}

// begin gets the number of a producer from a broker.
func (d *idempotence) begin(ctx context.Context, c *client, address string) error {
	if d.by != nil {
		return nil
	}
	resp, err := c.ask(ctx, address, kmsg.NewPtrInitProducerIDRequest())
	if err != nil {
		return err
	}
	got := resp.(*kmsg.InitProducerIDResponse)
	if err := refused("the number of the producer", got.ErrorCode); err != nil {
		return err
	}
	d.by = &producer{id: got.ProducerID, epoch: got.ProducerEpoch}
	return nil
}

// produce sends a record and waits for its acknowledgement.
func (t *exchange) produce() error {
	c, call, out := t.client, t.call, t.Out
	leaders := c.cluster.known(t.topic)
	ctx := context.Context(nil)
	if leaders == nil || call.idempotent && t.by == nil {
		var cancel context.CancelFunc
		ctx, cancel = t.until(t.It.Deadline)
		defer cancel()
		var err error
		if leaders, err = c.cluster.leadersOf(ctx, t.topic); err != nil {
			return err
		}
	}
	t.partition = t.choose(len(leaders))
	address, err := leaderOf(leaders, t.topic, t.partition)
	if err != nil {
		c.cluster.renew(t.topic)
		return err
	}
	by, sequence := producer{id: -1, epoch: -1}, int32(-1)
	if call.idempotent {
		if ctx != nil {
			if err := t.begin(ctx, c, address); err != nil {
				return err
			}
		}
		by, sequence = *t.by, t.sequence(t.topic, t.partition)
	}
	t.batch = appendBatch(t.batch[:0], &t.record, by, sequence)
	err = calls.Make(&t.Progress, t.routes.To(address), call.idempotent, t)
	if call.idempotent {
		t.settle(t.topic, t.partition, err == nil && t.code == 0)
	}
	if err != nil || t.code != 0 {
		c.cluster.renew(t.topic)
	}
	out.Status, out.Answered = int32(t.code), err == nil
	return err
}

// compose renders the record. Its parts share one buffer.
func (t *exchange) compose() (err error) {
	p := t.call.produced
	mem := t.mem[:0]
	if mem == nil {
		mem = []byte{} // else an empty key or value would be null
	}
	var ends [2]int
	for i, part := range []*template.Template{p.key, p.value} {
		if part != nil {
			if mem, err = part.Append(mem, t.It); err != nil {
				return err
			}
		}
		ends[i] = len(mem)
	}
	var headers []header
	for i := range p.headers {
		from := len(mem)
		if mem, err = p.headers[i].text.Append(mem, t.It); err != nil {
			return err
		}
		headers = append(headers, header{name: p.headers[i].name, value: mem[from:len(mem):len(mem)]})
	}
	t.mem = mem
	t.record = record{timestamp: time.Now().UnixMilli(), headers: headers}
	if p.key != nil {
		t.key = mem[:ends[0]:ends[0]]
	}
	if p.value != nil {
		t.value = mem[ends[0]:ends[1]:ends[1]]
	}
	return nil
}

// choose returns the partition of the record: that of the step, that of its key as Kafka's own producer takes it, or
// each in turn.
func (t *exchange) choose(n int) int32 {
	switch {
	case t.call.produced.partition != nil:
		return int32(*t.call.produced.partition)
	case t.key != nil:
		return int32(murmur2(t.key)&0x7fffffff) % int32(n)
	}
	return int32((t.client.turn.Add(1) - 1) % uint32(n))
}

// murmur2 is the hash by which Kafka's own producer takes the partition of a key (MurmurHash2 of A. Appleby, with the
// seed of org.apache.kafka.common.utils.Utils).
func murmur2(b []byte) uint32 {
	const seed, m, r = 0x9747b28c, 0x5bd1e995, 24
	h := seed ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
		k *= m
		k ^= k >> r
		h = h*m ^ k*m
	}
	for i := len(b) - 1; i >= 0; i-- {
		h ^= uint32(b[i]) << (8 * i)
	}
	if len(b) > 0 {
		h *= m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}

// mostWait bounds the time that a broker is told to wait for its replicas.
const mostWait = 24 * time.Hour

// Exchange implements [calls.Trip]. It sends the batch to a broker, and reads the acknowledgement if there is one.
func (t *exchange) Exchange(on *conn) (calls.Fate, error) {
	req := kmsg.NewPtrProduceRequest()
	req.Acks = t.call.acks
	topic, partition := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	topic.Topic, partition.Partition, partition.Records = t.topic, t.partition, t.batch
	topic.Partitions = append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	req.TimeoutMillis = int32(max(1, min(t.It.Deadline-t.Now(), mostWait)/time.Millisecond))
	var err error
	if t.send, err = on.encode(t.send[:0], req); err != nil {
		return calls.Close, err
	}
	if req.Acks == 0 {
		on.Until(t.It.Deadline, h1.Slack(t.client.o.Timeout))
		if _, err = on.Conn.Conn.Write(t.send); err == nil {
			t.Wrote(t.Now())
			t.Came(t.Out.Sent, 0)
			t.offset = -1
		}
		return t.Reusable(err == nil), err
	}
	on.renewClaim()
	clean, err := t.Asked(on.Conn, t.send, t)
	if err == nil {
		err = t.acknowledged(on, req)
	}
	return t.Reusable(clean && err == nil), err
}

// Read implements [calls.Reader].
func (t *exchange) Read(br *bufio.Reader) (err error) {
	if t.memory, err = readMessage(br, t.memory); err == nil {
		t.Out.Bytes += int64(sizeLength + len(t.memory))
	}
	return err
}

// acknowledged reads the acknowledgement of the record.
func (t *exchange) acknowledged(on *conn, req *kmsg.ProduceRequest) error {
	resp, err := on.decode(t.memory, req)
	if err != nil {
		return err
	}
	for _, topic := range resp.(*kmsg.ProduceResponse).Topics {
		i := slices.IndexFunc(topic.Partitions, func(p kmsg.ProduceResponseTopicPartition) bool {
			return p.Partition == t.partition
		})
		if i < 0 || topic.Topic != t.topic {
			continue
		}
		p := &topic.Partitions[i]
		if t.code, t.offset = p.ErrorCode, p.BaseOffset; t.code != 0 && p.ErrorMessage != nil {
			t.reason = *p.ErrorMessage
		}
		t.doc = map[string]any{"topic": t.topic, "partition": int64(t.partition), "offset": t.offset}
		return nil
	}
	return bad("the acknowledgement does not name %s", fmt.Sprintf("%s/%d", t.topic, t.partition))
}
