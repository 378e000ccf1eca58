package platform

import (
	"brunt/scenarios/syntax"
)

func (*Command) Schema() syntax.Schema {
	text := syntax.TextSchema()
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"type": "string", "minLength": 1},
		syntax.Schema{"type": "array", "minItems": 1, "items": text},
	}}
}
