package query_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"brunt/chaos/proxy/codec/query"
)

// message is a message of PostgreSQL.
func message(kind, body string) string {
	n := 4 + len(body)
	return kind + string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + body
}

// start is what a connection of PostgreSQL begins with.
var start = message("", "\x00\x03\x00\x00user\x00a\x00\x00")

// mongoMessage is a message of MongoDB.
func mongoMessage(number, to, kind, flags uint32, body string) string {
	var b []byte
	for _, n := range []uint32{uint32(20 + len(body)), number, to, kind, flags} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return string(b) + body
}

// inserts begins a section of a message of MongoDB: insert into orders.
const inserts = "\x00\x00\x00\x00\x00\x02insert\x00\x07\x00\x00\x00orders\x00"

const asksTLS = "\x00\x00\x00\x08\x04\xd2\x16\x2f"

// cut feeds bytes in pieces of n, and describes the parts: [name of a request that may be refused], <name of one that
// must not>, the number of bytes in a request or answer, | at its end, and (bytes) of neither.
func cut(t *testing.T, feed func([]byte) ([]query.Part, error), rest func() []byte, all string, n int) (string, error) {
	t.Helper()
	var said strings.Builder
	var came bytes.Buffer
	var err error
	size := 0
	for at := 0; at < len(all) && err == nil; at += n {
		var parts []query.Part
		parts, err = feed([]byte(all[at:min(len(all), at+n)]))
		for _, p := range parts {
			came.Write(p.Bytes)
			switch {
			case p.Free:
				continue
			case p.First && p.Fixed:
				fmt.Fprintf(&said, "<%s>", p.Name)
			case p.First:
				fmt.Fprintf(&said, "[%s]", p.Name)
			}
			if size += len(p.Bytes); p.Last {
				fmt.Fprintf(&said, "%d|", size)
				size = 0
			}
		}
		if err != nil || at+n >= len(all) {
			came.Write(rest())
			if want := all[:min(len(all), at+n)]; came.String() != want {
				t.Errorf("pieces of %d: %q passed of %q", n, came.String(), want)
			}
		}
	}
	return said.String(), err
}

// TestCodec: whatever the pieces in which bytes come, requests and answers are the same, and every byte passes once.
func TestCodec(t *testing.T) {
	login := message("R", "\x00\x00\x00\x00") + message("Z", "I")
	long := strings.Repeat("x", 9000)
	for _, c := range []struct{ name, asks, says, wantAsks, wantSays string }{
		{
			"redis", "*2\r\n$3\r\nget\r\n$6\r\nuser:1\r\n*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$9000\r\n" + long +
				"\r\n",
			"$-1\r\n+PONG\r\n>2\r\n+pushed\r\n:1\r\n*2\r\n*1\r\n$3\r\na\nb\r\n%1\r\n+k\r\n|1\r\n+a\r\n+b\r\n_\r\n-ERR no\r\n",
			"[GET user:1]25|[PING ]14|[SET a]9029|", "5|7|40|9|",
		},
		{
			"mongo",
			mongoMessage(7, 0, 2004, 0, "legacy") + mongoMessage(8, 0, 2013, 0, inserts) +
				mongoMessage(9, 0, 2013, 2, inserts) + mongoMessage(10, 0, 2013, 0, "\x01\x04\x00\x00\x00"+inserts) +
				mongoMessage(11, 0, 2013, 0, inserts+long) + mongoMessage(12, 0, 2013, 0, "\x00\x00\x00\x00\x00\x10hello\x00\x01\x00\x00\x00\x00"),
			mongoMessage(1, 7, 1, 0, "reply") + mongoMessage(2, 8, 2013, 2, long) + mongoMessage(2, 8, 2013, 0, ""),
			"<>26|[insert orders]44|[insert orders]49|[insert orders]9044|<hello >37|", "25|9040|",
		},
		{
			"redis transaction",
			"*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n", "",
			"<MULTI >15|<INCR a>21|<EXEC >14|[INCR a]21|", "",
		},
		{
			"postgres", start + message("p", "secret") + message("Q", "SELECT\n  1\x00") +
				message("P", "b1\x00Update a set b = $1\x00\x00\x00") + message("B", "\x00b1\x00") +
				message("E", "\x00\x00\x00\x00\x00") + message("S", "") + message("B", "\x00b1\x00"+long) + message("E", "\x00") +
				message("S", "") +
				message("Q", "select '"+long+"'\x00") + message("d", long) + message("c", "") + message("X", ""),
			login + message("T", long) + message("C", "SELECT 1\x00") + message("Z", "T") + message("A", "news") +
				message("1", "") + message("Z", "I"),
			"[select 1]16|[update a set b = $1]54|[update a set b = $1]9020|[select '" + long[:4088] + "]9015|", "9025|20|",
		},
		{
			"postgres without TLS", asksTLS + start + message("Q", "begin\x00"), "N" + login + message("Z", "T"), "[begin]11|",
			"6|",
		},
	} {
		for _, n := range []int{1, 2, 7, 4096, 1 << 20} {
			codec, _ := query.Recognize([]byte(c.asks))
			if codec == nil {
				t.Fatalf("%s is not recognized", c.name)
			}
			early := 0
			for _, one := range []string{asksTLS, start} { // the server answers before more comes
				if strings.HasPrefix(c.asks[early:], one) {
					if got, err := cut(t, codec.Requests, func() []byte { return codec.Rest(true) }, one, n); got != "" || err != nil {
						t.Errorf("%s: %s, %v", c.name, got, err)
					}
					reply := login
					if one == asksTLS {
						reply = "N"
					}
					if got, err := cut(t, codec.Answers, func() []byte { return codec.Rest(false) }, reply, n); got != "" ||
						err != nil {
						t.Errorf("%s: %s, %v", c.name, got, err)
					}
					c.says = strings.TrimPrefix(c.says, reply)
					early += len(one)
				}
			}
			asks, err := cut(t, codec.Requests, func() []byte { return codec.Rest(true) }, c.asks[early:], n)
			if asks != c.wantAsks || err != nil {
				t.Errorf("%s in pieces of %d: %.300s, %v", c.name, n, asks, err)
			}
			says, err := cut(t, codec.Answers, func() []byte { return codec.Rest(false) }, c.says, n)
			if says != c.wantSays || err != nil || !codec.Idle() {
				t.Errorf("%s in pieces of %d: said %s, %v", c.name, n, says, err)
			}
		}
	}
}

// TestRefuse: within a transaction of PostgreSQL, a refusal is that of one that failed.
func TestRefuse(t *testing.T) {
	c, _ := query.Recognize([]byte(start))
	_, _ = c.Requests([]byte(start))
	for _, state := range []string{"I", "T", "E"} {
		_, _ = c.Answers([]byte(message("Z", state)))
		want := map[string]string{"I": "I", "T": "E", "E": "E"}[state]
		wrong, end := c.Refuse(nil, "40001", "no")
		if got := string(wrong) + string(end); got != message("E", "SERROR\x00VERROR\x00C40001\x00Mno\x00\x00")+
			message("Z", want) {
			t.Errorf("%s: %q", state, got)
		}
	}
	r, _ := query.Recognize([]byte("*1"))
	if got, end := r.Refuse(nil, "BUSY no", ""); string(got) != "-BUSY no\r\n" || end != nil {
		t.Errorf("%q, %q", got, end)
	}
}

// TestRecognize: other protocols are left alone, and so are connections that change to another form.
func TestRecognize(t *testing.T) {
	for first, want := range map[string]string{
		"": "maybe", "GET / HTTP/1.1": "none", "\x00\x00\x00\x00\x00\x00\x00\x01": "none", "\x00\x00\x00": "none",
		"*1\r\n": "redis", start: "sql", asksTLS: "sql",
		"\x2a\x00\x00\x00": "maybe", mongoMessage(1, 0, 2013, 0, inserts): "mongo",
		mongoMessage(1, 0, 2010, 0, inserts): "none",
	} {
		c, maybe := query.Recognize([]byte(first))
		got := map[bool]string{true: "maybe", false: "none"}[maybe]
		if c != nil {
			got = c.Speaks()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", first, got, want)
		}
	}
	for _, asks := range []string{
		"*2\r\n$9\r\nsubscribe\r\n$1\r\na\r\n", "*1\r\n$7\r\nMONITOR\r\n",
		"*3\r\n$6\r\nCLIENT\r\n$5\r\nreply\r\n$3\r\nOFF\r\n", "PING\r\n", "*x\r\n",
	} {
		c, _ := query.Recognize([]byte("*"))
		if _, err := c.Requests([]byte(asks)); err == nil {
			t.Errorf("%q is cut", asks)
		}
	}
	c, _ := query.Recognize([]byte(asksTLS))
	_, _ = c.Requests([]byte(asksTLS))
	if _, err := c.Answers([]byte("S")); err == nil {
		t.Error("TLS is cut")
	}
}

// FuzzCodec: no bytes make a codec fail otherwise than by an error, and all of them pass.
func FuzzCodec(f *testing.F) {
	f.Add("*1\r\n$4\r\nPING\r\n", "+PONG\r\n", uint8(3))
	f.Add(mongoMessage(1, 0, 2013, 0, inserts), mongoMessage(2, 1, 2013, 0, ""), uint8(9))
	f.Add(start+message("Q", "select 1\x00"), message("Z", "I")+message("C", "a"), uint8(5))
	f.Fuzz(func(t *testing.T, asks, says string, n uint8) {
		c, _ := query.Recognize([]byte(asks))
		if c == nil {
			return
		}
		_, _ = cut(t, c.Requests, func() []byte { return c.Rest(true) }, asks, int(n)+1)
		_, _ = cut(t, c.Answers, func() []byte { return c.Rest(false) }, says, int(n)+1)
	})
}
