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
	t.session, t.call, t.it, t.out = s, by.(*call), it, out
	err := t.compose()
	if err != nil {
		out.Slot = s.client.o.Now()
	} else if err = t.run(); err == nil {
		t.judge()
	}
	if err != nil {
		targets.Fail(out, err, max(s.client.o.Now(), out.Slot), it.Deadline, s.client.sockets.Over().Err() != nil)
	}
	t.sample(err)
	t.end()
}

// exchange is a call in progress.
type exchange struct {
	*session
	call *call
	it   *template.Iter
	out  *scenarios.Outcome

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

// compose renders the query.
func (t *exchange) compose() (err error) {
	t.query, err = t.call.compose(append(t.query[:0], 0, 0), t.it)
	binary.BigEndian.PutUint16(t.query, uint16(len(t.query)-lengthSize))
	return err
}

// run sends the query and reads its answer. It asks again over TCP for a truncated answer.
func (t *exchange) run() error {
	out := t.out
	var message []byte
	var err error
	if t.sockets != nil {
		if message, err = t.askUDP(); err == nil && truncated(message) {
			message, err = t.askTCP(true)
		}
	} else {
		message, err = t.askTCP(false)
	}
	if err != nil {
		return err
	}
	if out.End > t.it.Deadline {
		return targets.ErrLate
	}
	if err := t.read(message, t.call.decodes); err != nil {
		return err
	}
	out.Answered, out.Status = true, int32(t.rcode)
	return nil
}

// askUDP sends the query by a datagram, and waits for the datagram with its answer.
func (t *exchange) askUDP() ([]byte, error) {
	c, out, deadline := t.client, t.out, t.it.Deadline
	t.over = "udp"
	s, slot, _, err := t.sockets.Get(deadline, &out.Opening)
	if out.Slot = slot; err != nil {
		return nil, err
	}
	message, err := t.askSocket(s)
	out.End = c.o.Now()
	// After an error the next datagram may belong to this query, and so may the next error of the system.
	t.sockets.Put(s, err == nil && c.o.KeepsAlive())
	return message, err
}

func (t *exchange) askSocket(s *socket) ([]byte, error) {
	c, out, query := t.client, t.out, t.query[lengthSize:]
	s.until(t.it.Deadline, c.slack, c.o.T0)
	s.number++
	number(query, s.number)
	if _, err := s.Write(query); err != nil {
		return nil, err
	}
	out.Sent, out.WasSent, out.Attempts = c.o.Now(), true, 1
	c.spoken[0].Store(true)
	// One byte more than fits shows that the server has sent more.
	t.memory = slices.Grow(t.memory[:0], t.call.size()+1)
	memory := t.memory[:t.call.size()+1]
	for {
		n, err := s.Read(memory)
		if err != nil {
			return nil, err
		}
		if !belongs(memory[:n], query) {
			continue
		}
		out.First = c.o.Now()
		out.Bytes += int64(n)
		if n == len(memory) {
			return nil, tooLong
		}
		return memory[:n], nil
	}
}

var (
	tooLong  = &targets.Error{Cause: scenarios.Protocol, Text: "the answer is longer than the query says that fits a datagram"}
	notAsked = &targets.Error{Cause: scenarios.Protocol, Text: "the message is not an answer to the query"}
)

// askTCP sends the query over a connection and reads its answer. Again says that it was sent over UDP before.
func (t *exchange) askTCP(again bool) ([]byte, error) {
	c, out, deadline := t.client, t.out, t.it.Deadline
	t.over = "tcp"
	conn, slot, _, err := t.streams.Get(deadline, &out.Opening)
	if !again {
		out.Slot = slot
	}
	if err != nil {
		return nil, err
	}
	var br *bufio.Reader
	for again := (targets.Resend{Repeats: true}); ; {
		conn.Until(deadline, c.slack)
		if br, err = conn.Ask(t.query, nil); !again.After(err, out) {
			break
		}
		if conn, err = t.streams.Replace(conn, deadline, &out.Opening); err != nil {
			return nil, err
		}
	}
	if conn.WasSent {
		out.Attempts++
		c.spoken[1].Store(true)
		if !again {
			out.Sent, out.WasSent = conn.Sent, true
		}
	}
	if err != nil {
		t.streams.Put(conn, false)
		return nil, err
	}
	if !again {
		out.First = conn.First
	}
	message, err := t.readTCP(br)
	if out.End = conn.First; conn.Reads > 1 || err != nil { // otherwise the last byte came with the first
		out.End = c.o.Now()
	}
	clean := err == nil && br.Buffered() == 0
	h1.Release(br)
	t.streams.Put(conn, clean && c.o.KeepsAlive())
	return message, err
}

// readTCP reads a message of TCP.
func (t *exchange) readTCP(br *bufio.Reader) (message []byte, err error) {
	defer scenarios.Recover(&err) // of TLS
	var length [lengthSize]byte
	if _, err := io.ReadFull(br, length[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(length[:]))
	t.memory = slices.Grow(t.memory[:0], n)
	message = t.memory[:n]
	if _, err := io.ReadFull(br, message); err != nil {
		return nil, err
	}
	t.out.Bytes += int64(lengthSize + n)
	if !belongs(message, t.query[lengthSize:]) {
		return nil, notAsked
	}
	return message, nil
}

// judge records the results of the checks in the outcome, and extracts variables from the answer.
func (t *exchange) judge() {
	c, out := t.call, t.out
	if targets.JudgeStatus(out, slices.Contains(c.shed, t.rcode), slices.Contains(c.rcodes, t.rcode),
		causes.Cause(int32(t.rcode))) {
		c.rest.Judge(&t.answer, t.it, out)
	}
}
