package stack

import "brunt/scenarios"

// Schema implements [scenarios.Schemer].
func (*command) Schema() scenarios.Schema {
	text := scenarios.TextSchema()
	return scenarios.Schema{"anyOf": []any{scenarios.Schema{"type": "string", "minLength": 1}, scenarios.Schema{"type": "array", "minItems": 1, "items": text}}}
}
