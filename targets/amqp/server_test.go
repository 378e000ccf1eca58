package amqp_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"brunt/targets/targetstest"
)

// server is a server of AMQP 0.9.1 with the behaviours that the suite needs, and a codec of its own. The routing key
// of a message says which; say answers all others.
type server struct {
	*targetstest.Backend
	scheme string
	say    func(key string, body []byte) []byte // all frames that it sends; nil: a confirm

	mu     sync.Mutex
	logins []string
}

// options are the settings of a server.
type options struct {
	secure bool
	begins []byte // what it says first; nil: connection.start
	refuse []byte // frames after the login; nil: connection.tune
	say    func(key string, body []byte) []byte
	method map[string][]byte // frames that answer a method, such as 60.20; nil: as usual
}

// start starts a server that ends with the test.
func start(t testing.TB, o options) *server {
	s := &server{Backend: targetstest.Listen(t), scheme: "amqp", say: o.say}
	if o.secure {
		s.Listener, s.scheme = tls.NewListener(s.Listener, targetstest.Certificate()), "amqps"
	}
	s.Serve(t, func(c net.Conn) { s.serve(c, o) })
	return s
}

func (s *server) Base() string { return s.scheme + "://" + s.Addr().String() }

// made is the frame of a method with its arguments.
func made(channel, class, number int, args ...any) []byte {
	var b bytes.Buffer
	_ = binary.Write(&b, binary.BigEndian, []uint16{uint16(class), uint16(number)})
	for _, a := range args {
		switch v := a.(type) {
		case string: // a short text
			b.WriteByte(byte(len(v)))
			b.WriteString(v)
		case []byte: // a long text or a table
			_ = binary.Write(&b, binary.BigEndian, uint32(len(v)))
			b.Write(v)
		default:
			_ = binary.Write(&b, binary.BigEndian, v)
		}
	}
	return framed(1, channel, b.Bytes())
}

// framed is a frame of some type.
func framed(kind, channel int, payload []byte) []byte {
	b := []byte{byte(kind), byte(channel >> 8), byte(channel), 0, 0, 0, 0}
	binary.BigEndian.PutUint32(b[3:], uint32(len(payload)))
	return append(append(b, payload...), 0xce)
}

// header is the header of a content without properties.
func header(size int) []byte {
	b := make([]byte, 14)
	b[1] = 60
	binary.BigEndian.PutUint64(b[4:], uint64(size))
	return framed(2, 1, b)
}

func next(in *bufio.Reader) (kind byte, payload []byte, err error) {
	head := make([]byte, 7)
	if _, err = io.ReadFull(in, head); err != nil {
		return 0, nil, err
	}
	payload = make([]byte, binary.BigEndian.Uint32(head[3:])+1)
	if _, err = io.ReadFull(in, payload); err != nil {
		return 0, nil, err
	}
	if payload[len(payload)-1] != 0xce {
		return 0, nil, fmt.Errorf("the client's frame does not end")
	}
	return head[0], payload[:len(payload)-1], nil
}

func (s *server) serve(c net.Conn, o options) {
	in := bufio.NewReader(c)
	hello := make([]byte, 8)
	if _, err := io.ReadFull(in, hello); err != nil {
		return
	}
	first := o.begins
	if first == nil {
		first = made(0, 10, 10, byte(0), byte(9), []byte{}, []byte("AMQPLAIN PLAIN"), []byte("en_US"))
	}
	if _, err := c.Write(first); err != nil {
		return
	}
	var key string
	var body []byte
	var size, published uint64
	for {
		kind, payload, err := next(in)
		if err != nil {
			return
		}
		var answer []byte
		switch kind {
		case 1:
			m := fmt.Sprint(binary.BigEndian.Uint16(payload), ".", binary.BigEndian.Uint16(payload[2:]))
			switch m {
			case "10.11":
				s.mu.Lock()
				s.logins = append(s.logins, string(payload))
				s.mu.Unlock()
				if answer = o.refuse; answer == nil {
					answer = made(0, 10, 30, uint16(2047), uint32(4096), uint16(60))
				}
			case "10.40":
				answer = made(0, 10, 41, "")
			case "20.10":
				answer = made(1, 20, 11, []byte{})
			case "85.10":
				answer = made(1, 85, 11)
			case "60.10":
				answer = made(1, 60, 11)
			case "60.20":
				answer = made(1, 60, 21, "tag")
			case "60.40":
				args := payload[6:]
				args = args[1+args[0]:] // the exchange
				key = string(args[1 : 1+args[0]])
			}
			if said := o.method[m]; said != nil {
				answer = said
			}
		case 2:
			size, body = binary.BigEndian.Uint64(payload[4:]), nil
		case 3:
			body = append(body, payload...)
		}
		if kind != 1 && uint64(len(body)) == size {
			published++
			var cut bool
			if answer, cut = s.answer(c, key, body, published); cut {
				return
			}
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

func (s *server) answer(c net.Conn, key string, body []byte, n uint64) (answer []byte, cut bool) {
	switch {
	case !s.Behave(c, key, string(body)):
		return nil, true
	case key == "fail":
		return made(1, 60, 120, n, byte(0)), false
	case s.say != nil && !strings.HasPrefix(key, "answer"):
		return s.say(key, body), false
	}
	return made(1, 60, 80, n, byte(0)), false
}
