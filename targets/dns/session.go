package dns

import (
	"bufio"
	"encoding/binary"
	"io"
	"slices"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/http/h1"
)

// session is a virtual user. It holds no memory: a call borrows the buffers that it needs.
type session struct {
	client *client
	*lines
	own bool // the sockets and connections belong to this user only
}

func (s *session) Close() error {
	if s.own {
		s.lines.close()
	}
	return nil
}

func (s *session) Do(it *template.Iter, by scenarios.Call, out *scenarios.Outcome) {
	t := exchanges.Get().(*exchange)
	t.Begin(&s.client.o, s.client.sockets, it, out)
	t.session, t.call = s, by.(*call)
	t.Progress.Do(t)
	t.end()
}

// exchange is a call in progress.
type exchange struct {
	calls.Progress
	*session
	call *call

	query  []byte // after two bytes for its length, which TCP sends too
	memory []byte // for the answer
	over   string // the transport that was used last: udp or tcp
	answer
}

// lengthSize is the size of the length before a message over TCP, in bytes.
const lengthSize = 2

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// mostKept is the maximum size in bytes of a call's buffer that is kept for the next call.
const mostKept = 8 << 10

// end returns everything that was borrowed.
func (t *exchange) end() {
	query, memory := t.query[:0], t.memory
	if cap(memory) > mostKept {
		memory = nil
	}
	*t = exchange{query: query, memory: memory}
	exchanges.Put(t)
}

// Compose implements [calls.Maker].
func (t *exchange) Compose() (err error) {
	t.query, err = t.call.compose(append(t.query[:0], 0, 0), t.It)
	binary.BigEndian.PutUint16(t.query, uint16(len(t.query)-lengthSize))
	return err
}

// Run implements [calls.Maker]. It asks again over TCP for a truncated answer.
func (t *exchange) Run() error {
	err := error(nil)
	if t.sockets != nil {
		t.over = "udp"
		err = calls.Make(&t.Progress, t.sockets, true, (*datagrams)(t))
	}
	if t.sockets == nil || err == nil && truncated(t.wire) {
		t.over = "tcp"
		err = calls.Make(&t.Progress, t.streams, true, (*stream)(t))
	}
	if err == nil {
		err = t.read(t.wire, t.call.decodes)
	}
	if err == nil {
		t.Out.Answered, t.Out.Status = true, int32(t.rcode)
	}
	return err
}

// datagrams is a call over UDP.
type datagrams exchange

// Exchange implements [calls.Trip]. After an error the next datagram may belong to this query, and so may the next
// error of the system.
func (t *datagrams) Exchange(s *socket) (calls.Fate, error) {
	c, query := t.client, t.query[lengthSize:]
	s.until(t.It.Deadline, h1.Slack(c.o.Timeout), c.o.T0)
	s.number++
	number(query, s.number)
	if _, err := s.Write(query); err != nil {
		return calls.Close, err
	}
	t.Wrote(t.Now())
	c.spoken[0].Store(true)
	// One byte more than fits shows that the server has sent more.
	t.memory = slices.Grow(t.memory[:0], t.call.size()+1)
	memory := t.memory[:t.call.size()+1]
	for {
		n, err := s.Read(memory)
		if err != nil {
			return calls.Close, err
		}
		if t.wire = memory[:n]; !belongs(t.wire, query) {
			continue
		}
		if t.Came(t.Now(), n); n == len(memory) {
			return calls.Close, tooLong
		}
		return t.Reusable(true), nil
	}
}

var (
	tooLong  = &targets.Error{Cause: scenarios.Protocol, Text: "the answer is longer than the query says that fits a datagram"}
	notAsked = &targets.Error{Cause: scenarios.Protocol, Text: "the message is not an answer to the query"}
)

// stream is a call over TCP or TLS.
type stream exchange

// Exchange implements [calls.Trip].
func (t *stream) Exchange(conn *h1.Conn) (calls.Fate, error) {
	clean, err := t.Asked(conn, t.query, t)
	if conn.WasSent {
		t.client.spoken[1].Store(true)
	}
	return t.Reusable(clean), err
}

// Read implements [calls.Reader].
func (t *stream) Read(br *bufio.Reader) error {
	var length [lengthSize]byte
	if _, err := io.ReadFull(br, length[:]); err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint16(length[:]))
	t.memory = slices.Grow(t.memory[:0], n)
	t.wire = t.memory[:n]
	if _, err := io.ReadFull(br, t.wire); err != nil {
		return err
	}
	t.Out.Bytes += int64(lengthSize + n)
	if !belongs(t.wire, t.query[lengthSize:]) {
		return notAsked
	}
	return nil
}

// Judge implements [calls.Maker].
func (t *exchange) Judge() {
	c, out := t.call, t.Out
	if targets.JudgeStatus(out, slices.Contains(c.shed, t.rcode), slices.Contains(c.rcodes, t.rcode),
		causes.Cause(int32(t.rcode))) {
		c.rest.Judge(&t.answer, t.It, out)
	}
}
