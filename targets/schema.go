package targets

import (
	"maps"

	"brunt/scenarios"
)

// Schema implements [scenarios.Schemer].
func (*extraction) Schema() scenarios.Schema {
	return scenarios.Schema{"type": "string", "pattern": `^(\$|~|header |cookie |event (id|type)$)`, "examples": []any{"$.items[0].id", "header Location", "cookie sid", "~ id=([0-9]+)"}}
}

// fileSchema is that of a file that requests send.
func fileSchema(more scenarios.Schema) scenarios.Schema {
	text := scenarios.TextSchema()
	props := scenarios.Schema{
		"file": text.Described("the path of a file, beside the scenario"),
		"type": text.Described("its content type; not written is known by the ending of its name"),
	}
	maps.Copy(props, more)
	return scenarios.Schema{"type": "object", "properties": props, "additionalProperties": false}
}

// Schema implements [scenarios.Schemer].
func (*bodySource) Schema() scenarios.Schema {
	file := fileSchema(nil)
	file["required"] = []any{"file"}
	return scenarios.Schema{"anyOf": []any{scenarios.TextSchema(), file}}
}

// Schema implements [scenarios.Schemer].
func (*querySource) Schema() scenarios.Schema {
	text := scenarios.TextSchema().Described("the path of a file, beside the scenario")
	return scenarios.Schema{"anyOf": []any{
		scenarios.Schema{"type": "string", "examples": []any{"query Feed($page: Int!) { posts(page: $page) { id } }"}},
		scenarios.Schema{"type": "object", "properties": scenarios.Schema{"file": text}, "required": []any{"file"}, "additionalProperties": false},
	}}
}

// Schema implements [scenarios.Schemer].
func (*multipartSource) Schema() scenarios.Schema {
	text := scenarios.TextSchema()
	part := fileSchema(scenarios.Schema{
		"text": text.Described("sent as it stands"),
		"json": scenarios.Schema{"description": "sent as application/json"},
		"name": text.Described("the file's name as the target sees it; not written is its own"),
	})
	part["oneOf"] = []any{scenarios.Schema{"required": []any{"file"}}, scenarios.Schema{"required": []any{"text"}}, scenarios.Schema{"required": []any{"json"}}}
	one := scenarios.Schema{"anyOf": []any{text, part}}
	return scenarios.Schema{"type": "object", "minProperties": 1, "additionalProperties": scenarios.Schema{"anyOf": []any{text, part, scenarios.Schema{"type": "array", "items": one}}}}
}

// Schema implements [scenarios.Schemer].
func (*eventMatch) Schema() scenarios.Schema {
	match := (*scenarios.Matcher)(nil).Schema()
	return scenarios.Schema{
		"type": "object", "minProperties": 1,
		"properties": scenarios.Schema{
			"event": match.Described("the event's type; message where the stream names none"),
			"id":    match.Described("the event's id"),
			"data":  match.Described("the event's data as text"),
		},
		"patternProperties":    scenarios.Schema{`^\$`: match.Described("the value at a JSON path of the event's data")},
		"additionalProperties": false,
	}
}

// Schema implements [scenarios.Schemer].
func (*keySource) Schema() scenarios.Schema {
	text := scenarios.TextSchema()
	return scenarios.Schema{"anyOf": []any{text, scenarios.Schema{
		"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
		"properties": scenarios.Schema{
			"file":   text.Described("the path of a file that holds it, beside the scenario"),
			"base64": text.Described("its bytes in base64"),
		},
	}}}
}
