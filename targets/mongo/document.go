package mongo

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"

	"brunt/scenarios"
	"brunt/scenarios/budget"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// mostDepth is how deeply documents may be nested. Servers allow 100 to 200 levels.
const mostDepth = 250

// The types of elements that are documents, or are told apart here.
const (
	typeDouble   = 0x01
	typeString   = 0x02
	typeDocument = 0x03
	typeArray    = 0x04
	typeBinary   = 0x05
	typeBool     = 0x08
	typeRegex    = 0x0b
	typePointer  = 0x0c
	typeScope    = 0x0f
	typeInt32    = 0x10
	typeInt64    = 0x12
)

// fixedSizes are the sizes in bytes of the types whose values have one.
var fixedSizes = map[byte]int{
	typeDouble: 8, 0x06: 0, 0x07: 12, typeBool: 1, 0x09: 8, 0x0a: 0, typeInt32: 4, 0x11: 8, typeInt64: 8, 0x13: 16,
	0xff: 0, 0x7f: 0,
}

var errDocument = malformed("an answer has a document that is not BSON")

// checkDocument checks the lengths and the nesting of a document of BSON, so that it can be read without further
// checks.
func checkDocument(doc []byte) error { return checkNested(doc, 0) }

func checkNested(doc []byte, depth int) error {
	if depth > mostDepth {
		return malformed("an answer has documents within documents, %d deep", depth)
	}
	if len(doc) < 5 || int64(binary.LittleEndian.Uint32(doc)) != int64(len(doc)) || doc[len(doc)-1] != 0 {
		return errDocument
	}
	for rest := doc[4 : len(doc)-1]; len(rest) > 0; {
		_, kind, value, after, err := element(rest)
		if err != nil {
			return err
		}
		switch kind {
		case typeDocument, typeArray:
			err = checkNested(value, depth+1)
		case typeScope: // a length, a text, a document
			n, ok := textSize(value[4:])
			if !ok {
				return errDocument
			}
			err = checkNested(value[4+n:], depth+1)
		}
		if err != nil {
			return err
		}
		rest = after
	}
	return nil
}

// element cuts the first element of a list of elements: its name, its type, its value, and the elements after it.
func element(b []byte) (name []byte, kind byte, value, rest []byte, err error) {
	kind = b[0]
	end := bytes.IndexByte(b[1:], 0)
	if end < 0 {
		return nil, 0, nil, nil, errDocument
	}
	name, rest = b[1:1+end], b[2+end:]
	n, ok := valueSize(kind, rest)
	if !ok || n > len(rest) {
		return nil, 0, nil, nil, errDocument
	}
	return name, kind, rest[:n:n], rest[n:], nil
}

// valueSize returns the size of the value of a type that begins b.
func valueSize(kind byte, b []byte) (n int, ok bool) {
	if n, fixed := fixedSizes[kind]; fixed {
		return n, true
	}
	switch kind {
	case typeString, 0x0d, 0x0e:
		return textSize(b)
	case typePointer: // a text, and the id of an object
		n, ok = textSize(b)
		return n + 12, ok
	case typeRegex: // two texts that end with a zero byte
		one := bytes.IndexByte(b, 0)
		two := bytes.IndexByte(b[one+1:], 0)
		return one + two + 2, one >= 0 && two >= 0
	}
	if len(b) < 4 {
		return 0, false
	}
	n = int(int32(binary.LittleEndian.Uint32(b)))
	switch kind {
	case typeDocument, typeArray:
		return n, n >= 5
	case typeScope:
		return n, n >= 4+5+5
	case typeBinary: // a length, a type, the bytes
		return n + 5, n >= 0
	}
	return 0, false
}

// textSize returns the size of a text with its length and its zero byte.
func textSize(b []byte) (n int, ok bool) {
	if len(b) < 5 {
		return 0, false
	}
	n = int(int32(binary.LittleEndian.Uint32(b)))
	return n + 4, n >= 1 && n <= len(b)-4 && b[3+n] == 0
}

// field returns the value of a field of a checked document; kind 0: it has none of that name.
func field(doc []byte, name string) (kind byte, value []byte) {
	for rest := doc[4 : len(doc)-1]; len(rest) > 0; {
		n, kind, value, after, err := element(rest)
		if err != nil {
			break
		}
		if string(n) == name {
			return kind, value
		}
		rest = after
	}
	return 0, nil
}

// number returns the value of a field as a number; 0: it is not a number.
func number(doc []byte, name string) float64 {
	kind, value := field(doc, name)
	v := bson.RawValue{Type: bson.Type(kind), Value: value}
	switch {
	case kind == typeBool && value[0] == 1:
		return 1
	case kind == typeDouble, kind == typeInt32, kind == typeInt64:
		f, _ := v.AsFloat64OK()
		return f
	}
	return 0
}

// integer returns the value of a field as a whole number; 0: it is not a number.
func integer(doc []byte, name string) int64 {
	if kind, value := field(doc, name); kind == typeInt64 {
		return int64(binary.LittleEndian.Uint64(value))
	}
	return int64(number(doc, name))
}

// text returns the value of a field as a text; empty: it is not a text.
func text(doc []byte, name string) string {
	if kind, value := field(doc, name); kind == typeString {
		return string(value[4 : len(value)-1])
	}
	return ""
}

// nested returns a document or an array in a field; nil: the field holds neither.
func nested(doc []byte, name string) []byte {
	if kind, value := field(doc, name); kind == typeDocument || kind == typeArray {
		return value
	}
	return nil
}

// items calls do with each document of an array.
func items(list []byte, do func(doc []byte)) {
	if list == nil {
		return
	}
	for rest := list[4 : len(list)-1]; len(rest) > 0; {
		_, kind, value, after, err := element(rest)
		if err != nil {
			return
		}
		if kind == typeDocument {
			do(value)
		}
		rest = after
	}
}

// fromJSON converts extended JSON to a document of BSON.
func fromJSON(text []byte) (doc []byte, err error) {
	defer scenarios.Recover(&err)
	var raw bson.Raw
	if err := bson.UnmarshalExtJSON(text, false, &raw); err != nil {
		return nil, err
	}
	if len(raw) < 5 {
		return nil, errors.New("it is not a document")
	}
	return raw, nil
}

// mostGrowth is how much longer extended JSON is than BSON, at most: an element of three bytes is "a":{"$minKey":1}.
const mostGrowth = 8

// toJSON converts a checked document of BSON to relaxed extended JSON. It claims the memory before.
func toJSON(doc []byte, by *budget.Claim) (text []byte, err error) {
	defer scenarios.Recover(&err)
	if err := by.Wait(mostGrowth * len(doc)); err != nil {
		return nil, err
	}
	text, err = bson.MarshalExtJSON(bson.Raw(doc), false, false)
	// bson 2 stops without an error within the scope of code that it cannot read.
	if err == nil && !json.Valid(text) {
		err = errors.New("it has no form in JSON")
	}
	return text, err
}

// listToJSON converts the documents of arrays, one after the other, to a list of extended JSON.
func listToJSON(arrays []byte, by *budget.Claim) (text []byte, err error) {
	text = []byte{'['}
	for rest := arrays; len(rest) > 0 && err == nil; {
		n := binary.LittleEndian.Uint32(rest)
		items(rest[:n], func(doc []byte) {
			if err != nil {
				return
			}
			var one []byte
			if one, err = toJSON(doc, by); len(text) > 1 {
				text = append(text, ',')
			}
			text = append(text, one...)
		})
		rest = rest[n:]
	}
	return append(text, ']'), err
}

// withElements returns a document with further elements.
func withElements(doc []byte, elements ...[]byte) []byte {
	all := bytes.Clone(doc[:len(doc)-1])
	for _, e := range elements {
		all = append(all, e...)
	}
	all = append(all, 0)
	binary.LittleEndian.PutUint32(all, uint32(len(all)))
	return all
}

// elementsOf returns the elements of a document, for [withElements].
func elementsOf(doc []byte) []byte { return doc[4 : len(doc)-1] }

// document makes a document of pairs of names and values.
func document(pairs bson.D) []byte {
	doc, err := bson.Marshal(pairs)
	if err != nil {
		panic(err) // only for values that BSON has no type for
	}
	return doc
}
