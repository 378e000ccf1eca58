package query_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"brunt/chaos/proxy/codec/query"
)

// packet is a packet of MySQL.
func packet(seq byte, body string) string {
	n := len(body)
	return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), seq}) + body
}

// greeting and login begin a connection of MySQL whose client has capabilities.
var greeting = packet(0, "\x0a5.5.5-10.11.6-MariaDB\x00"+strings.Repeat("a", 40))

func login(can uint32, extended byte) string {
	b := binary.LittleEndian.AppendUint32(nil, can)
	return packet(1, string(b)+strings.Repeat("\x00", 24)+string([]byte{extended, 0, 0, 0})+"root\x00\x00")
}

const (
	without = 1<<9 | 1<<24 // no EOF
	with    = 1<<9 | 1     // EOF
	okay    = "\x00\x00\x00\x02\x00\x00\x00"
	inside  = "\x00\x00\x00\x03\x00\x00\x00" // a transaction
	eof     = "\xfe\x00\x00\x02\x00"
	endOK   = "\xfe\x00\x00\x02\x00\x00\x00" // of rows, without EOF
)

// begun is the codec of a connection that is logged in.
func begun(t *testing.T, hello string) query.Codec {
	t.Helper()
	c, _ := query.Greets([]byte(greeting))
	if c == nil {
		t.Fatal("the greeting is not recognized")
	}
	for _, step := range []struct {
		feed func([]byte) ([]query.Part, error)
		b    string
	}{{c.Answers, greeting}, {c.Requests, hello}, {c.Answers, packet(2, okay)}} {
		if _, err := step.feed([]byte(step.b)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// TestMySQL: whatever the pieces in which bytes come, requests and answers are the same, and every byte passes once.
func TestMySQL(t *testing.T) {
	columns := packet(1, "\x02") + packet(2, "def a") + packet(3, "def b")
	for _, c := range []struct{ name, hello, asks, says, wantAsks, wantSays string }{
		{
			"a change", login(with, 0), packet(0, "\x03Update\n a set b = 1"), packet(1, okay), "[update a set b = 1]24|",
			"11|",
		},
		{"an error", login(with, 0), packet(0, "\x03select"), packet(1, "\xff\x28\x04#42000no"), "[select]11|", "15|"},
		{
			"rows", login(with, 0), packet(0, "\x03select a"),
			columns + packet(4, eof) + packet(5, "\x011\x012") + packet(6, eof), "[select a]13|", "49|",
		},
		{
			"rows without EOF", login(without, 0), packet(0, "\x03select a"), columns + packet(4, "\x011") + packet(5, endOK),
			"[select a]13|", "40|",
		},
		{
			"no columns again", login(without&^1, 16), packet(0, "\x03select a"),
			packet(1, "\x02\x00") + packet(2, "\x011\x012") + packet(3, endOK), "[select a]13|", "25|",
		},
		{
			"several results", login(with, 0), packet(0, "\x03select a"),
			packet(1, "\x00\x00\x00\x0a\x00\x00\x00") + packet(2, "\x01") + packet(3, "d") + packet(4, eof) +
				packet(5, "\xfe\x00\x00\x0a\x00") + packet(6, okay),
			"[select a]13|", "50|",
		},
		{
			"prepared", login(with, 0), packet(0, "\x16select ?"),
			packet(1, "\x00\x07\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00") + packet(2, "p") + packet(3, eof) +
				packet(4, "c") + packet(5, eof), "[select ?]13|", "44|",
		},
		{"an attribute", login(with|1<<27, 0), packet(0, "\x03\x00\x01select 1"), packet(1, okay), "[select 1]15|", "11|"},
		{"ping", login(with, 0), packet(0, "\x0e"), packet(1, okay), "<>5|", "11|"},
		{"rollback", login(with, 0), packet(0, "\x03ROLLBACK"), packet(1, okay), "<rollback>13|", "11|"},
		{
			"without answers", login(with, 0), packet(0, "\x19\x07\x00\x00\x00") + packet(0, "\x03select 1"), packet(1, okay),
			"[select 1]13|", "11|",
		},
	} {
		for _, n := range []int{1, 2, 7, 1 << 20} {
			codec := begun(t, c.hello)
			asks, err := cut(t, codec.Requests, func() []byte { return codec.Rest(true) }, c.asks, n)
			if asks != c.wantAsks || err != nil {
				t.Errorf("%s in pieces of %d: %s, %v", c.name, n, asks, err)
			}
			says, err := cut(t, codec.Answers, func() []byte { return codec.Rest(false) }, c.says, n)
			if says != c.wantSays || err != nil || !codec.Idle() {
				t.Errorf("%s in pieces of %d: said %s, %v", c.name, n, says, err)
			}
		}
	}
	codec := begun(t, login(with, 0))
	for _, step := range []struct{ says, want string }{
		{okay, "false"}, {inside, "true"}, {inside, "true"}, {okay, "false"},
	} {
		parts, err := codec.Requests([]byte(packet(0, "\x03select 1")))
		if _, wrong := codec.Answers([]byte(packet(1, step.says))); err != nil || wrong != nil || len(parts) != 1 {
			t.Fatalf("%v, %v", err, wrong)
		}
		if parts, _ = codec.Requests([]byte(packet(0, "\x03select 1"))); (step.want == "true") != parts[0].Within {
			t.Errorf("within a transaction: %v, want %s", parts[0].Within, step.want)
		}
		if got, end := codec.Refuse(nil, "23000", "no"); string(got) != packet(1, "\xff\x26\x04#23000no") || end != nil {
			t.Errorf("%q, %q", got, end)
		}
	}
}

// TestMySQL_Raw: what can't be cut passes as it is: TLS, compression, files of the client, and replication.
func TestMySQL_Raw(t *testing.T) {
	for name, can := range map[string]uint32{"TLS": with | 1<<11, "compression": with | 1<<5, "an old form": 1} {
		c, _ := query.Greets([]byte(greeting))
		_, _ = c.Answers([]byte(greeting))
		hello := login(can, 0)
		if _, err := c.Requests([]byte(hello)); err == nil || string(c.Rest(true)) != hello {
			t.Errorf("%s is cut", name)
		}
	}
	c := begun(t, login(with, 0))
	if _, err := c.Requests([]byte(packet(0, "\x12"))); err == nil {
		t.Error("replication is cut")
	}
	c = begun(t, login(with, 0))
	_, _ = c.Requests([]byte(packet(0, "\x03load data")))
	if _, err := c.Answers([]byte(packet(1, "\xfbfile"))); err == nil {
		t.Error("a file of the client is cut")
	}
	if _, err := c.Requests([]byte(packet(0, "\x03select 1"))); err == nil {
		t.Error("a request that does not wait for the answer to the last one is cut")
	}
}

// FuzzMySQL: no bytes make the codec fail otherwise than by an error, and all of them pass.
func FuzzMySQL(f *testing.F) {
	f.Add(packet(0, "\x03select 1"), packet(1, "\x01")+packet(2, "d")+packet(3, eof)+packet(4, eof), uint8(3),
		uint32(with))
	f.Add(packet(0, "\x16select ?"), packet(1, "\x00\x07\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00")+packet(2, "p"),
		uint8(9), uint32(without))
	f.Add(packet(0, "\x17\x07\x00\x00\x00"), packet(1, endOK)+packet(2, okay), uint8(1), uint32(with|1<<27))
	f.Fuzz(func(t *testing.T, asks, says string, n uint8, can uint32) {
		c, _ := query.Greets([]byte(greeting))
		_, _ = c.Answers([]byte(greeting))
		if _, err := c.Requests([]byte(login(can, byte(can>>8)))); err != nil {
			return
		}
		_, _ = c.Answers([]byte(packet(2, okay)))
		_, _ = cut(t, c.Requests, func() []byte { return c.Rest(true) }, asks, int(n)+1)
		_, _ = cut(t, c.Answers, func() []byte { return c.Rest(false) }, says, int(n)+1)
		if c.Refuse(nil, "23000", says); len(c.Rest(true)) > 0 {
			return
		}
		_, _ = cut(t, c.Requests, func() []byte { return c.Rest(true) }, asks, int(n)+1)
	})
}
