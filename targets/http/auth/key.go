package auth

import (
	"encoding/base64"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/targets"
)

// maxKey is the maximum size of a file that holds a key, in bytes.
const maxKey = 1 << 20

// keySource is a key as its author gives it: a text, {file: PATH} or {base64: TEXT}.
type keySource struct {
	syntax.Place
	File   string `yaml:"file"`   // path of a file with the key, beside the scenario
	Base64 string `yaml:"base64"` // its bytes in base64

	text string
}

type keyFields keySource // without the method, to decode it as a map

func (k *keySource) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.Map {
		syntax.Decode(n, (*keyFields)(k), m)
		return
	}
	k.At = n.Pos
	k.text, _ = n.Text(m)
}

// read returns the key's bytes. If it returns nil, it has noted a mistake.
func (k *keySource) read(in targets.Scope, m *syntax.Mistakes) []byte {
	if k == nil { // noted already
		return nil
	}
	var key []byte
	switch {
	case k.text != "":
		key = []byte(k.text)
		in.AddSecret(k.text)
	case k.Base64 != "" && k.File != "":
		m.Add(k.Of("base64"), "a key is one of file, base64, not both")
		return nil
	case k.Base64 != "":
		var err error
		if key, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.NewReplacer("-", "+", "_",
			"/").Replace(k.Base64), "=")); err != nil {
			m.Add(k.Of("base64"), "the key is not base64: %v", err)
			return nil
		}
		in.AddSecret(k.Base64)
	case k.File != "":
		var err error
		if in.File == nil {
			return nil
		}
		if key, err = in.File(k.Of("file"), k.File, maxKey); err != nil {
			m.Add(k.Of("file"), "key: %v", err)
			return nil
		}
	}
	if len(key) == 0 {
		m.Add(k.At, "the key is empty")
		return nil
	}
	return key
}

func (*keySource) Schema() syntax.Schema {
	text := syntax.TextSchema()
	return syntax.Schema{"anyOf": []any{text, syntax.Schema{
		"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
		"properties": syntax.Schema{
			"file":   text.Described("the path of a file that holds it, beside the scenario"),
			"base64": text.Described("its bytes in base64"),
		},
	}}}
}
