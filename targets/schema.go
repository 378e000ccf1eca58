package targets

import "brunt/scenarios"

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
	return scenarios.Schema{"type": "string", "pattern": `^(\$|~|header |cookie )`, "examples": []any{"$.items[0].id", "header Location", "cookie sid", "~ id=([0-9]+)"}}
}
