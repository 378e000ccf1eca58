package query_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"brunt/chaos/proxy/codec/query"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// kafkaAsk is a request of a client of Kafka, in a version.
func kafkaAsk(req kmsg.Request, version int16) string {
	req.SetVersion(version)
	return string(kmsg.NewRequestFormatter(kmsg.FormatterClientID("shop")).AppendRequest(nil, req, 7))
}

// produce is a request that writes a record of some bytes to a topic.
func produce(topic string, acks int16, size int) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	one := kmsg.NewProduceRequestTopic()
	part := kmsg.NewProduceRequestTopicPartition()
	part.Partition, part.Records = 2, bytes.Repeat([]byte{'x'}, size)
	one.Topic, one.Partitions = topic, append(one.Partitions, part)
	req.Acks, req.Topics = acks, append(req.Topics, one)
	return req
}

// kafkaSays is an answer of a broker with a body of some bytes.
func kafkaSays(size int) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(4+size))
	return string(b) + "\x00\x00\x00\x07" + strings.Repeat("y", size)
}

// TestKafka: whatever the pieces in which bytes come, requests and answers are the same, and every byte passes once. A
// request without an acknowledgement has no answer, and neither has a long one.
func TestKafka(t *testing.T) {
	versions := kafkaAsk(kmsg.NewPtrApiVersionsRequest(), 0)
	var asks, want strings.Builder
	asks.WriteString(versions)
	for _, version := range []int16{0, 2, 3, 8, 9, 12} {
		asks.WriteString(kafkaAsk(produce("orders", 0, 10), version))
		asks.WriteString(kafkaAsk(produce("orders", 0, 2<<20), version))
		asks.WriteString(kafkaAsk(produce("orders", -1, 10), version))
	}
	asks.WriteString(kafkaAsk(produce("orders", 1, 2<<20), 9))
	asks.WriteString(kafkaAsk(kmsg.NewPtrHeartbeatRequest(), 4))
	for _, n := range []int{1 << 12, 1 << 20, 1 << 23} {
		codec, _ := query.Recognize([]byte(versions))
		if codec == nil || codec.Speaks() != query.Kafka {
			t.Fatal("it is not recognized")
		}
		got, err := cut(t, codec.Requests, func() []byte { return codec.Rest(true) }, asks.String(), n)
		if want.Len() == 0 {
			want.WriteString(got)
		}
		if got != want.String() || err != nil || strings.Count(got, "[Produce orders]") != 6 ||
			strings.Count(got, "<Produce >") != 1 || strings.Count(got, "[Heartbeat ]") != 1 ||
			strings.Count(got, "<ApiVersions >") != 1 || strings.Count(got, "|") != 9 {
			t.Errorf("pieces of %d: %.500s, %v", n, got, err)
		}
		says, err := cut(t, codec.Answers, func() []byte { return codec.Rest(false) }, kafkaSays(0)+kafkaSays(100000), n)
		if says != "8|100008|" || err != nil || !codec.Idle() {
			t.Errorf("pieces of %d: said %s, %v", n, says, err)
		}
	}
	codec, _ := query.Recognize([]byte(versions))
	sasl := kafkaAsk(kmsg.NewPtrSASLHandshakeRequest(), 0)
	if _, err := codec.Requests([]byte(sasl)); err == nil {
		t.Error("a login without a form is cut")
	}
}

// TestKafka_TopicIDs: the name of a topic that a request names by its id is known once an answer to Metadata has told
// it, on this connection or on another one.
func TestKafka_TopicIDs(t *testing.T) {
	connect := func() query.Codec {
		codec, _ := query.Recognize([]byte(kafkaAsk(kmsg.NewPtrApiVersionsRequest(), 0)))
		return codec
	}
	ask := func(codec query.Codec, req kmsg.Request, version int16, n int) string {
		t.Helper()
		got, err := cut(t, codec.Requests, func() []byte { return codec.Rest(true) }, kafkaAsk(req, version), n)
		if err != nil {
			t.Fatal(err)
		}
		return got[:strings.IndexAny(got, "]>")+1]
	}
	for i, n := range []int{1, 5, 1 << 20} {
		id := [16]byte{'i', 'd', byte(i)}
		write := produce("", -1, 10)
		write.Topics[0].TopicID = id
		fetch := kmsg.NewPtrFetchRequest()
		topic := kmsg.NewFetchRequestTopic()
		topic.TopicID = id
		fetch.Topics = append(fetch.Topics, topic)
		codec := connect()
		if got := ask(codec, write, 13, n); got != "[Produce ]" {
			t.Errorf("before: %s", got)
		}
		if got := ask(codec, kmsg.NewPtrMetadataRequest(), 12, n); got != "<Metadata >" {
			t.Error(got)
		}
		resp := kmsg.NewPtrMetadataResponse()
		resp.SetVersion(12)
		one := kmsg.NewMetadataResponseTopic()
		one.Topic, one.TopicID = new("orders"), id
		resp.Topics = append(resp.Topics, one)
		body := resp.AppendTo([]byte("\x00\x00\x00\x07\x00")) // the number, and no tags
		says := string(binary.BigEndian.AppendUint32(nil, uint32(len(body)))) + string(body)
		if _, err := cut(t, codec.Answers, func() []byte { return codec.Rest(false) }, says, n); err != nil {
			t.Fatal(err)
		}
		for _, codec := range []query.Codec{codec, connect()} {
			if got := ask(codec, write, 13, n); got != "[Produce orders]" {
				t.Errorf("pieces of %d: %s", n, got)
			}
			if got := ask(codec, fetch, 13, n); got != "[Fetch orders]" {
				t.Errorf("pieces of %d: %s", n, got)
			}
			more := kmsg.NewPtrFetchRequest()
			more.SessionID, more.SessionEpoch = 5, 1
			if got := ask(codec, more, 13, n); got != "[Fetch orders]" {
				t.Errorf("a session goes on: %s", got)
			}
		}
	}
}

// TestKafka_Refuse: the answer of a refusal is one of the protocol, in each version, for the partitions that are asked
// for.
func TestKafka_Refuse(t *testing.T) {
	codec, _ := query.Recognize([]byte(kafkaAsk(kmsg.NewPtrApiVersionsRequest(), 0)))
	for _, version := range []int16{0, 3, 8, 9} {
		b, end := codec.Refuse([]byte(kafkaAsk(produce("orders", -1, 10), version)), "6", "")
		resp := kmsg.NewPtrProduceResponse()
		resp.SetVersion(version)
		head := 8
		if resp.IsFlexible() {
			head++
		}
		if end != nil || int(binary.BigEndian.Uint32(b)) != len(b)-4 || b[7] != 7 {
			t.Fatalf("version %d: %x, %x", version, b, end)
		}
		if err := resp.ReadFrom(b[head:]); err != nil || len(resp.Topics) != 1 || resp.Topics[0].Topic != "orders" ||
			resp.Topics[0].Partitions[0].Partition != 2 || resp.Topics[0].Partitions[0].ErrorCode != 6 {
			t.Errorf("version %d: %+v, %v", version, resp, err)
		}
	}
	for _, name := range query.KafkaAPIs() {
		for key := range int16(kmsg.MaxKey) {
			if kmsg.NameForKey(key) != name {
				continue
			}
			for version := range kmsg.RequestForKey(key).MaxVersion() + 1 {
				req := kmsg.RequestForKey(key)
				ask := kafkaAsk(req, version)
				b, _ := codec.Refuse([]byte(ask), "15", "")
				resp := req.ResponseKind()
				resp.SetVersion(version)
				head := 8
				if resp.IsFlexible() {
					head++
				}
				if len(b) < head || resp.ReadFrom(b[head:]) != nil {
					t.Errorf("%s, version %d: %x", name, version, b)
				}
			}
		}
	}
}

// amqpFrame is a frame of AMQP.
func amqpFrame(kind byte, channel uint16, body string) string {
	b := binary.BigEndian.AppendUint16([]byte{kind}, channel)
	return string(binary.BigEndian.AppendUint32(b, uint32(len(body)))) + body + "\xce"
}

// ack is a frame that confirms a message, or all up to it.
func ack(channel uint16, tag uint64, several bool) string {
	body := binary.BigEndian.AppendUint64([]byte("\x00\x3c\x00\x50"), tag)
	if several {
		return amqpFrame(1, channel, string(append(body, 1)))
	}
	return amqpFrame(1, channel, string(append(body, 0)))
}

// nack is a frame that confirms a message negatively, or all up to it.
func nack(channel uint16, tag uint64, several bool) string {
	return strings.Replace(ack(channel, tag, several), "\x00\x50", "\x00\x78", 1)
}

// TestAMQP: a confirm of several messages becomes one for each of those that are not confirmed yet, on each channel by
// itself, whether positively or negatively. All other bytes pass.
func TestAMQP(t *testing.T) {
	deliver := amqpFrame(1, 1, "\x00\x3c\x00\x3c\x00\x00") + amqpFrame(2, 1, strings.Repeat("h", 20)) +
		amqpFrame(3, 1, strings.Repeat("b", 9000)) + amqpFrame(8, 0, "")
	opened := amqpFrame(1, 1, "\x00\x14\x00\x0b\x00\x00\x00\x00")
	says := deliver + ack(1, 2, false) + ack(1, 4, true) + ack(2, 1, true) + deliver + ack(1, 5, false) + opened +
		ack(1, 1, false) + deliver + nack(3, 2, false) + ack(3, 3, true) + nack(3, 5, true) + ack(3, 6, true)
	want := deliver + ack(1, 2, false) + ack(1, 1, false) + ack(1, 3, false) + ack(1, 4, false) + ack(2, 1, false) +
		deliver +
		ack(1, 5, false) + opened + ack(1, 1, false) + deliver +
		nack(3, 2, false) + ack(3, 1, false) + ack(3, 3, false) + nack(3, 5, true) + ack(3, 6, false)
	for _, n := range []int{1, 3, 7, 21, 1000, 1 << 20} {
		codec, _ := query.Recognize([]byte("AMQP\x00\x00\x09\x01"))
		if codec == nil || codec.Speaks() != query.AMQP {
			t.Fatal("it is not recognized")
		}
		var got strings.Builder
		confirms := 0
		for at := 0; at < len(says); at += n {
			parts, err := codec.Answers([]byte(says[at:min(at+n, len(says))]))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range parts {
				if got.Write(p.Bytes); p.Confirm {
					confirms++
				}
			}
		}
		if got.String() != want || confirms != 10 || !codec.Idle() {
			t.Errorf("pieces of %d: %d confirms, %d bytes of %d", n, confirms, got.Len(), len(want))
		}
	}
	b := []byte(ack(1, 5, false))
	if query.Nack(b); string(b) != nack(1, 5, false) {
		t.Errorf("%x", b)
	}
	codec, _ := query.Recognize([]byte("AMQP"))
	for _, wrong := range []string{ack(1, 0, true), "HTTP/1.1", ack(1, 1<<40, true), nack(1, 1<<40, true)} {
		if _, err := codec.Answers([]byte(wrong)); err == nil {
			t.Errorf("%q is cut", wrong)
		}
	}
}

// FuzzBroker: no bytes make a codec of a broker fail otherwise than by an error.
func FuzzBroker(f *testing.F) {
	versions := kafkaAsk(kmsg.NewPtrApiVersionsRequest(), 0)
	f.Add(versions+kafkaAsk(produce("orders", -1, 10), 9), kafkaSays(10), uint16(3))
	f.Add("AMQP\x00\x00\x09\x01", ack(1, 4, true)+ack(1, 2, false), uint16(5))
	f.Fuzz(func(t *testing.T, asks, says string, n uint16) {
		c, _ := query.Recognize([]byte(asks))
		if c == nil {
			return
		}
		for at := 0; at < len(asks); at += int(n) + 1 {
			parts, err := c.Requests([]byte(asks[at:min(len(asks), at+int(n)+1)]))
			for _, p := range parts {
				if p.First && !p.Fixed {
					c.Refuse(p.Bytes, "6", "no")
				}
			}
			if err != nil {
				break
			}
		}
		for at := 0; at < len(says); at += int(n) + 1 {
			if _, err := c.Answers([]byte(says[at:min(len(says), at+int(n)+1)])); err != nil {
				break
			}
		}
	})
}
