package peer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// readFrame reads a message behind its length of four bytes.
func readFrame(br *bufio.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(br, head); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head)
	if n < 4 || n > mostBody {
		return nil, errors.New("a message has a wrong length")
	}
	b := make([]byte, n)
	_, err := io.ReadFull(br, b)
	return b, err
}

// serveKafka answers requests of Kafka with their numbers alone.
func serveKafka(br *bufio.Reader, c *net.TCPConn) {
	for {
		b, err := readFrame(br)
		if err != nil || len(b) < 8 {
			return
		}
		if _, err := c.Write(append([]byte{0, 0, 0, 4}, b[4:8]...)); err != nil {
			return
		}
	}
}

// request sends a request of Kafka, of the kind and to the topic of the path, and reads its answer. The peer's has no
// body.
func (a *Client) request() (got Answer, err error) {
	kind, topic, _ := strings.Cut(a.web.Path, " ")
	req, err := askOf(kind, topic)
	if err != nil {
		return got, err
	}
	if _, err := a.c.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)); err != nil {
		return got, err
	}
	b, err := readFrame(a.br)
	if err != nil {
		return got, err
	}
	if got.Size = len(b); len(b) > 4 {
		got.Own, got.Status = true, 1
	}
	return got, nil
}

// askOf returns a request in the first version of its kind.
func askOf(kind, topic string) (kmsg.Request, error) {
	for key := range int16(kmsg.MaxKey) {
		if kmsg.NameForKey(key) != kind {
			continue
		}
		req := kmsg.RequestForKey(key)
		switch r := req.(type) {
		case *kmsg.ProduceRequest:
			r.Acks = 1
			one := kmsg.NewProduceRequestTopic()
			one.Topic, one.Partitions = topic, []kmsg.ProduceRequestTopicPartition{kmsg.NewProduceRequestTopicPartition()}
			r.Topics = append(r.Topics, one)
		case *kmsg.FetchRequest:
			one := kmsg.NewFetchRequestTopic()
			one.Topic, one.Partitions = topic, []kmsg.FetchRequestTopicPartition{kmsg.NewFetchRequestTopicPartition()}
			r.Topics = append(r.Topics, one)
		case *kmsg.ListOffsetsRequest:
			one := kmsg.NewListOffsetsRequestTopic()
			one.Topic, one.Partitions = topic,
				[]kmsg.ListOffsetsRequestTopicPartition{kmsg.NewListOffsetsRequestTopicPartition()}
			r.Topics = append(r.Topics, one)
		case *kmsg.OffsetCommitRequest:
			one := kmsg.NewOffsetCommitRequestTopic()
			one.Topic, one.Partitions = topic,
				[]kmsg.OffsetCommitRequestTopicPartition{kmsg.NewOffsetCommitRequestTopicPartition()}
			r.Topics = append(r.Topics, one)
		}
		return req, nil
	}
	return nil, fmt.Errorf("no request of Kafka is called %q", kind)
}

// The beginning of a connection of AMQP, and the frames of a message that is published and of its confirm. The confirm
// has the number of the message.
const (
	amqpHeader  = "AMQP\x00\x00\x09\x01"
	amqpPublish = "\x01\x00\x01\x00\x00\x00\x09\x00\x3c\x00\x28\x00\x00\x00\x00\x00\xce"
	amqpConfirm = "\x01\x00\x01\x00\x00\x00\x0d\x00\x3c\x00\x50"
)

// serveAMQP confirms messages.
func serveAMQP(br *bufio.Reader, c *net.TCPConn) {
	if _, err := br.Discard(len(amqpHeader)); err != nil {
		return
	}
	for tag := uint64(1); ; tag++ {
		if _, err := br.Discard(len(amqpPublish)); err != nil {
			return
		}
		b := binary.BigEndian.AppendUint64([]byte(amqpConfirm), tag)
		if _, err := c.Write(append(b, 0, 0xce)); err != nil {
			return
		}
	}
}

// publish publishes a message and reads its confirm. The proxy makes negative ones.
func (a *Client) publish() (got Answer, err error) {
	if _, err := io.WriteString(a.c, amqpPublish); err != nil {
		return got, err
	}
	b := make([]byte, len(amqpConfirm)+8+2)
	if _, err := io.ReadFull(a.br, b); err != nil {
		return got, err
	}
	got.Size = len(b)
	if got.Own = string(b[:len(amqpConfirm)]) != amqpConfirm; got.Own {
		got.Status = 1
	}
	return got, nil
}
