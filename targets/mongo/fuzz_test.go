package mongo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"brunt/scenarios/budget"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// FuzzRead: whatever a server says, an answer is read or refused, and a document of it becomes JSON or an error.
func FuzzRead(f *testing.F) {
	doc := document(bson.D{
		{Key: "ok", Value: 1.0},
		{Key: "cursor", Value: bson.D{
			{Key: "id", Value: int64(0)}, {Key: "firstBatch", Value: bson.A{bson.D{{Key: "a", Value: "b"}}}},
		}},
		{Key: "re", Value: bson.Regex{Pattern: "a", Options: "i"}},
		{Key: "code", Value: bson.CodeWithScope{Code: "a", Scope: bson.D{{Key: "b", Value: true}}}},
		{Key: "bin", Value: bson.Binary{Subtype: 2, Data: []byte("abc")}},
		{Key: "ptr", Value: bson.DBPointer{DB: "a"}},
		{Key: "n", Value: bson.NewDecimal128(1, 2)},
	})
	whole := appendMessage(nil, 1, doc)
	f.Add(whole)
	f.Add(whole[:30])
	f.Add(append(slices.Clone(whole), whole...))
	f.Add([]byte("\x26\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\xdd\x07\x00\x00\x01\x00\x00\x00\x00\x05\x00\x00\x00\x00abcd"))
	f.Add([]byte("\xbd\x00\x00\x0000000000\xdd\a\x00\x00\x00\x0000\x00\xa8\x00\x00\x00\x0100\x0000000000\x03000000" +
		"\x003\x00\x00\x00\x1200\x0000000000\x040000000000\x00\x16\x00\x00\x00\x030\x00\x0e\x00\x00\x00" +
		"\x020\x00\x02\x00\x00\x000\x00\x00\x00\x00\v00\x000\x000\x00\x0f0000\x00\x13\x00\x00\x00\x02\x00" +
		"\x00\x000\x00\t\x00\x00\x00\b0\x000\x00\x05000\x001\x00\x00\x00000000000000000000000000000000000" +
		"00000000000000000\x00000000000000000000000000000000000000000000000000000000000000000000000000000" +
		"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" +
		"000000000000000000"))
	f.Fuzz(func(t *testing.T, said []byte) {
		for r := bufio.NewReaderSize(bytes.NewReader(said), 16); ; {
			a, err := read(r)
			if err != nil {
				return
			}
			if !bytes.Contains(said, a.doc) {
				t.Fatalf("%x was not said", a.doc)
			}
			refusalIn(a.doc)
			// MongoDB's own driver refuses a boolean that is neither 0 nor 1, for instance
			if text, err := toJSON(a.doc, new(budget.Claim)); err == nil && !json.Valid(text) {
				t.Fatalf("%x became %s", a.doc, text)
			}
		}
	})
}

// TestDocument_Checked: what MongoDB's driver takes for BSON is taken here.
func TestDocument_Checked(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"a": {"b": [1, 2.5, "c", null, true, {"$date": "2026-01-02T03:04:05Z"}]}}`,
		`{"a": {"$oid": "0123456789abcdef01234567"}, "b": {"$numberDecimal": "1.50"}, "c": {"$numberLong": "9007199254740993"}}`,
		`{"a": {"$binary": {"base64": "AAEC", "subType": "00"}}, "b": {"$regularExpression": {"pattern": "a", "options": "i"}}}`,
		`{"a": {"$code": "x", "$scope": {"y": {"$minKey": 1}}}, "b": {"$timestamp": {"t": 1, "i": 2}}, "c": {"$maxKey": 1}}`,
		`{"a": {"$dbPointer": {"$ref": "b", "$id": {"$oid": "0123456789abcdef01234567"}}}, "b": {"$symbol": "c"}, "d": {"$undefined": true}}`,
	} {
		doc, err := fromJSON([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if err := checkDocument(doc); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		said, err := toJSON(doc, new(budget.Claim))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if again, err := fromJSON(said); err != nil || !bytes.Equal(doc, again) {
			t.Errorf("%s became %s: %v", text, said, err)
		}
	}
}

// TestDocument_Nested: documents that are nested without end are refused, before anything descends into them.
func TestDocument_Nested(t *testing.T) {
	nest := func(depth int) []byte {
		doc := document(bson.D{})
		for range depth {
			doc = document(bson.D{{Key: "a", Value: bson.Raw(doc)}})
		}
		return doc
	}
	if err := checkDocument(nest(mostDepth)); err != nil {
		t.Error(err)
	}
	if checkDocument(nest(mostDepth+1)) == nil {
		t.Error("it is not refused")
	}
}
