package stream

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"brunt/scenarios/syntax"
	"brunt/scenarios/syntax/syntaxtest"
)

// framed decodes a framing from YAML.
func framed(t *testing.T, text string) *framing {
	t.Helper()
	var m syntax.Mistakes
	f := new(framing)
	f.DecodeNode(syntaxtest.Parse(t, text), &m)
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestFraming_Body: a message whose head says how long its body is may hold its own end, and one that does not say so
// may not.
func TestFraming_Body(t *testing.T) {
	f := framed(t, `{until: "\r\n", body: "~ ^(?:VALUE|set) .* ([0-9]+)$"}`)
	came := "STORED\r\nVALUE k 0 8\r\na\r\nb\r\nc\n\r\nEND\r\nVALUE k 0 0\r\n\r\nEND\r\n"
	br := bufio.NewReader(strings.NewReader(came))
	for _, want := range []string{"STORED", "VALUE k 0 8\r\na\r\nb\r\nc\n", "END", "VALUE k 0 0\r\n", "END"} {
		got, err := f.read(br, nil, func() {})
		if err != nil || string(got) != want {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
	for _, c := range []struct{ name, came, want string }{
		{"cut off within the body", "VALUE k 0 9\r\nabc", "unexpected EOF"},
		{"no end after the body", "VALUE k 0 3\r\nabcdef", `after 3 bytes of a body comes no "\r\n"`},
		{"too long", "VALUE k 0 999999999\r\nabc", "message"},
		{"no number", "VALUE k 0 99999999999999\r\nabc", "is no number of bytes"},
	} {
		if got, err := f.read(bufio.NewReader(strings.NewReader(c.came)), nil, func() {}); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	for text, sent := range map[string]bool{
		"get k":                     true,
		"set k 0 0 4\r\na\r\nb":     true,
		"set k 0 0 3\r\na\r\nb":     false,
		"set k 0 0 5\r\na\r\nb":     false,
		"get k\r\nget m":            false,
		"set k 0 0 1\r\na\r\nget m": false,
	} {
		wire, err := f.append(nil, []byte(text))
		if (err == nil) != sent || sent && !bytes.Equal(wire, []byte(text+"\r\n")) {
			t.Errorf("%q: %q, %v; sent: want %t", text, wire, err, sent)
		}
	}
	if _, err := framed(t, `{until: "\r\n"}`).append(nil, []byte("set k 0 0 4\r\na\r\nb")); err == nil {
		t.Error("a message with its end inside is sent, and nothing says that it is one")
	}
}
