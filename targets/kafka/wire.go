package kafka

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/targets/http/h1"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// conn is a connection to a broker. It carries one request at a time.
type conn struct {
	*h1.Conn
	number int32              // of the last request
	speaks map[int16][2]int16 // least and highest version by kind of request; nil: not known yet
	buf    []byte
	claim  budget.Claim // of the last answer
}

// versions are the highest versions that brunt sends, by kind of request. Later versions name topics by their ids.
var versions = map[kmsg.Key]int16{
	kmsg.Produce: 9, kmsg.Fetch: 12, kmsg.ListOffsets: 6, kmsg.Metadata: 9, kmsg.OffsetCommit: 7, kmsg.OffsetFetch: 6,
	kmsg.FindCoordinator: 3, kmsg.JoinGroup: 6, kmsg.Heartbeat: 4, kmsg.LeaveGroup: 4, kmsg.SyncGroup: 4,
	kmsg.SASLHandshake: 1, kmsg.ApiVersions: 0, kmsg.InitProducerID: 3, kmsg.SASLAuthenticate: 1,
}

// formatter frames requests.
var formatter = kmsg.NewRequestFormatter(kmsg.FormatterClientID("brunt"))

// encode appends a request with its number, in the highest version that both sides know.
func (c *conn) encode(dst []byte, req kmsg.Request) ([]byte, error) {
	version := versions[kmsg.Key(req.Key())]
	if c.speaks != nil {
		has, known := c.speaks[req.Key()]
		if !known || has[0] > version {
			return dst, bad("the broker does not know %s in version %d or below", kmsg.NameForKey(req.Key()), version)
		}
		version = min(version, has[1])
	}
	req.SetVersion(version)
	c.number++
	return formatter.AppendRequest(dst, req, c.number), nil
}

// call sends a request on a connection that no load measures, and reads its answer by the deadline of ctx.
func (c *conn) call(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	until, _ := ctx.Deadline() // none: the zero time
	_ = c.SetDeadline(until)
	return c.exchange(req)
}

// exchange sends a request, and reads its answer by the deadline of the connection.
func (c *conn) exchange(req kmsg.Request) (resp kmsg.Response, err error) {
	defer scenarios.Recover(&err)
	if c.buf, err = c.encode(c.buf[:0], req); err != nil {
		return nil, err
	}
	c.renewClaim()
	br, err := c.Ask(c.buf, nil)
	if err != nil {
		return nil, err
	}
	defer h1.Release(br)
	message, err := readMessage(br, nil)
	if err != nil {
		return nil, err
	}
	return c.decode(message, req)
}

// renewClaim releases the memory of the last answer. The connection claims that of the next one.
func (c *conn) renewClaim() {
	c.claim.Release()
	c.Claim = &c.claim
}

const (
	sizeLength   = 4 // of the length before a message, in bytes
	numberLength = 4

	// elementMemory is the memory of an element of an answer, which has at least a byte
	elementMemory = 128
)

// readMessage reads a message into memory, without its length. The memory grows with the received bytes: a length
// alone must not claim it.
func readMessage(br *bufio.Reader, memory []byte) ([]byte, error) {
	var length [sizeLength]byte
	if _, err := io.ReadFull(br, length[:]); err != nil {
		return nil, err
	}
	n := int(int32(binary.BigEndian.Uint32(length[:])))
	if n < numberLength || n > h1.MaxBody {
		return nil, bad("an answer has %d bytes; brunt reads %d to %d MiB", n, numberLength, h1.MaxBody>>20)
	}
	for memory = memory[:0]; len(memory) < n; {
		from := len(memory)
		some := min(n-from, max(h1.KeptBody, from))
		memory = slices.Grow(memory, some)[:from+some]
		if _, err := io.ReadFull(br, memory[from:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return memory, nil
}

// decode parses the answer to a request. The answer refers to the bytes of the message.
func (c *conn) decode(message []byte, req kmsg.Request) (kmsg.Response, error) {
	if number := int32(binary.BigEndian.Uint32(message)); number != c.number {
		return nil, bad("the answer has the number %d, and the request had %d", number, c.number)
	}
	rest := message[numberLength:]
	resp := req.ResponseKind()
	if resp.IsFlexible() && resp.Key() != int16(kmsg.ApiVersions) {
		var err error
		if rest, err = skipTags(rest); err != nil {
			return nil, err
		}
	}
	if resp.Key() != int16(kmsg.Fetch) { // it has few elements, and large ones
		if err := c.claim.Wait(elementMemory * len(rest)); err != nil {
			return nil, err
		}
	}
	if err := resp.ReadFrom(rest); err != nil {
		return nil, bad("the answer to %s: %v", kmsg.NameForKey(req.Key()), err)
	}
	return resp, nil
}

// skipTags skips the tagged fields of a header (KIP-482).
func skipTags(b []byte) ([]byte, error) {
	in := scanner{b: b}
	for range in.uvarint() {
		in.uvarint()
		in.take(in.uvarint())
		if in.short {
			break
		}
	}
	if in.short {
		return nil, bad("the header of an answer is cut off")
	}
	return in.b, nil
}

// scanner reads fields of a message. Fields behind its end are zero, and set short.
type scanner struct {
	b     []byte
	short bool
}

func (s *scanner) uvarint() uint64 {
	v, n := binary.Uvarint(s.b)
	if n <= 0 {
		s.short, s.b = true, nil
		return 0
	}
	s.b = s.b[n:]
	return v
}

// varint reads a number in zigzag encoding.
func (s *scanner) varint() int64 {
	v := s.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (s *scanner) take(n uint64) []byte {
	if n > uint64(len(s.b)) {
		s.short, s.b = true, nil
		return nil
	}
	head := s.b[:n:n]
	s.b = s.b[n:]
	return head
}

// bytes reads a length in zigzag encoding and so many bytes; nil: the length is negative.
func (s *scanner) bytes() []byte {
	n := s.varint()
	if n < 0 {
		return nil
	}
	return s.take(uint64(n))
}

func (s *scanner) int8() int8 {
	if b := s.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (s *scanner) int16() int16 {
	if b := s.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (s *scanner) int32() int32 {
	if b := s.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (s *scanner) int64() int64 {
	if b := s.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}
