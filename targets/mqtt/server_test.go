package mqtt_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"brunt/targets/targetstest"
)

// server is a server of MQTT's protocol with the behaviours that the suite needs. The topic of a message says which;
// say answers all others.
type server struct {
	*targetstest.Backend
	scheme, query string
	say           func(topic, body string, id []byte) string // all that it sends; empty: a PUBACK

	pings atomic.Int64
	deaf  atomic.Bool // it does not answer pings
	told  atomic.Bool // a client has subscribed

	mu    sync.Mutex
	hello [][]byte // the CONNECTs
	bye   int      // DISCONNECTs
	open  map[net.Conn]bool
}

// options are the settings of a server.
type options struct {
	secure  bool
	query   string // of the URL of its endpoint
	connack string // empty: the client is accepted
	news    string // follows each SUBACK
	once    bool   // news follows the first SUBACK alone, however often a client that gave up subscribes again
	say     func(topic, body string, id []byte) string
}

// start starts a server that ends with the test.
func start(t testing.TB, o options) *server {
	s := &server{
		Backend: targetstest.Listen(t), scheme: "mqtt", query: o.query, say: o.say, open: map[net.Conn]bool{},
	}
	var config *tls.Config
	if o.secure {
		s.scheme, config = "mqtts", targetstest.Certificate()
	}
	s.Serve(t, func(c net.Conn) { s.serve(c, config, o) })
	return s
}

func (s *server) Base() string { return s.scheme + "://" + s.Addr().String() + s.query }

// readPacket reads a packet of a client.
func readPacket(r *bufio.Reader) (first byte, body []byte, err error) {
	if first, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return first, body, err
}

func (s *server) serve(raw net.Conn, config *tls.Config, o options) {
	c, version := raw, byte(5)
	if config != nil {
		c = tls.Server(raw, config)
	}
	s.mu.Lock()
	s.open[c] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, c)
	}()
	for in := bufio.NewReader(c); ; {
		first, body, err := readPacket(in)
		if err != nil {
			return
		}
		answer := ""
		switch first >> 4 {
		case 1: // CONNECT
			s.mu.Lock()
			s.hello = append(s.hello, body)
			s.mu.Unlock()
			if version = body[6]; version == 5 {
				answer = "\x20\x03\x00\x00\x00"
			} else {
				answer = "\x20\x02\x00\x00"
			}
			if o.connack != "" {
				answer = o.connack
			}
		case 3: // PUBLISH
			n := int(binary.BigEndian.Uint16(body))
			topic, rest := string(body[2:2+n]), body[2+n:]
			var id []byte
			if first&6 > 0 {
				id, rest = rest[:2], rest[2:]
			}
			if version == 5 {
				n, k := binary.Uvarint(rest)
				rest = rest[k+int(n):]
			}
			var cut bool
			if answer, cut = s.answer(raw, topic, string(rest), id); cut {
				return
			}
		case 8: // SUBSCRIBE
			answer = "\x90\x04" + string(body[:2]) + "\x00\x02"
			if !s.told.Swap(true) || !o.once {
				answer += o.news
			}
		case 12:
			if s.pings.Add(1); !s.deaf.Load() {
				answer = "\xd0\x00"
			}
		case 14:
			s.mu.Lock()
			s.bye++
			s.mu.Unlock()
			return
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

// each does something with each connection.
func (s *server) each(do func(net.Conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		do(c)
	}
}

func (s *server) answer(raw net.Conn, topic, body string, id []byte) (answer string, cut bool) {
	switch {
	case !s.Behave(raw, topic, body):
		return "", true
	case topic == "fail":
		return ack(4, id, 0x87), false
	case s.say != nil:
		return s.say(topic, body, id), false
	}
	return ack(4, id, 0), false
}

// ack is an acknowledgement of a message with a reason code.
func ack(kind byte, id []byte, code byte) string {
	b := append([]byte{kind << 4, 2}, id...)
	if code > 0 {
		b[1] = 3
		b = append(b, code)
	}
	return string(b)
}

// sends is a message of QoS 0 to a topic, by MQTT 5.
func sends(topic, body string) string {
	rest := append([]byte{0, byte(len(topic))}, topic...)
	rest = append(append(rest, 0), body...)
	return string(bytes.Join([][]byte{binary.AppendUvarint([]byte{0x30}, uint64(len(rest))), rest}, nil))
}
