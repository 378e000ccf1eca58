package scenarios

import (
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// An Endpoint is another system that steps send requests to: its URL, or a map of its URL and the settings of its
// protocol.
type Endpoint struct {
	template.Template              // the URL
	Settings          *syntax.Node // settings of its protocol; nil means that there are none
}

func (e *Endpoint) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	url := n
	if n.Kind == syntax.Map {
		if url = n.Get("url"); url == nil && m.Partial {
			return
		}
		if url == nil {
			m.AddHint(n.Pos, "such as {url: grpc://127.0.0.1:50051, protos: [shop.proto]}", "the endpoint has no url")
			return
		}
		e.Settings = n.Without(func(key string) bool { return key == "url" })
	}
	template.CheckURL(url, m)
	var text template.Text
	text.DecodeNode(url, m)
	e.Template = text.Template
}

// Schema implements [syntax.Schemer]. Each protocol defines its own settings, so the schema accepts any.
func (*Endpoint) Schema() syntax.Schema {
	text := syntax.TextSchema()
	return syntax.Schema{"anyOf": []any{
		text, syntax.Schema{
			"type": "object", "required": []any{"url"},
			"properties": syntax.Schema{"url": text.Described("its URL")},
		},
	}}
}
