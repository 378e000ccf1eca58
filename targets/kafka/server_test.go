package kafka_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brunt/targets/targetstest"
)

// server is a broker with the behaviours that the suite needs, by the topic of a record. It parses by kmsg's requests,
// and knows nothing but ApiVersions, Metadata and Produce.
type server struct {
	*targetstest.Backend
	scheme string
	used   atomic.Int64 // connections that carried a record
}

// start starts a server that ends with the test.
func start(t testing.TB, secure bool) *server {
	s := &server{Backend: targetstest.Listen(t), scheme: "kafka"}
	if secure {
		s.Listener, s.scheme = tls.NewListener(s.Listener, targetstest.Certificate()), "kafkas"
	}
	s.Serve(t, s.serve)
	return s
}

func (s *server) Base() string { return s.scheme + "://" + s.Addr().String() }

// Connections implements [targetstest.Server]: those that carried a record.
func (s *server) Connections() int64 { return s.used.Load() }

func (s *server) serve(c net.Conn) {
	used := false
	for {
		var head [4]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		b := make([]byte, binary.BigEndian.Uint32(head[:]))
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		key, version, number := int16(binary.BigEndian.Uint16(b)), int16(binary.BigEndian.Uint16(b[2:])), b[4:8]
		req := kmsg.RequestForKey(key)
		req.SetVersion(version)
		b = b[8+2+binary.BigEndian.Uint16(b[8:]):] // the client's name
		if req.IsFlexible() {
			b = b[1:]
		}
		if err := req.ReadFrom(b); err != nil {
			return
		}
		resp := req.ResponseKind()
		switch req := req.(type) {
		case *kmsg.ApiVersionsRequest:
			for _, k := range []kmsg.Key{kmsg.ApiVersions, kmsg.Metadata, kmsg.Produce} {
				one := kmsg.NewApiVersionsResponseApiKey()
				one.ApiKey, one.MaxVersion = int16(k), kmsg.RequestForKey(int16(k)).MaxVersion()
				resp.(*kmsg.ApiVersionsResponse).ApiKeys = append(resp.(*kmsg.ApiVersionsResponse).ApiKeys, one)
			}
		case *kmsg.MetadataRequest:
			s.metadata(req, resp.(*kmsg.MetadataResponse))
		case *kmsg.ProduceRequest:
			if !used {
				used = true
				s.used.Add(1)
			}
			if !s.produce(c, req, resp.(*kmsg.ProduceResponse)) {
				return
			}
		}
		out := append(make([]byte, 4, 64), number...)
		if resp.IsFlexible() && key != int16(kmsg.ApiVersions) {
			out = append(out, 0)
		}
		out = resp.AppendTo(out)
		binary.BigEndian.PutUint32(out, uint32(len(out)-4))
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

func (s *server) metadata(req *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
	broker := kmsg.NewMetadataResponseBroker()
	host, port, _ := net.SplitHostPort(s.Addr().String())
	n, _ := strconv.Atoi(port)
	broker.NodeID, broker.Host, broker.Port = 1, host, int32(n)
	resp.Brokers = append(resp.Brokers, broker)
	for _, t := range req.Topics {
		one, p := kmsg.NewMetadataResponseTopic(), kmsg.NewMetadataResponseTopicPartition()
		one.Topic, p.Leader = t.Topic, 1
		one.Partitions = append(one.Partitions, p)
		resp.Topics = append(resp.Topics, one)
	}
}

// produce answers a record. It returns false if the connection ends instead.
func (s *server) produce(c net.Conn, req *kmsg.ProduceRequest, resp *kmsg.ProduceResponse) bool {
	t, p := kmsg.NewProduceResponseTopic(), kmsg.NewProduceResponseTopicPartition()
	t.Topic = req.Topics[0].Topic
	mark := ""
	if t.Topic == "hold" {
		var batch kmsg.RecordBatch
		if err := batch.ReadFrom(req.Topics[0].Partitions[0].Records); err != nil {
			return false
		}
		var r kmsg.Record
		if err := r.ReadFrom(batch.Records); err != nil {
			return false
		}
		mark = string(r.Value)
	}
	if !s.Behave(c, t.Topic, mark) {
		return false
	}
	if t.Topic == "fail" {
		p.ErrorCode = 19
	}
	t.Partitions = append(t.Partitions, p)
	resp.Topics = append(resp.Topics, t)
	return true
}
