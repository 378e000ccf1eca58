package targets

import (
	"maps"

	"brunt/scenarios"
)

// Schema implements [scenarios.Schemer].
func (*matcher) Schema() scenarios.Schema {
	one := scenarios.TextSchema()
	return scenarios.Schema{"anyOf": []any{one, scenarios.Schema{"type": "array", "items": one}}}
}

// Schema implements [scenarios.Schemer].
func (*checks) Schema() scenarios.Schema {
	match := (*matcher)(nil).Schema()
	codes := scenarios.Schema{"type": "integer", "minimum": 100, "maximum": 599}
	headers := scenarios.Schema{"description": "values by header name", "type": "object", "additionalProperties": match}
	return scenarios.Schema{
		"type": "object",
		"properties": scenarios.Schema{
			"status": describe(match, "200, 2xx, < 500 or a list; not written is any under 400"),
			"shed":   describe(scenarios.Schema{"anyOf": []any{codes, scenarios.Schema{"type": "array", "items": codes}}}, "statuses by which the target refuses on purpose: not good, not an error"),
			"within": describe((*scenarios.Duration)(nil).Schema(), "the longest response time"),
			"body":   describe(match, "the body as text: a value, not empty, ~ regexp"),
			"header": headers, "headers": headers,
		},
		"patternProperties":    scenarios.Schema{`^\$`: describe(match, "the value at a JSON path: a value, exists, not empty, > n, ~ regexp")},
		"additionalProperties": false,
	}
}

func describe(s scenarios.Schema, text string) scenarios.Schema {
	return scenarios.Schema{"allOf": []any{s}, "description": text}
}

// Schema implements [scenarios.Schemer].
func (*extraction) Schema() scenarios.Schema {
	return scenarios.Schema{"type": "string", "pattern": `^(\$|~|header |cookie |event (id|type)$)`, "examples": []any{"$.items[0].id", "header Location", "cookie sid", "~ id=([0-9]+)"}}
}

// fileSchema is that of a file that requests send.
func fileSchema(more scenarios.Schema) scenarios.Schema {
	text := scenarios.TextSchema()
	props := scenarios.Schema{
		"file": describe(text, "the path of a file, beside the scenario"),
		"type": describe(text, "its content type; not written is known by the ending of its name"),
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
	text := describe(scenarios.TextSchema(), "the path of a file, beside the scenario")
	return scenarios.Schema{"anyOf": []any{
		scenarios.Schema{"type": "string", "examples": []any{"query Feed($page: Int!) { posts(page: $page) { id } }"}},
		scenarios.Schema{"type": "object", "properties": scenarios.Schema{"file": text}, "required": []any{"file"}, "additionalProperties": false},
	}}
}

// Schema implements [scenarios.Schemer].
func (*multipartSource) Schema() scenarios.Schema {
	text := scenarios.TextSchema()
	part := fileSchema(scenarios.Schema{
		"text": describe(text, "sent as it stands"),
		"json": scenarios.Schema{"description": "sent as application/json"},
		"name": describe(text, "the file's name as the target sees it; not written is its own"),
	})
	part["oneOf"] = []any{scenarios.Schema{"required": []any{"file"}}, scenarios.Schema{"required": []any{"text"}}, scenarios.Schema{"required": []any{"json"}}}
	one := scenarios.Schema{"anyOf": []any{text, part}}
	return scenarios.Schema{"type": "object", "minProperties": 1, "additionalProperties": scenarios.Schema{"anyOf": []any{text, part, scenarios.Schema{"type": "array", "items": one}}}}
}

// Schema implements [scenarios.Schemer].
func (*eventMatch) Schema() scenarios.Schema {
	match := (*matcher)(nil).Schema()
	return scenarios.Schema{
		"type": "object", "minProperties": 1,
		"properties": scenarios.Schema{
			"event": describe(match, "the event's type; message where the stream names none"),
			"id":    describe(match, "the event's id"),
			"data":  describe(match, "the event's data as text"),
		},
		"patternProperties":    scenarios.Schema{`^\$`: describe(match, "the value at a JSON path of the event's data")},
		"additionalProperties": false,
	}
}

// Schema implements [scenarios.Schemer].
func (*keySource) Schema() scenarios.Schema {
	text := scenarios.TextSchema()
	return scenarios.Schema{"anyOf": []any{text, scenarios.Schema{
		"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
		"properties": scenarios.Schema{
			"file":   describe(text, "the path of a file that holds it, beside the scenario"),
			"base64": describe(text, "its bytes in base64"),
		},
	}}}
}
