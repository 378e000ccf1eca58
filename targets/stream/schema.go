package stream

import (
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

func (*MessageCheck) Schema() syntax.Schema {
	matcher := (*check.Matcher)(nil).Schema()
	return check.AnswerSchema(syntax.Schema{
		"text": matcher.Described("the whole message: " + check.Forms),
	}, "the message, as JSON or else as a text,", "the value at a path in the message as JSON, where $ is the whole")
}

func (*match) Schema() syntax.Schema {
	matcher := (*check.Matcher)(nil).Schema()
	return syntax.Schema{"anyOf": []any{matcher, syntax.Schema{
		"type": "object", "minProperties": 1, "additionalProperties": false,
		"properties": syntax.Schema{"text": matcher.Described("the whole message: " + check.Forms)},
		"patternProperties": syntax.Schema{`^\$`: matcher.Described("the value at a path in the message as JSON, where " +
			"$ is the whole")},
	}}}
}

func (*Extraction) Schema() syntax.Schema {
	return syntax.Schema{"type": "string", "pattern": `^(\$|~|text$)`, "examples": []any{"$.id", "text", "~ ^OK (.+)"}}
}

func (*MessageSource) Schema() syntax.Schema {
	text := syntax.TextSchema()
	return syntax.Schema{"anyOf": []any{text, syntax.Schema{
		"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
		"properties": syntax.Schema{
			"text": text.Described("a text"),
			"json": (*template.JSON)(nil).Schema().Described("a JSON document, written as YAML"),
			"hex": syntax.Schema{"type": "string"}.Described("bytes in hexadecimal digits; a WebSocket sends them as a " +
				"binary message"),
			"base64": syntax.Schema{"type": "string"}.Described("bytes in base64; a WebSocket sends them as a binary message"),
			"file": syntax.Schema{"type": "string", "minLength": 1}.Described("a file beside the scenario, sent as it is; a " +
				"WebSocket sends it as a binary message"),
		},
	}}}
}

func (*framing) Schema() syntax.Schema {
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"const": "lines", "description": "each message is a line"},
		syntax.Schema{
			"type": "object", "minProperties": 1, "maxProperties": 2, "additionalProperties": false,
			"dependentRequired": syntax.Schema{"body": []any{"until"}, "after": []any{"length"}},
			"properties": syntax.Schema{
				"until": syntax.Schema{"type": "string", "minLength": 1}.Described("the text that ends each message"),
				"body": syntax.Schema{"type": "string", "pattern": "^~"}.Described("with until: ~ and an expression for the text " +
					"before the end of messages that hold it; the group says how many bytes follow that end, up to another"),
				"length": syntax.Schema{
					"enum": []any{1, 2, 4, 8},
				}.Described("the bytes of the length that begins each message, the most significant one first"),
				"after": syntax.Schema{"type": "integer", "minimum": 1, "maximum": mostAfter}.Described("with length: how many " +
					"bytes of each message come before its length, and do not count in it"),
				"bytes": syntax.Schema{"type": "integer", "minimum": 1}.Described("the bytes of each message"),
			},
		},
	}}
}
