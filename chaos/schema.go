package chaos

import "brunt/scenarios"

// Schema implements [scenarios.Schemer].
func (*Pick) Schema() scenarios.Schema {
	return scenarios.Schema{"anyOf": []any{
		scenarios.Schema{"type": "integer", "minimum": 1},
		scenarios.Schema{"type": "string", "pattern": `^(one|all|leader|[0-9]+|[0-9.]+%)$|\$\{`},
	}}
}
