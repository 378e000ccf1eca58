package http

import (
	"maps"

	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
)

func (*extraction) Schema() syntax.Schema {
	return syntax.Schema{
		"type": "string", "pattern": `^(\$|~|header |cookie |event (id|type)$)`,
		"examples": []any{"$.items[0].id", "header Location", "cookie sid", "~ id=([0-9]+)"},
	}
}

// fileSchema returns the schema of a file that requests send, with more properties.
func fileSchema(more syntax.Schema) syntax.Schema {
	text := syntax.TextSchema()
	props := syntax.Schema{
		"file": text.Described("the path of a file, beside the scenario"),
		"type": text.Described("its content type; default: by the ending of its name"),
	}
	maps.Copy(props, more)
	return syntax.Schema{"type": "object", "properties": props, "additionalProperties": false}
}

func (*bodySource) Schema() syntax.Schema {
	file := fileSchema(nil)
	file["required"] = []any{"file"}
	return syntax.Schema{"anyOf": []any{syntax.TextSchema(), file}}
}

func (*querySource) Schema() syntax.Schema {
	text := syntax.TextSchema().Described("the path of a file, beside the scenario")
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"type": "string", "examples": []any{"query Feed($page: Int!) { posts(page: $page) { id } }"}},
		syntax.Schema{
			"type": "object", "properties": syntax.Schema{"file": text}, "required": []any{"file"},
			"additionalProperties": false,
		},
	}}
}

func (*multipartSource) Schema() syntax.Schema {
	text := syntax.TextSchema()
	part := fileSchema(syntax.Schema{
		"text": text.Described("sent as it stands"),
		"json": syntax.Schema{"description": "sent as application/json"},
		"name": text.Described("the file's name as the target sees it; default: its own"),
	})
	part["oneOf"] = []any{
		syntax.Schema{"required": []any{"file"}},
		syntax.Schema{"required": []any{"text"}},
		syntax.Schema{"required": []any{"json"}},
	}
	one := syntax.Schema{"anyOf": []any{text, part}}
	return syntax.Schema{"type": "object", "minProperties": 1, "additionalProperties": syntax.Schema{"anyOf": []any{
		text, part,
		syntax.Schema{"type": "array", "items": one},
	}}}
}

func (*eventMatch) Schema() syntax.Schema {
	match := (*check.Matcher)(nil).Schema()
	return syntax.Schema{
		"type": "object", "minProperties": 1,
		"properties": syntax.Schema{
			"event": match.Described("the event's type; message where the stream names none"),
			"id":    match.Described("the event's id"),
			"data":  match.Described("the event's data as text"),
		},
		"patternProperties":    syntax.Schema{`^\$`: match.Described("the value at a JSON path of the event's data")},
		"additionalProperties": false,
	}
}
