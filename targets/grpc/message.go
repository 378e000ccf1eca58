package grpc

import (
	"encoding/binary"
	"fmt"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// messageSource is a message as written in the scenario. Nil is an empty message.
type messageSource struct {
	template.JSON
	node *syntax.Node
}

func (s *messageSource) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s.node = n
	s.JSON.DecodeNode(n, m)
}

// Refs lists the placeholders of the message.
func (s *messageSource) Refs() []*syntax.Ref {
	if s == nil {
		return nil
	}
	return s.JSON.Refs()
}

// check reports whether the message has only fields of d. It notes mistakes in m.
func (s *messageSource) check(d protoreflect.MessageDescriptor, m *syntax.Mistakes) bool {
	before := m.Len()
	if s != nil {
		checkFields(s.node, d, m)
	}
	return m.Len() == before
}

// checkFields notes the keys of n that are not fields of d.
func checkFields(n *syntax.Node, d protoreflect.MessageDescriptor, m *syntax.Mistakes) {
	if n.Kind != syntax.Map || strings.HasPrefix(string(d.FullName()), "google.protobuf.") {
		return // the encoder checks other values, and messages with a JSON form of their own
	}
	for _, f := range n.Fields {
		if strings.HasPrefix(f.Key, "[") { // an extension
			continue
		}
		fd := fieldOf(d, f.Key)
		if fd == nil {
			var names []string
			for i := range d.Fields().Len() {
				names = append(names, string(d.Fields().Get(i).Name()))
			}
			m.AddHint(f.Pos, syntax.DidYouMean(f.Key, names), "the message %s has no field %q", d.FullName(),
				syntax.Clip(f.Key, 60))
			continue
		}
		checkValue(f.Value, fd, m)
	}
}

// checkValue checks the messages in the value of a field.
func checkValue(n *syntax.Node, fd protoreflect.FieldDescriptor, m *syntax.Mistakes) {
	switch {
	case fd.IsMap():
		if of := fd.MapValue().Message(); of != nil {
			for _, f := range n.Fields {
				checkFields(f.Value, of, m)
			}
		}
	case fd.Message() == nil:
	case fd.IsList():
		for _, item := range n.Items {
			checkFields(item, fd.Message(), m)
		}
	default:
		checkFields(n, fd.Message(), m)
	}
}

// fieldOf returns the field of d with a name from the .proto file or from JSON, or nil.
func fieldOf(d protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if fd := d.Fields().ByJSONName(name); fd != nil {
		return fd
	}
	return d.Fields().ByTextName(name)
}

// compile encodes messages without placeholders. It notes mistakes in m.
func (b *binding) compile(all []*messageSource, m *syntax.Mistakes) bool {
	static, fixed, texts := true, []byte{}, make([]string, len(all))
	for i, s := range all {
		text, fixedText := "{}", true
		at := syntax.Pos{}
		if s != nil {
			text, fixedText = s.Static()
			at = s.At
		}
		if !fixedText {
			static = false
			continue
		}
		wire, err := encode(nil, []byte(text), b.input)
		if err != nil {
			m.Add(at, "message: %s", why(err))
			return false
		}
		texts[i] = text
		fixed = append(fixed, prefixed(wire)...)
	}
	if static {
		b.fixed, b.text = fixed, strings.Join(texts, "\n")
	}
	return true
}

// why returns the text of an encoder's error without the words of its library.
func why(err error) string {
	// Subtle: protobuf randomly uses a non-breaking space, so that no program compares texts.
	text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
	return strings.TrimPrefix(text, "proto: ")
}

// encode appends a message, given as JSON, in its wire format.
func encode(dst, json []byte, d protoreflect.MessageDescriptor) ([]byte, error) {
	msg := dynamicpb.NewMessage(d)
	if err := protojson.Unmarshal(json, msg); err != nil {
		return dst, err
	}
	return proto.MarshalOptions{Deterministic: true}.MarshalAppend(dst, msg)
}

// decodeJSON converts a message in its wire format to JSON, and claims the memory before. The JSON includes fields with
// default values. Some messages make the library panic, such as an entry of a map whose second key has another wire
// type.
func decodeJSON(wire []byte, d protoreflect.MessageDescriptor, by *budget.Claim) (text []byte, err error) {
	defer scenarios.Recover(&err)
	if len(wire) > mostUnweighed {
		if err := by.Wait(len(wire) / 2 * weigh(d, map[protoreflect.FullName]bool{})); err != nil {
			return nil, err
		}
	}
	msg := dynamicpb.NewMessage(d)
	if err := (proto.UnmarshalOptions{RecursionLimit: mostDepth}).Unmarshal(wire, msg); err != nil {
		return nil, err
	}
	return protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(msg)
}

const (
	mostUnweighed = 1 << 10 // bytes of a message that is decoded without a claim
	mostDepth     = 1000    // of messages within messages
)

// weigh returns how much memory a message without fields takes at most, of those that a message has, as a message and
// as JSON. It is two bytes of the message that has it.
func weigh(d protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) int {
	const empty, field = 160, 12 // bytes, besides the name
	if seen[d.FullName()] {
		return 0
	}
	seen[d.FullName()] = true
	own, most := empty, 0
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		own += field + len(f.Name())
		if of := f.Message(); of != nil {
			most = max(most, weigh(of, seen))
		}
	}
	return max(own, most)
}

// prefix is the length of the header of a message, in bytes: whether it is compressed, and its length.
const prefix = 5

// prefixed puts the prefix before a message.
func prefixed(wire []byte) []byte {
	b := make([]byte, prefix, prefix+len(wire))
	binary.BigEndian.PutUint32(b[1:], uint32(len(wire)))
	return append(b, wire...)
}

// append renders the message for it, and appends it with its prefix to dst, and as JSON to text.
func (s *messageSource) append(dst, text []byte, it *template.Iter, b *binding) (all, json []byte, err error) {
	began := len(text)
	if text, err = s.Append(text, it); err != nil {
		return dst, text, err
	}
	from := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0)
	if dst, err = encode(dst, text[began:], b.input); err != nil {
		return dst, text, &targets.Error{Cause: scenarios.Other, Text: fmt.Sprintf("message: %s", why(err)), Final: true}
	}
	binary.BigEndian.PutUint32(dst[from+1:], uint32(len(dst)-from-prefix))
	return dst, text, nil
}
