package query

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// kafka cuts requests of Kafka's protocol and their answers, which a broker gives in the order of the requests.
type kafka struct {
	uncut

	skip   int  // remaining bytes of a request that is too long to be held
	free   bool // no answer follows them
	answer int  // remaining bytes of an answer
	inside bool // an answer has begun and not ended

	lists   map[uint32]int16 // versions of requests for the names of topics that are not answered, by their numbers
	list    []byte           // the answer so far if it may be one of theirs
	listing bool             // it may be
	fetched string           // the first topic of the last fetch that names one
}

// KafkaAPIs are the kinds of requests that can be refused, by their names in the protocol.
func KafkaAPIs() []string {
	names := make([]string, len(refusable))
	for i, key := range refusable {
		names[i] = key.Name()
	}
	return names
}

var refusable = []kmsg.Key{
	kmsg.Produce, kmsg.Fetch, kmsg.ListOffsets, kmsg.OffsetCommit, kmsg.FindCoordinator, kmsg.JoinGroup, kmsg.SyncGroup,
	kmsg.Heartbeat, kmsg.InitProducerID,
}

const (
	longestAsk   = 1 << 20   // of a request that is held until it is complete, in bytes; longer ones can't be refused
	longestFrame = 256 << 20 // of a request or an answer, in bytes
	mostKeys     = 128       // numbers of kinds of requests are lower
	mostVersion  = 32        // as are their versions
)

// isKafka reports whether b, of 8 bytes or more, begins as a request does: length, kind, version.
func isKafka(b []byte) bool {
	return binary.BigEndian.Uint16(b[4:]) < mostKeys && binary.BigEndian.Uint16(b[6:]) < mostVersion
}

func (*kafka) Speaks() string { return Kafka }

func (c *kafka) Idle() bool { return !c.inside && len(c.out) == 0 }

func (c *kafka) Requests(b []byte) ([]Part, error) { return c.requests(b, c.next) }

// next cuts one request, or a part of a long one, of n bytes; n is 0 if more bytes are needed.
func (c *kafka) next() (p Part, n int, err error) {
	if c.skip > 0 {
		n = min(c.skip, len(c.in))
		c.skip -= n
		return Part{Free: c.free, Last: !c.free && c.skip == 0}, n, nil
	}
	if len(c.in) < 12 {
		return p, 0, nil
	}
	size := int(binary.BigEndian.Uint32(c.in))
	if size < 8 || size > longestFrame || !isKafka(c.in) {
		return p, 0, errOther
	}
	whole := 4 + size
	if len(c.in) < min(whole, longestAsk) {
		return p, 0, nil
	}
	a, known := parseAsk(c.in[:min(whole, longestAsk)])
	c.expect(&a)
	if a.key == kmsg.SASLHandshake && a.version == 0 { // what follows has no form
		return p, 0, errRaw
	}
	if n = min(whole, len(c.in)); a.silent() {
		c.free, c.skip = true, whole-n
		return Part{Free: true}, n, nil
	}
	c.free, c.skip = false, whole-n
	return Part{First: true, Last: c.skip == 0, Name: c.name(&a), Fixed: !known}, n, nil
}

// ask is a request whose kind can be refused.
type ask struct {
	key     kmsg.Key
	version int16
	number  []byte
	body    []byte       // behind the header; nil: that is not understood
	request kmsg.Request // nil: its kind can't be refused, or it is not complete
}

// parseAsk reads a request. known reports whether it can be refused.
func parseAsk(b []byte) (a ask, known bool) {
	a = ask{key: kmsg.Key(binary.BigEndian.Uint16(b[4:])), version: int16(binary.BigEndian.Uint16(b[6:])), number: b[8:12]}
	if !slices.Contains(refusable, a.key) {
		return a, false // and it is answered
	}
	req := kmsg.RequestForKey(int16(a.key))
	if a.version > req.MaxVersion() {
		return a, false
	}
	req.SetVersion(a.version)
	rest := b[12:]
	if len(rest) < 2 {
		return a, false
	}
	client := max(0, int(int16(binary.BigEndian.Uint16(rest)))) // -1: none
	if rest = rest[2:]; len(rest) < client {
		return a, false
	}
	rest = rest[client:]
	if req.IsFlexible() {
		if len(rest) == 0 || rest[0] != 0 { // tags of the header, of which there are none so far
			return a, false
		}
		rest = rest[1:]
	}
	a.body = rest
	if req.ReadFrom(rest) != nil {
		return a, false
	}
	a.request = req
	return a, true
}

// silent reports whether a broker does not answer the request: one to produce, which asks for no acknowledgement.
func (a *ask) silent() bool {
	const named, compact = 3, 9 // versions from which a request has the name of a transaction, and how it is written
	if a.key != kmsg.Produce {
		return false
	}
	rest, n := a.body, 0
	switch {
	case a.version >= compact:
		size, read := binary.Uvarint(rest)
		n = max(0, read) + int(min(size, longestName))
		if size > 0 {
			n-- // it counts from 1; 0: none
		}
	case a.version >= named && len(rest) >= 2:
		n = 2 + max(0, int(int16(binary.BigEndian.Uint16(rest))))
	}
	return len(rest) >= n+2 && binary.BigEndian.Uint16(rest[n:]) == 0
}

// name returns the kind of the request, and its first topic if it names one. A fetch of a session without topics is
// about those of the fetch before.
func (c *kafka) name(a *ask) string {
	topic := ""
	switch r := a.request.(type) {
	case *kmsg.ProduceRequest:
		if len(r.Topics) > 0 {
			topic = named(r.Topics[0].Topic, r.Topics[0].TopicID)
		}
	case *kmsg.FetchRequest:
		if len(r.Topics) > 0 {
			c.fetched = named(r.Topics[0].Topic, r.Topics[0].TopicID)
		}
		if topic = c.fetched; len(r.Topics) == 0 && r.SessionID == 0 {
			topic = ""
		}
	case *kmsg.ListOffsetsRequest:
		if len(r.Topics) > 0 {
			topic = r.Topics[0].Topic
		}
	case *kmsg.OffsetCommitRequest:
		if len(r.Topics) > 0 {
			topic = named(r.Topics[0].Topic, r.Topics[0].TopicID)
		}
	}
	return a.key.Name() + " " + topic
}

// Refuse implements [Codec]. The code is the number of an error.
func (*kafka) Refuse(asked []byte, code, _ string) (wrong, end []byte) {
	a, known := parseAsk(asked)
	n, err := strconv.ParseInt(code, 10, 16)
	if !known || err != nil { // such requests are fixed
		return nil, nil
	}
	resp := a.request.ResponseKind()
	resp.SetVersion(a.version)
	a.fill(resp, int16(n))
	b := append([]byte{0, 0, 0, 0}, a.number...)
	if resp.IsFlexible() {
		b = append(b, 0) // no tags
	}
	b = resp.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b, nil
}

// fill puts an error code into an answer: of each partition that is asked for, or of the whole.
func (a *ask) fill(resp kmsg.Response, code int16) {
	switch to := resp.(type) {
	case *kmsg.ProduceResponse:
		for _, t := range a.request.(*kmsg.ProduceRequest).Topics {
			topic := kmsg.NewProduceResponseTopic()
			topic.Topic, topic.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				one := kmsg.NewProduceResponseTopicPartition()
				one.Partition, one.ErrorCode, one.BaseOffset = p.Partition, code, -1
				topic.Partitions = append(topic.Partitions, one)
			}
			to.Topics = append(to.Topics, topic)
		}
	case *kmsg.FetchResponse:
		for _, t := range a.request.(*kmsg.FetchRequest).Topics {
			topic := kmsg.NewFetchResponseTopic()
			topic.Topic, topic.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				one := kmsg.NewFetchResponseTopicPartition()
				one.Partition, one.ErrorCode, one.HighWatermark = p.Partition, code, -1
				topic.Partitions = append(topic.Partitions, one)
			}
			to.Topics = append(to.Topics, topic)
		}
		if len(to.Topics) == 0 { // the partitions are those of a session
			to.ErrorCode = code
		}
	case *kmsg.ListOffsetsResponse:
		for _, t := range a.request.(*kmsg.ListOffsetsRequest).Topics {
			topic := kmsg.NewListOffsetsResponseTopic()
			topic.Topic = t.Topic
			for _, p := range t.Partitions {
				one := kmsg.NewListOffsetsResponseTopicPartition()
				one.Partition, one.ErrorCode, one.Offset = p.Partition, code, -1
				topic.Partitions = append(topic.Partitions, one)
			}
			to.Topics = append(to.Topics, topic)
		}
	case *kmsg.OffsetCommitResponse:
		for _, t := range a.request.(*kmsg.OffsetCommitRequest).Topics {
			topic := kmsg.NewOffsetCommitResponseTopic()
			topic.Topic, topic.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				one := kmsg.NewOffsetCommitResponseTopicPartition()
				one.Partition, one.ErrorCode = p.Partition, code
				topic.Partitions = append(topic.Partitions, one)
			}
			to.Topics = append(to.Topics, topic)
		}
	case *kmsg.FindCoordinatorResponse:
		to.ErrorCode = code
		for _, key := range a.request.(*kmsg.FindCoordinatorRequest).CoordinatorKeys {
			one := kmsg.NewFindCoordinatorResponseCoordinator()
			one.Key, one.ErrorCode = key, code
			to.Coordinators = append(to.Coordinators, one)
		}
	case *kmsg.JoinGroupResponse:
		to.ErrorCode = code
	case *kmsg.SyncGroupResponse:
		to.ErrorCode = code
	case *kmsg.HeartbeatResponse:
		to.ErrorCode = code
	case *kmsg.InitProducerIDResponse:
		to.ErrorCode = code
	}
}

func (c *kafka) Answers(b []byte) (parts []Part, err error) {
	c.out = append(c.out, b...)
	at := 0
	for at < len(c.out) {
		from := at
		if !c.inside {
			if len(c.out)-at < 4 {
				break
			}
			size := binary.BigEndian.Uint32(c.out[at:])
			if size < 4 || size > longestFrame {
				c.out = c.out[at:]
				return parts, errOther
			}
			c.inside, c.answer, at = true, int(size), at+4
			c.list, c.listing = nil, len(c.lists) > 0
		}
		n := min(c.answer, len(c.out)-at)
		c.learn(c.out[at:at+n], n == c.answer)
		at, c.answer = at+n, c.answer-n
		c.inside = c.answer > 0
		parts = append(parts, Part{Bytes: slices.Clone(c.out[from:at]), Last: !c.inside})
	}
	if c.out = c.out[at:]; len(c.out) == 0 {
		c.out = nil
	}
	return parts, nil
}
