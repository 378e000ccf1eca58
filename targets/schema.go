package targets

import "brunt/scenarios"

// Schema implements [scenarios.Schemer].
func (*extraction) Schema() scenarios.Schema {
	return scenarios.Schema{"type": "string", "pattern": `^(\$|~|header |cookie )`, "examples": []any{"$.items[0].id", "header Location", "cookie sid", "~ id=([0-9]+)"}}
}
