package chaos

import (
	"reflect"

	"brunt/scenarios"
)

// Schema implements [scenarios.Schemer].
func (*Pick) Schema() scenarios.Schema {
	return scenarios.Schema{"anyOf": []any{
		scenarios.Schema{"type": "integer", "minimum": 1},
		scenarios.Schema{"type": "string", "pattern": `^(one|all|leader|[0-9]+|[0-9.]+%)$|\$\{`},
	}}
}

// Schema implements [scenarios.Schemer].
func (*Command) Schema() scenarios.Schema {
	return scenarios.Schema{"anyOf": []any{
		scenarios.Schema{"type": "string", "minLength": 1, "examples": []any{"kubectl rollout undo deployment/db"}},
		scenarios.Schema{"type": "array", "minItems": 1, "items": scenarios.TextSchema(), "examples": []any{[]any{"pg_ctl", "promote"}}},
	}}
}

// Schema implements [scenarios.Schemer].
func (*Offset) Schema() scenarios.Schema {
	return scenarios.Schema{"type": "string", "pattern": `^[-+]?([0-9.]+(ns|us|µs|ms|s|m|h))+$|\$\{`, "examples": []any{"-1h", "90s"}}
}

// SchemaWith implements [scenarios.DescribedSchemer].
func (*Probe) SchemaWith(doc scenarios.Describer) scenarios.Schema {
	forms := (*Command)(nil).Schema()["anyOf"].([]any)
	return scenarios.Schema{"anyOf": append(forms, scenarios.SchemaOf(reflect.TypeFor[Asking](), doc))}
}

// SchemaWith implements [scenarios.DescribedSchemer].
func (*revertCall) SchemaWith(doc scenarios.Describer) scenarios.Schema {
	return scenarios.Schema{"anyOf": []any{scenarios.Schema{"const": noRevert}, scenarios.SchemaOf(reflect.TypeFor[Call](), doc)}}
}
