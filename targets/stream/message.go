package stream

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/stream/websocket"
)

// A MessageSource is a message as written in the scenario: a text, or one of text, json, hex,
// base64 and file.
type MessageSource struct {
	at       syntax.Pos
	template *template.Template
	bytes    []byte // the message, if given as hex, base64 or a file
	file     string // path of the file that load reads
	binary   bool
	json     *syntax.Node // of a message given as JSON, else nil
}

// JSONMessage returns a message given as JSON. The node is its YAML.
func JSONMessage(t *template.JSON, n *syntax.Node) *MessageSource {
	return &MessageSource{at: n.Pos, template: &t.Template, json: n}
}

// Node returns the YAML of a message given as JSON, else nil.
func (s *MessageSource) Node() *syntax.Node { return s.json }

// At returns the place of the message in the file.
func (s *MessageSource) At() syntax.Pos { return s.at }

// Static returns the text of a message without placeholders. A message given as bytes has no text.
func (s *MessageSource) Static() (text string, ok bool) {
	if s.template == nil {
		return "", false
	}
	return s.template.Static()
}

func (s *MessageSource) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s.at = n.Pos
	if n.Kind == syntax.List {
		m.AddHint(n.Pos, `such as send: {json: {type: say}}`, "a message is a text, or one of text, json, hex, base64, file")
		return
	}
	if n.Kind != syntax.Map {
		s.text(n, m)
		return
	}
	if len(n.Fields) != 1 {
		m.AddHint(n.Pos, `such as send: {json: {type: say}}`, "a message is one of text, json, hex, base64, file")
		return
	}
	f := n.Fields[0]
	switch f.Key {
	case "text":
		s.text(f.Value, m)
	case "json":
		t := new(template.JSON)
		t.DecodeNode(f.Value, m)
		s.template, s.json = &t.Template, f.Value
	case "hex", "base64":
		text, ok := f.Value.Text(m)
		if !ok {
			return
		}
		var err error
		s.binary = true
		if f.Key == "hex" {
			s.bytes, err = hex.DecodeString(strings.Join(strings.Fields(text), ""))
		} else {
			s.bytes, err = base64.StdEncoding.DecodeString(text)
		}
		if err != nil {
			m.Add(f.Value.Pos, "%s: %v", f.Key, err)
		}
	case "file":
		s.binary = true
		if s.file, _ = f.Value.Text(m); s.file == "" {
			m.Add(f.Value.Pos, "file: want the path of a file")
		}
		s.at = f.Value.Pos
	default:
		m.AddHint(f.Pos, syntax.DidYouMean(f.Key, []string{"text", "json", "hex", "base64", "file"}), "unknown key %q",
			syntax.Clip(f.Key, 60))
	}
}

// load reads the file of a message given as one. It notes a mistake if the file can't be read.
func (s *MessageSource) load(in targets.Scope, m *syntax.Mistakes) {
	if s.file == "" || in.File == nil {
		return
	}
	var err error
	if s.bytes, err = in.File(s.at, s.file, websocket.MostMessage); err != nil {
		m.Add(s.at, "%v", err)
	}
}

func (s *MessageSource) text(n *syntax.Node, m *syntax.Mistakes) {
	t := new(template.Text)
	t.DecodeNode(n, m)
	s.template = &t.Template
}

// Refs lists the placeholders of the message.
func (s *MessageSource) Refs() []*syntax.Ref {
	if s.template == nil {
		return nil
	}
	return s.template.Refs()
}

// Append appends the message of an iteration.
func (s *MessageSource) Append(dst []byte, it *template.Iter) ([]byte, error) {
	if s.template == nil {
		return append(dst, s.bytes...), nil
	}
	return s.template.Append(dst, it)
}

// mostDatagram is the maximum size in bytes of the data of a datagram of UDP over IPv4.
const mostDatagram = 65507

// fits notes a mistake if a framing can't send the message.
func (s *MessageSource) fits(f *framing, m *syntax.Mistakes) {
	text, static := string(s.bytes), true
	if s.template != nil {
		text, static = s.template.Static()
	}
	switch {
	case !static:
	case f.until != "" && !f.holdsOne([]byte(text)):
		m.AddHint(s.at, `such as tcp: {until: "\r\n", body: "~ ^SET .* ([0-9]+)$"}, if the text before it says how long it is`,
			"the message holds %q, which ends a message of this stream", f.until)
	case s.file != "" && s.bytes == nil: // load notes this mistake
	case f.datagrams && len(text) > mostDatagram:
		m.Add(s.at, "the message has %d bytes, and a datagram holds at most %d", len(text), mostDatagram)
	case f.after > len(text):
		m.Add(s.at, "%s", f.misfit(len(text)))
	case f.bytes > 0 && len(text)%f.bytes != 0:
		m.Add(s.at, "the message has %d bytes, and messages of this stream have %d", len(text), f.bytes)
	}
}
