package stream

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// messageSource is a message as its author gives it: a text, or one of text, json, hex and base64.
type messageSource struct {
	at       syntax.Pos
	template *template.Template
	bytes    []byte // of hex and base64
	binary   bool
}

// DecodeNode implements [syntax.NodeDecoder].
func (s *messageSource) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s.at = n.Pos
	if n.Kind == syntax.List {
		m.AddHint(n.Pos, `such as send: {json: {type: say}}`, "a message is a text, or one of text, json, hex, base64")
		return
	}
	if n.Kind != syntax.Map {
		s.text(n, m)
		return
	}
	if len(n.Fields) != 1 {
		m.AddHint(n.Pos, `such as send: {json: {type: say}}`, "a message is one of text, json, hex, base64")
		return
	}
	f := n.Fields[0]
	switch f.Key {
	case "text":
		s.text(f.Value, m)
	case "json":
		t := new(template.JSON)
		t.DecodeNode(f.Value, m)
		s.template = &t.Template
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
	default:
		m.AddHint(f.Pos, syntax.DidYouMean(f.Key, []string{"text", "json", "hex", "base64"}), "unknown key %q", syntax.Clip(f.Key, 60))
	}
}

func (s *messageSource) text(n *syntax.Node, m *syntax.Mistakes) {
	t := new(template.Text)
	t.DecodeNode(n, m)
	s.template = &t.Template
}

// Refs lists the placeholders of the message.
func (s *messageSource) Refs() []*syntax.Ref {
	if s.template == nil {
		return nil
	}
	return s.template.Refs()
}

// append appends the message.
func (s *messageSource) append(dst []byte, it *template.Iter) ([]byte, error) {
	if s.template == nil {
		return append(dst, s.bytes...), nil
	}
	return s.template.Append(dst, it)
}

// fits notes a mistake if the message can't be sent by a framing.
func (s *messageSource) fits(f *framing, m *syntax.Mistakes) {
	text, static := string(s.bytes), true
	if s.template != nil {
		text, static = s.template.Static()
	}
	switch {
	case !static:
	case f.until != "" && strings.Contains(text, f.until):
		m.Add(s.at, "the message holds %q, which ends a message of this stream", f.until)
	case f.bytes > 0 && len(text)%f.bytes != 0:
		m.Add(s.at, "the message has %d bytes, and messages of this stream have %d", len(text), f.bytes)
	}
}
